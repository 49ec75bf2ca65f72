#include "server/engine/run/transition.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/telemetry/log.h"
#include "server/engine/engine.h"
#include "server/engine/run/visible.h"
#include "server/engine/time_skipping.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/skipping.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

// They follow each other in the protocol.
static_assert(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED - enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED ==
              4);

bool is_task_event(enums::EventType type) {
  return type >= enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED &&
         type <= enums::EVENT_TYPE_WORKFLOW_TASK_FAILED;
}

}  // namespace

// Runs are given out const so that nothing else changes them; none is made const.
Transition::Transition(Engine& engine, const Run& run)
    : engine_(engine),
      run_(const_cast<Run&>(run)),
      first_(run.events.events_size()),
      batch_(first_),
      buffered_(run.buffered.size()),
      was_running_(run.running()),
      was_speculative_(run.task.kind == WorkflowTask::Kind::kSpeculative) {
  CHIMERA_CHECK(!run.in_transition, run.run_id);
  run_.in_transition = true;
}

Transition::~Transition() { CHIMERA_CHECK(committed_, run_.run_id); }

WallTime Transition::now() const { return run_.clock(engine_.now()); }

HistoryEvent Transition::event(enums::EventType type) const {
  HistoryEvent event;
  event.set_event_type(type);
  WallTime time = now();
  if (run_.events.events_size() > 0) time = std::max(time, to_wall(run_.last_event().event_time()));
  set(event.mutable_event_time(), time);
  return event;
}

const HistoryEvent& Transition::write(HistoryEvent event) {
  if (!is_task_event(event.event_type())) {
    ++run_.events_since_failure;
    if (run_.task.kind == WorkflowTask::Kind::kSpeculative) materialize_task(*this, "");
  }
  event.set_event_id(run_.next_event_id());
  event.set_task_id(engine_.ids().next_task_id());
  HistoryEvent& stored = *run_.events.add_events();
  stored = std::move(event);
  run_.history_size += static_cast<std::int64_t>(stored.ByteSizeLong());
  run_.fold(stored);
  return stored;
}

void Transition::external(HistoryEvent event) {
  const bool buffers = run_.task.is_started();
  aside(std::move(event));
  if (!buffers && run_.backoff_until == kUnset && run_.running()) want_task_ = true;
}

void Transition::aside(HistoryEvent event) {
  if (run_.task.kind == WorkflowTask::Kind::kSpeculative) materialize_task(*this, "");
  if (run_.task.is_started()) return after_commands(std::move(event));
  write(std::move(event));
}

void Transition::after_commands(HistoryEvent event) {
  run_.fold(event);
  run_.buffered.push_back(std::move(event));
}

void Transition::flush_buffered() {
  if (run_.buffered.empty()) return;
  std::vector<HistoryEvent> events = std::move(run_.buffered);
  run_.buffered.clear();
  std::stable_partition(events.begin(), events.end(), [](const HistoryEvent& event) {
    return !Pending::is_result(event.event_type());
  });
  for (HistoryEvent& event : events) {
    Pending::link(event, flushed_starts_);
    event.set_event_id(run_.next_event_id());
    event.set_task_id(engine_.ids().next_task_id());
    HistoryEvent& stored = *run_.events.add_events();
    stored = std::move(event);
    run_.history_size += static_cast<std::int64_t>(stored.ByteSizeLong());
    ++run_.events_since_failure;
    run_.pending_.flushed(stored, flushed_starts_);
    run_.flushed(stored);
  }
  want_task_ = true;
}

void Transition::end_batch() {
  const int last = run_.events.events_size();
  if (last > batch_) run_.batches.push_back(std::exchange(batch_, last) + 1);
}

void Transition::join_batch() {
  batch_ = static_cast<int>(run_.batches.back()) - 1;
  run_.batches.pop_back();
}

void Transition::enforce_history_limits() {
  if (!run_.running()) return;
  const DynamicConfig& config = engine_.config();
  if (run_.events.events_size() > config.history_events_max) {
    write_terminated(*this, "Workflow history count exceeds limit.", nullptr, "history-service");
  } else if (run_.history_size > config.history_bytes_max) {
    write_terminated(*this, "Workflow history size exceeds limit.", nullptr, "history-service");
  } else if (!run_.warned_of_history && (run_.events.events_size() > config.history_events_warn ||
                                         run_.history_size > config.history_bytes_warn)) {
    run_.warned_of_history = true;
    core::log(
        core::LogLevel::kWarn, "server",
        absl::StrCat("the history of a workflow has ", run_.events.events_size(), " events and ",
                     run_.history_size, " bytes, and ends it beyond ", config.history_events_max,
                     " events or ", config.history_bytes_max, " bytes. Continue as new before."),
        {{"workflow_id", run_.workflow_id}, {"run_id", run_.run_id}});
  }
}

// A speculative task that leaves no events leaves no trace: the genuine server keeps it in memory.
bool Transition::counts() const {
  const bool speculative = was_speculative_ || run_.task.kind == WorkflowTask::Kind::kSpeculative;
  return wrote() || (counts_ && !speculative);
}

void Transition::commit() {
  enforce_history_limits();
  if (run_.running() && !run_.paused() && !run_.task.pending() && run_.backoff_until == kUnset) {
    if (want_task_) {
      schedule_task(*this, /*speculative=*/false);
    } else if (has_unsent_updates(run_)) {
      schedule_task(*this, /*speculative=*/true);
    }
  }
  if (run_.task.pending() && !run_.task.is_started() && run_.task.stamp == 0) dispatch_task(*this);
  skip_time(*this);
  if (counts()) count();
  end_batch();
  end();
  // What is buffered may be the end of a fast-forward.
  if (!wrote() && run_.buffered.size() <= buffered_) return;
  auto waiters = std::exchange(run_.waiting.history, {});
  for (auto& [key, waiter] : waiters) engine_.follow_up(std::move(waiter));
}

void Transition::commit_unseen() {
  CHIMERA_CHECK(!wrote(), run_.run_id);
  end();
}

void Transition::end() {
  CHIMERA_CHECK(!committed_, run_.run_id);
  committed_ = true;
  run_.in_transition = false;
  if (was_running_ && !run_.running()) after_close(engine_, run_);
  engine_.runs().arm_timer(run_);
  if (TimeSkipping* time = engine_.time_skipping.get()) time->note(run_);
  engine_.mark_dirty(run_);
  if (looks_different(run_, first_)) engine_.show(run_);
}

}  // namespace chimera::server
