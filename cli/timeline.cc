#include "cli/timeline.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace chimera::cli {
namespace {

using api::history::v1::HistoryEvent;
namespace enums = api::enums::v1;

std::string failure_text(const api::failure::v1::Failure& failure) {
  std::string text;
  for (const auto* f = &failure;; f = &f->cause()) {
    const std::string& type = f->application_failure_info().type();
    absl::StrAppend(&text, text.empty() ? "" : " <- ", type.empty() ? "" : type + ": ",
                    f->message());
    if (!f->has_cause()) return text;
  }
}

// Turns events into rows. One pass; rows are found again by the id of the event that began them.
class Builder {
 public:
  Timeline build(const api::history::v1::History& history) {
    for (const HistoryEvent& event : history.events()) apply(event);
    for (TimelineRow& row : timeline_.rows) {
      if (row.end_ns < 0) row.end_ns = timeline_.length_ns;
    }
    std::stable_sort(
        timeline_.rows.begin(), timeline_.rows.end(),
        [](const TimelineRow& a, const TimelineRow& b) { return a.begin_ns < b.begin_ns; });
    return std::move(timeline_);
  }

 private:
  std::int64_t time_of(const HistoryEvent& event) {
    std::int64_t ns = event.event_time().seconds() * 1'000'000'000 + event.event_time().nanos();
    if (timeline_.events == 0) timeline_.begin_unix_ns = ns;
    return ns - timeline_.begin_unix_ns;
  }

  void begin(const HistoryEvent& event, std::string kind, std::string name) {
    rows_by_event_[event.event_id()] = timeline_.rows.size();
    timeline_.rows.push_back({.kind = std::move(kind),
                              .name = std::move(name),
                              .note = "",
                              .actor = "",
                              .begin_ns = now_,
                              .end_ns = -1});
  }

  void point(std::string kind, std::string name, std::string note, Outcome outcome) {
    timeline_.rows.push_back({.kind = std::move(kind),
                              .name = std::move(name),
                              .note = std::move(note),
                              .actor = "",
                              .begin_ns = now_,
                              .end_ns = now_,
                              .outcome = outcome});
  }

  void end(std::int64_t begun_by, Outcome outcome, std::string note = "", std::string actor = "") {
    auto it = rows_by_event_.find(begun_by);
    if (it == rows_by_event_.end()) return;  // A history cut at the front.
    TimelineRow& row = timeline_.rows[it->second];
    row.end_ns = now_;
    row.outcome = outcome;
    row.actor = std::move(actor);
    if (!note.empty()) absl::StrAppend(&row.note, row.note.empty() ? "" : ", ", note);
  }

  void close(Outcome outcome, std::string failure = "") {
    timeline_.outcome = outcome;
    timeline_.failure = std::move(failure);
  }

  void apply(const HistoryEvent& event) {
    now_ = time_of(event);
    timeline_.length_ns = std::max(timeline_.length_ns, now_);
    ++timeline_.events;
    if (!apply_activity(event) && !apply_child(event) && !apply_task(event)) apply_other(event);
  }

  bool apply_activity(const HistoryEvent& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        begin(event, "activity",
              event.activity_task_scheduled_event_attributes().activity_type().name());
        return true;
      case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: {
        const auto& started = event.activity_task_started_event_attributes();
        auto it = rows_by_event_.find(started.scheduled_event_id());
        if (started.attempt() > 1 && it != rows_by_event_.end())
          timeline_.rows[it->second].note = absl::StrCat("attempt ", started.attempt());
        return true;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: {
        const auto& completed = event.activity_task_completed_event_attributes();
        end(completed.scheduled_event_id(), Outcome::kCompleted, "", completed.identity());
        return true;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
        const auto& failed = event.activity_task_failed_event_attributes();
        end(failed.scheduled_event_id(), Outcome::kFailed, failure_text(failed.failure()),
            failed.identity());
        return true;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
        const auto& timed_out = event.activity_task_timed_out_event_attributes();
        end(timed_out.scheduled_event_id(), Outcome::kTimedOut, timed_out.failure().message());
        return true;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
        const auto& canceled = event.activity_task_canceled_event_attributes();
        end(canceled.scheduled_event_id(), Outcome::kCanceled, "", canceled.identity());
        return true;
      }
      default:
        return false;
    }
  }

