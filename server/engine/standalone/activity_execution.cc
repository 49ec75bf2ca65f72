#include "server/engine/standalone/activity_execution.h"

#include <algorithm>

#include "server/engine/deployments/binding.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/activity_change.h"

namespace chimera::server {
namespace {

constexpr std::uint64_t kLayout = 2;            // Of both rows.
constexpr std::uint64_t kWithoutCallbacks = 1;  // Otherwise as this one.

template <class Archive, class Execution>
void visit_start(Archive& ar, Execution& e, std::string& namespace_id) {
  ar.text(namespace_id);
  ar.text(e.run_id);
  ar.message(e.attributes);
  ar.message(e.search_attributes);
  ar.message(e.user_metadata);
  ar.message(e.nexus_context);
  ar.text(e.start_request_id);
  ar.nanos(e.asked_delay);
  ar.time(e.scheduled);
}

template <class Archive, class Execution>
void visit_reset(Archive& ar, Execution& e) {
  bool asked = e.reset.has_value();
  ar.number(asked);
  if (!asked) return;
  if constexpr (Archive::kReading) e.reset.emplace();
  ar.number(e.reset->keep_paused);
  ar.number(e.reset->restore_options);
  ar.number(e.reset->forget_heartbeat);
}

template <class Archive, class Execution>
void visit_state(Archive& ar, Execution& e) {
  ar.number(e.activity.scheduled_id);
  ar.time(e.activity.first_scheduled);
  ar.number(e.activity.cancel_requested_id);
  if constexpr (Archive::kReading) {
    e.activity.read(ar);
  } else {
    e.activity.write(ar);
  }
  ar.number(e.status);
  ar.time(e.closed);
  ar.optional(e.outcome);
  ar.nanos(e.start_delay);
  ar.time(e.first_started);
  ar.time(e.last_started);
  ar.nanos(e.retry_interval);
  ar.number(e.by_worker);
  ar.time(e.last_heartbeat);
  ar.number(e.heartbeats);
  ar.number(e.transitions);
  ar.number(e.superseded);
  visit_list(ar, e.links, [&ar](auto& link) { ar.message(link); });
  std::vector<std::string> requests(e.link_requests.begin(), e.link_requests.end());
  visit_list(ar, requests, [&ar](auto& request) { ar.text(request); });
  if constexpr (Archive::kReading) e.link_requests.insert(requests.begin(), requests.end());
  for (auto* text :
       {&e.cancel_reason, &e.cancel_identity, &e.cancel_request_id, &e.terminate_request_id,
        &e.pause_request_id, &e.unpause_request_id, &e.reset_request_id, &e.options_request_id}) {
    ar.text(*text);
  }
  visit_reset(ar, e);
}

template <class Archive, class Execution>
void visit_callbacks(Archive& ar, Execution& e) {
  visit_list(ar, e.callbacks, [&ar](auto& each) {
    ar.message(each.callback);
    ar.text(each.attached_by);
    ar.time(each.registered);
    if constexpr (Archive::kReading) {
      each.read(ar);
    } else {
      each.write(ar);
    }
  });
}

}  // namespace

ActivityExecution::Status ActivityExecution::visible_status() const {
  const bool rests = open() && activity.paused && !activity.is_started();
  return rests ? enums::ACTIVITY_EXECUTION_STATUS_PAUSED : status;
}

std::string ActivityExecution::state() const {
  switch (status) {
    case enums::ACTIVITY_EXECUTION_STATUS_COMPLETED:
      return "Completed";
    case enums::ACTIVITY_EXECUTION_STATUS_FAILED:
      return "Failed";
    case enums::ACTIVITY_EXECUTION_STATUS_CANCELED:
      return "Canceled";
    case enums::ACTIVITY_EXECUTION_STATUS_TERMINATED:
      return "Terminated";
    case enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT:
      return "TimedOut";
    default:
      break;
  }
  if (cancel_requested()) return "CancelRequested";
  if (reset) return "ResetRequested";
  if (activity.paused) return activity.is_started() ? "PauseRequested" : "Paused";
  return activity.is_started() ? "Started" : "Scheduled";
}

WallTime ActivityExecution::next_deadline() const {
  if (!open()) return kNever;
  return std::min(attempt::next_timeout(activity).at, attempt::next_attempt(activity));
}

std::string ActivityExecution::start_row() const {
  Writer ar;
  ar.number(kLayout);
  std::string of = ns->id;
  visit_start(ar, *this, of);
  return std::move(ar.out);
}

std::string ActivityExecution::state_row() const {
  Writer ar;
  ar.number(kLayout);
  ar.number(ar.version);  // Of what the activity writes.
  visit_state(ar, *this);
  visit_callbacks(ar, *this);
  return std::move(ar.out);
}

bool ActivityExecution::read(absl::string_view start, absl::string_view state) {
  Reader first(start), second(state);
  std::uint64_t layout = 0;
  first.number(layout);
  if (!first.ok || layout < kWithoutCallbacks || layout > kLayout) return false;
  visit_start(first, *this, namespace_id);
  second.number(layout);
  if (!first.ok || !second.ok || layout < kWithoutCallbacks || layout > kLayout) return false;
  second.number(second.version);
  activity.scheduled_as = &attributes;
  activity.id = id();
  visit_state(second, *this);
  if (layout > kWithoutCallbacks) visit_callbacks(second, *this);
  activity.take_timeouts();
  stored = true;
  return second.ok;
}

// --- As matching sees it.

bool StandaloneTasks::is_stale(const MatchTask& task) const {
  const Activity& activity = execution_->activity;
  return !execution_->open() || activity.is_started() || activity.stamp != task.stamp;
}

bool StandaloneTasks::deliver(const MatchTask& task, const QueueKey&, Poller& poller) {
  if (is_stale(task)) return false;
  ActivityChange change(*engine_, *execution_);
  change.start(poller.identity, version_of(poller),
               poller.response<wf::PollActivityTaskQueueResponse>());
  change.commit();
  return true;
}

std::string StandaloneTasks::version_for(const MatchTask&, const QueueKey& queue) const {
  if (engine_->deployments->empty()) return "";
  return target_of(engine_->deployments->routing(queue.with_version("")), execution_->id())
      .version.text();
}

}  // namespace chimera::server
