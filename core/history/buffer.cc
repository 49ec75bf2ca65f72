#include "core/history/buffer.h"

#include <algorithm>

namespace chimera::core {

bool HistoryBuffer::append(std::shared_ptr<const HistoryPage> page, std::int64_t applied) {
  const std::int64_t known = std::max(applied, last_id());
  const auto& events = page->history().events();
  int first = 0;
  while (first < events.size() && events[first].event_id() <= known) ++first;
  if (first == events.size()) return true;
  std::int64_t expected = known + 1;
  for (int i = first; i < events.size(); ++i, ++expected) {
    if (events[i].event_id() != expected) return false;
  }
  if (empty()) clear();
  for (int i = first; i < events.size(); ++i) events_.push_back(&events[i]);
  pages_.push_back({std::move(page), static_cast<std::size_t>(events.size() - first)});
  return true;
}

void HistoryBuffer::pop(std::size_t count, std::vector<std::shared_ptr<const void>>& keep) {
  head_ += count;
  std::size_t used_up = 0;
  for (Held& held : pages_) {
    if (count == 0) break;
    const std::size_t taken = std::min(count, held.events_left);
    count -= taken;
    held.events_left -= taken;
    keep.push_back(held.page);
    if (held.events_left == 0) ++used_up;
  }
  pages_.erase(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(used_up));
  if (empty()) clear();
}

std::shared_ptr<const HistoryPage> HistoryBuffer::page_of(std::size_t index) const {
  for (const Held& held : pages_) {
    if (index < held.events_left) return held.page;
    index -= held.events_left;
  }
  return nullptr;
}

void HistoryBuffer::truncate(std::size_t count) {
  events_.resize(head_ + std::min(count, events_.size() - head_));
  if (empty()) return clear();
  for (Held& held : pages_) {
    held.events_left = std::min(held.events_left, count);
    count -= held.events_left;
  }
}

void HistoryBuffer::clear() {
  // A page's worth of pointers may stay allocated between tasks of a busy run; more is given back.
  if (events_.capacity() > 64) {
    std::vector<const HistoryEvent*>().swap(events_);
  } else {
    events_.clear();
  }
  head_ = 0;
  pages_.clear();
}

std::int64_t first_event_id(const HistoryPage& page) {
  const auto& events = page.history().events();
  return events.empty() ? 0 : events[0].event_id();
}

}  // namespace chimera::core
