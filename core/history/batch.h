// Cutting a history into what each workflow task brought.
#ifndef CHIMERA_CORE_HISTORY_BATCH_H_
#define CHIMERA_CORE_HISTORY_BATCH_H_

#include <cstddef>

#include "absl/types/span.h"

#include "core/history/events.h"

namespace chimera::core {

struct Batch {
  enum class Kind {
    kNone,      // No event is left.
    kNeedMore,  // The end cannot be told without the next page.
    kComplete,
  };
  Kind kind = Kind::kNone;
  // events[0, end): the previous task's WorkflowTaskCompleted and the events of its commands, what
  // happened since, and this task's Scheduled and Started; at the end of a history, all that is
  // left.
  std::size_t end = 0;
  // events[end, lookahead_end): this task's WorkflowTaskCompleted and the events of its commands,
  // where it has one. Behind empty tasks (heartbeats of local activities) also those that follow,
  // for what they tell of this one.
  std::size_t lookahead_end = 0;
};

// `events` begins with the first one not applied. `last_page`: no more events will come.
// One batch per workflow task that was answered, also where the answer was empty: code sees on
// replay the same tasks at the same times as it did live. (sdk-core 1.35 merges empty ones; now()
// then differs between live and replay.)
Batch next_batch(absl::Span<const HistoryEvent* const> events, bool last_page);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_HISTORY_BATCH_H_
