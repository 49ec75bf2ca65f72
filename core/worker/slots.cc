#include "core/worker/slots.h"

#include <utility>

namespace chimera::core {

Slots::Permit Slots::try_take(const base::SlotRequest&) {
  {
    absl::MutexLock lock(&mutex_);
    if (free_ == 0) return nullptr;
    --free_;
  }
  show(1);
  return permit();
}

void Slots::when_free(const base::SlotRequest&, absl::AnyInvocable<void(Permit) &&> use) {
  {
    absl::MutexLock lock(&mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(use));
      return;
    }
    --free_;
  }
  show(1);
  std::move(use)(permit());
}

void Slots::stop_waiting() {
  std::deque<absl::AnyInvocable<void(Permit) &&>> dropped;
  absl::MutexLock lock(&mutex_);
  dropped.swap(waiting_);
}

int Slots::used() const {
  absl::MutexLock lock(&mutex_);
  return count_ - free_;
}

void Slots::show(int taken) const {
  if (available_) available_->add(-taken);
  if (used_) used_->add(taken);
}

Slots::Permit Slots::permit() {
  // The permit owns the slots: a task may outlive the worker's own reference.
  return Permit(this, [self = shared_from_this()](void*) { self->give_back(); });
}

void Slots::give_back() {
  absl::AnyInvocable<void(Permit) &&> next;
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      ++free_;
      show(-1);
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  std::move(next)(permit());
}

}  // namespace chimera::core
