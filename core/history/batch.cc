#include "core/history/batch.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
using Events = absl::Span<const HistoryEvent* const>;

// A task that ended so never was: its events belong to the next one.
bool undoes_task(EventType type) {
  return type == enums::EVENT_TYPE_WORKFLOW_TASK_FAILED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT ||
         type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT ||
         type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED ||
         type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED;
}

enum class Answer { kNo, kYes, kUnknown };

// Whether events[at..] are Scheduled, Started, Completed: after a task without commands, another
// one answered.
Answer task_follows(Events events, std::size_t at, bool last_page) {
  constexpr EventType kTask[] = {enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
                                 enums::EVENT_TYPE_WORKFLOW_TASK_STARTED,
                                 enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED};
  for (std::size_t i = 0; i < 3; ++i) {
    if (at + i == events.size()) return last_page ? Answer::kNo : Answer::kUnknown;
    if (events[at + i]->event_type() != kTask[i]) return Answer::kNo;
  }
  return Answer::kYes;
}

// events[at] is the batch's own WorkflowTaskCompleted.
Batch with_lookahead(Events events, std::size_t at, bool last_page) {
  for (std::size_t i = at + 1;;) {
    const std::size_t first_command = i;
    while (i < events.size() && is_command_event(events[i]->event_type())) ++i;
    if (i == events.size() && !last_page) return {Batch::Kind::kNeedMore};
    if (i > first_command) return {Batch::Kind::kComplete, at, i};
    switch (task_follows(events, i, last_page)) {
      case Answer::kNo:
        return {Batch::Kind::kComplete, at, i};
      case Answer::kUnknown:
        return {Batch::Kind::kNeedMore};
      case Answer::kYes:
        i += 3;
    }
  }
}

}  // namespace

Batch next_batch(Events events, bool last_page) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const EventType type = events[i]->event_type();
    if (is_final_event(type)) return {Batch::Kind::kComplete, i + 1, i + 1};
    if (type != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
    if (i + 1 == events.size()) {
      if (!last_page) return {Batch::Kind::kNeedMore};
      return {Batch::Kind::kComplete, i + 1, i + 1};
    }
    const EventType next = events[i + 1]->event_type();
    if (undoes_task(next)) continue;
    if (next == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
      return with_lookahead(events, i + 1, last_page);
    return {Batch::Kind::kComplete, i + 1, i + 1};
  }
  if (!last_page) return {Batch::Kind::kNeedMore};
  if (events.empty()) return {Batch::Kind::kNone};
  return {Batch::Kind::kComplete, events.size(), events.size()};
}

}  // namespace chimera::core
