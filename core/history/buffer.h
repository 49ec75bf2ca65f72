// HistoryBuffer, the events of a run that are at hand and not applied yet, across the borders of
// pages. Holds a page as long as one of its events is in the buffer. Owned by a WorkflowRun; lane
// thread.
#ifndef CHIMERA_CORE_HISTORY_BUFFER_H_
#define CHIMERA_CORE_HISTORY_BUFFER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/types/span.h"

#include "core/history/events.h"
#include "core/history/page.h"

namespace chimera::core {

class HistoryBuffer {
 public:
  // Events with ids up to `applied` or already in the buffer are left out. False if an id is then
  // missing between: nothing of the page is taken.
  bool append(std::shared_ptr<const HistoryPage> page, std::int64_t applied);
  // The first `count` events have been applied. Their pages go to `keep`, for what still points
  // into them.
  void pop(std::size_t count, std::vector<std::shared_ptr<const void>>& keep);
  // Forgets what follows the first `count` events.
  void truncate(std::size_t count);
  void clear();

  absl::Span<const HistoryEvent* const> events() const {
    return absl::MakeConstSpan(events_).subspan(head_);
  }
  bool empty() const { return head_ == events_.size(); }
  // That of events()[index].
  std::shared_ptr<const HistoryPage> page_of(std::size_t index) const;
  // Of the last event at hand, or 0.
  std::int64_t last_id() const { return empty() ? 0 : events_.back()->event_id(); }

 private:
  struct Held {
    std::shared_ptr<const HistoryPage> page;
    std::size_t events_left;
  };
  std::vector<const HistoryEvent*> events_;
  std::size_t head_ = 0;
  std::vector<Held> pages_;  // In order; few at a time.
};

// The id of the first event, or 0.
std::int64_t first_event_id(const HistoryPage& page);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_HISTORY_BUFFER_H_
