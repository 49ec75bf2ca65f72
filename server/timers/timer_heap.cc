#include "server/timers/timer_heap.h"

namespace chimera::server {

Timer::~Timer() {
  if (heap_ != nullptr) heap_->disarm(*this);
}

TimerHeap::~TimerHeap() {
  for (Timer* timer : heap_) timer->heap_ = nullptr;
}

bool TimerHeap::before(const Timer* a, const Timer* b) {
  return a->at_ != b->at_ ? a->at_ < b->at_ : a->order_ < b->order_;
}

void TimerHeap::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerHeap::sift_up(std::size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 4;
    if (!before(timer, heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void TimerHeap::sift_down(std::size_t index) {
  Timer* timer = heap_[index];
  for (;;) {
    const std::size_t first = index * 4 + 1;
    if (first >= heap_.size()) break;
    std::size_t best = first;
    for (std::size_t child = first + 1; child < std::min(first + 4, heap_.size()); ++child) {
      if (before(heap_[child], heap_[best])) best = child;
    }
    if (!before(heap_[best], timer)) break;
    place(index, heap_[best]);
    index = best;
  }
  place(index, timer);
}

void TimerHeap::arm(Timer& timer, base::WallTime at) {
  if (timer.heap_ == this && timer.at_ == at) return;
  if (timer.heap_ != nullptr) timer.heap_->disarm(timer);  // It may have been another one's.
  if (at == base::WallTime::max()) return;
  timer.heap_ = this;
  timer.at_ = at;
  timer.order_ = ++order_;
  heap_.push_back(&timer);
  sift_up(heap_.size() - 1);
}

void TimerHeap::disarm(Timer& timer) {
  if (timer.heap_ == nullptr) return;
  const std::size_t index = timer.index_;
  timer.heap_ = nullptr;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

base::WallTime TimerHeap::next() const {
  return heap_.empty() ? base::WallTime::max() : heap_.front()->at_;
}

void TimerHeap::fire_due(base::WallTime now) {
  const std::uint64_t armed_before = order_;
  while (!heap_.empty() && heap_.front()->at_ <= now && heap_.front()->order_ <= armed_before) {
    Timer* timer = heap_.front();
    disarm(*timer);
    timer->fire_();
  }
}

}  // namespace chimera::server
