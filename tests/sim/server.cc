#include "tests/sim/server.h"

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "tests/sim/text.h"

namespace chimera::sim {

namespace enums = api::enums::v1;

namespace {

constexpr Time kMillisecond = 1'000'000;
constexpr Time kBegin = 1'700'000'000'000'000'000;

}  // namespace

SimServer::SimServer(std::uint64_t seed)
    : rng_(seed, "server"), run_id_(absl::StrCat("run-", seed)), now_(kBegin) {
  HistoryEvent started = event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  auto& attributes = *started.mutable_workflow_execution_started_event_attributes();
  attributes.mutable_workflow_type()->set_name("Random");
  attributes.mutable_task_queue()->set_name("queue");
  attributes.set_original_execution_run_id(run_id_);
  attributes.set_first_execution_run_id(run_id_);
  append(std::move(started));
  ensure_task();
  plan_stimuli();
}

void SimServer::plan_stimuli() {
  const auto within = [this](std::uint64_t count, std::uint64_t most_ms, auto what) {
    for (; count > 0; --count) after(most_ms, what);
  };
  const std::uint64_t span = rng_.percent(50) ? 3000 : 20000;
  within(rng_.below(7), span, [this] { send_signal(rng_.percent(60) ? "go" : "poke"); });
  within(rng_.below(6), span, [this] { send_update(); });
  within(rng_.below(4), span, [this] { send_query(); });
  within(rng_.percent(20), span, [this] { send_cancel(); });
  within(rng_.percent(4), span, [this] { terminate(); });
  within(rng_.percent(5), span, [this] { reset(); });
}

void SimServer::after(std::uint64_t most_ms, std::function<void()> what) {
  at(now_ + static_cast<Time>(rng_.below(most_ms + 1)) * kMillisecond, std::move(what));
}

SimServer::Advance SimServer::advance() {
  if (queue_.empty()) {
    if (closed_) return Advance::kOver;
    nothing_more();
    if (queue_.empty()) return Advance::kOver;
  }
  const auto first = queue_.begin();
  if (!first->second.needs_answer.empty() && !answers_.contains(first->second.needs_answer)) {
    return Advance::kBlocked;
  }
  now_ = std::max(now_, first->first);
  const std::function<void()> what = std::move(first->second.what);
  queue_.erase(first);
  what();
  return Advance::kProgress;
}

// Nothing is under way, so the program must be waiting for a signal; it gets some.
void SimServer::nothing_more() {
  if (++last_signals_ > 40) return violation("the run hangs: nothing is under way, nothing helps");
  after(1000, [this] { send_signal("go"); });
}

void SimServer::send_signal(const char* name) {
  HistoryEvent signaled = event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  auto& attributes = *signaled.mutable_workflow_execution_signaled_event_attributes();
  attributes.set_signal_name(name);
  attributes.mutable_input()->add_payloads()->set_data(absl::StrCat(rng_.below(1000)));
  happen({std::move(signaled)});
}

void SimServer::send_update() {
  if (closed_ || attempt_ >= 3) return;
  const std::string id = absl::StrCat("update-", ++stimuli_);
  Update& update = updates_[id];
  update.request.mutable_meta()->set_update_id(id);
  update.request.mutable_meta()->set_identity("client");
  update.request.mutable_input()->set_name("change");
  update.request.mutable_input()->mutable_args()->add_payloads()->set_data(
      absl::StrCat(rng_.below(1000)));
  waiting_updates_.push_back(id);
  add_updates();
}

void SimServer::send_query() {
  if (completed_.empty()) return;
  api::query::v1::WorkflowQuery query;
  query.set_query_type(rng_.percent(20) ? "bad" : "state");
  if (task_ && task_->started) return;  // As if it came a little later; chance has other queries.
  if (!closed_ && task_) {
    queries_[absl::StrCat("query-", ++stimuli_)] = std::move(query);
    return;
  }
  SimTask task;
  task.token = absl::StrCat("query ", ++tokens_);
  task.previous_started_id = previous_started_id_;
  task.sticky = sticky_ && !closed_;
  task.events = history_;
  task.query = std::move(query);
  const auto answered = [this, token = task.token] {
    auto answer = answers_.extract(token);
    if (!answer.mapped().query) return violation(absl::StrCat("no answer to ", token));
    log_.push_back(text(*answer.mapped().query));
    std::move(answer.mapped().done)({});
  };
  // Nothing else happens before the answer.
  const Time first = queue_.empty() ? now_ : std::min(now_, queue_.begin()->first);
  queue_.emplace_hint(queue_.begin(), first, Happening{answered, task.token});
  deliver(std::move(task));
}

void SimServer::send_cancel() {
  if (std::exchange(cancel_requested_, true)) return;
  HistoryEvent requested = event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
  requested.mutable_workflow_execution_cancel_requested_event_attributes()->set_cause("enough");
  happen({std::move(requested)});
}

void SimServer::terminate() {
  if (closed_) return;
  make_real();
  if (task_ && task_->started && task_->written) {
    HistoryEvent failed = event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    failed.mutable_workflow_task_failed_event_attributes()->set_cause(
        enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND);
    append(std::move(failed));
  }
  buffered_.clear();
  HistoryEvent terminated = event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  terminated.mutable_workflow_execution_terminated_event_attributes()->set_reason("gone");
  append(std::move(terminated));
  closed_ = true;
  if (task_ && !task_->started) task_.reset();
  if (rng_.percent(50)) after(1000, [this] { send_query(); });
}

// As far as the worker sees it: a workflow task that nobody got fails with the mark of a reset.
void SimServer::reset() {
  if (closed_ || completed_.empty() || task_) return;
  append(event(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED))
      .mutable_workflow_task_scheduled_event_attributes();
  append(event(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED))
      .mutable_workflow_task_started_event_attributes()
      ->set_scheduled_event_id(static_cast<std::int64_t>(history_.size()) - 1);
  HistoryEvent failed = event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  auto& attributes = *failed.mutable_workflow_task_failed_event_attributes();
  attributes.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  attributes.set_new_run_id(absl::StrCat("reset-", rng_.below(1000)));
  append(std::move(failed));
  ensure_task();
}

HistoryEvent SimServer::event(EventType type) const {
  HistoryEvent made;
  made.set_event_type(type);
  return made;
}

HistoryEvent& SimServer::append(HistoryEvent event) {
  event.set_event_id(static_cast<std::int64_t>(history_.size()) + 1);
  base::set_timestamp(base::WallTime(std::chrono::nanoseconds(++now_)),
                      *event.mutable_event_time());
  link_started(event);
  auto kept = std::make_shared<HistoryEvent>(std::move(event));
  HistoryEvent& out = *kept;
  history_.push_back(std::move(kept));
  return out;
}

// Results refer to the event that started what they end; known only now, when that one has its id.
void SimServer::link_started(HistoryEvent& event) {
  const auto link = [&](auto& attributes, std::int64_t origin) {
    attributes.set_started_event_id(started_[origin]);
  };
  const std::int64_t id = event.event_id();
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      started_[event.activity_task_started_event_attributes().scheduled_event_id()] = id;
      return;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      started_[event.child_workflow_execution_started_event_attributes().initiated_event_id()] = id;
      return;
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
      auto& attributes = *event.mutable_activity_task_completed_event_attributes();
      return link(attributes, attributes.scheduled_event_id());
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
      auto& attributes = *event.mutable_activity_task_failed_event_attributes();
      return link(attributes, attributes.scheduled_event_id());
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
      auto& attributes = *event.mutable_activity_task_timed_out_event_attributes();
      return link(attributes, attributes.scheduled_event_id());
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
      auto& attributes = *event.mutable_activity_task_canceled_event_attributes();
      return link(attributes, attributes.scheduled_event_id());
    }
    default:
      return;
  }
}

// Something from outside; it makes a workflow task necessary.
void SimServer::happen(std::vector<HistoryEvent> events) {
  if (closed_) return;
  make_real();
  if (task_ && task_->started) {
    for (HistoryEvent& one : events) buffered_.push_back(std::move(one));
    return;
  }
  for (HistoryEvent& one : events) append(std::move(one));
  if (task_ && !task_->written) {  // A further attempt, kept out of history: now it is a new task.
    task_->attempt = attempt_ = 1;
    write_scheduled();
  }
  ensure_task();
}

}  // namespace chimera::sim