  bool apply_child(const HistoryEvent& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
        begin(event, "child",
              event.start_child_workflow_execution_initiated_event_attributes()
                  .workflow_type()
                  .name());
        return true;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        end(event.child_workflow_execution_completed_event_attributes().initiated_event_id(),
            Outcome::kCompleted);
        return true;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: {
        const auto& failed = event.child_workflow_execution_failed_event_attributes();
        end(failed.initiated_event_id(), Outcome::kFailed, failure_text(failed.failure()));
        return true;
      }
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        end(event.child_workflow_execution_canceled_event_attributes().initiated_event_id(),
            Outcome::kCanceled);
        return true;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        end(event.child_workflow_execution_timed_out_event_attributes().initiated_event_id(),
            Outcome::kTimedOut);
        return true;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
        end(event.child_workflow_execution_terminated_event_attributes().initiated_event_id(),
            Outcome::kTerminated);
        return true;
      default:
        return false;
    }
  }

  bool apply_task(const HistoryEvent& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: {
        ++timeline_.workflow_tasks;
        const auto& sdk = event.workflow_task_completed_event_attributes().sdk_metadata();
        if (!sdk.sdk_name().empty())
          timeline_.sdk = absl::StrCat(sdk.sdk_name(), " ", sdk.sdk_version());
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED: {
        ++timeline_.failed_workflow_tasks;
        const auto& failed = event.workflow_task_failed_event_attributes();
        point("workflow task", "failed", failure_text(failed.failure()), Outcome::kFailed);
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: {
        ++timeline_.failed_workflow_tasks;
        auto type = event.workflow_task_timed_out_event_attributes().timeout_type();
        point("workflow task", "timed out", enums::TimeoutType_Name(type), Outcome::kTimedOut);
        return true;
      }
      default:
        return false;
    }
  }

  void apply_other(const HistoryEvent& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_TIMER_STARTED: {
        const auto& length = event.timer_started_event_attributes().start_to_fire_timeout();
        begin(event, "timer", human_duration(length.seconds() * 1'000'000'000 + length.nanos()));
        break;
      }
      case enums::EVENT_TYPE_TIMER_FIRED:
        end(event.timer_fired_event_attributes().started_event_id(), Outcome::kCompleted);
        break;
      case enums::EVENT_TYPE_TIMER_CANCELED:
        end(event.timer_canceled_event_attributes().started_event_id(), Outcome::kCanceled);
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        point("signal", event.workflow_execution_signaled_event_attributes().signal_name(), "",
              Outcome::kCompleted);
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
        const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
        begin(event, "update", accepted.accepted_request().input().name());
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
        const auto& done = event.workflow_execution_update_completed_event_attributes();
        bool failed = done.outcome().has_failure();
        end(done.accepted_event_id(), failed ? Outcome::kFailed : Outcome::kCompleted,
            failed ? failure_text(done.outcome().failure()) : "");
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        point("cancel", "requested",
              event.workflow_execution_cancel_requested_event_attributes().cause(),
              Outcome::kCanceled);
        break;
      default:
        apply_execution(event);
    }
  }

  void apply_execution(const HistoryEvent& event) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
        const auto& started = event.workflow_execution_started_event_attributes();
        timeline_.workflow_type = started.workflow_type().name();
        timeline_.task_queue = started.task_queue().name();
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return close(Outcome::kCompleted);
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        return close(Outcome::kFailed,
                     failure_text(event.workflow_execution_failed_event_attributes().failure()));
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        return close(Outcome::kTimedOut);
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        return close(Outcome::kCanceled);
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        return close(Outcome::kTerminated,
                     event.workflow_execution_terminated_event_attributes().reason());
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
        return close(Outcome::kContinuedAsNew);
      default:
        break;
    }
  }

  Timeline timeline_;
  std::int64_t now_ = 0;
  absl::flat_hash_map<std::int64_t, std::size_t> rows_by_event_;
};

}  // namespace

Timeline build_timeline(const api::history::v1::History& history) {
  return Builder().build(history);
}

std::string human_duration(std::int64_t ns) {
  double seconds = static_cast<double>(ns) / 1e9;
  if (seconds < 1) return absl::StrFormat("%.0f ms", seconds * 1e3);
  if (seconds < 60) return absl::StrFormat("%.2f s", seconds);
  auto minutes = static_cast<std::int64_t>(seconds / 60);
  if (minutes < 60)
    return absl::StrFormat("%d min %02d s", minutes, static_cast<int>(seconds - minutes * 60.0));
  if (minutes < 48 * 60) return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
  return absl::StrFormat("%d d %02d h", minutes / 1440, minutes / 60 % 24);
}

}  // namespace chimera::cli
