#include "core/worker/resource_slots.h"

#include <algorithm>
#include <utility>

namespace chimera::core {
namespace {

constexpr double kProportional = 5, kDerivative = 1, kOutputMax = 100;
constexpr std::chrono::milliseconds kLookAgain{10};

}  // namespace

bool ResourceController::Pid::allows(double used) {
  const double slope = before_ ? used - *before_ : 0;
  before_ = used;
  const double output = kProportional * (target_ - used) - kDerivative * slope;
  return std::clamp(output, -kOutputMax, kOutputMax) > threshold_;
}

bool ResourceController::has_room() {
  absl::MutexLock lock(&mutex_);
  const Load load = meter_->load();
  // Both are asked, so that each knows what came before.
  const bool memory = memory_.allows(load.memory), cpu = cpu_.allows(load.cpu);
  return memory && cpu;
}

// Whatever the load, one poll of each queue is under way: a run in the cache would else wait for
// room that only it can make.
bool ResourceSlots::may_take(bool sticky) {
  const int of_its_kind = sticky ? sticky_used_ : used_ - sticky_used_;
  if (used_ < limits_.minimum || of_its_kind == 0) return true;
  if (used_ >= limits_.maximum) return false;
  if (last_taken_ && timers_.now() - *last_taken_ < limits_.ramp_throttle) return false;
  return controller_->has_room();
}

void ResourceSlots::take(bool sticky) {
  ++used_;
  if (sticky) ++sticky_used_;
  last_taken_ = timers_.now();
}

ResourceSlots::Permit ResourceSlots::permit(bool sticky) {
  if (gauge_) gauge_->add(1);
  return Permit(this, [self = shared_from_this(), sticky](void*) { self->give_back(sticky); });
}

ResourceSlots::Permit ResourceSlots::try_take(const base::SlotRequest& request) {
  {
    absl::MutexLock lock(&mutex_);
    if (!may_take(request.sticky)) return nullptr;
    take(request.sticky);
  }
  return permit(request.sticky);
}

void ResourceSlots::when_free(const base::SlotRequest& request,
                              absl::AnyInvocable<void(Permit) &&> use) {
  {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back({request.sticky, std::move(use)});
  }
  serve();
}

void ResourceSlots::stop_waiting() {
  std::deque<Waiting> dropped;
  absl::MutexLock lock(&mutex_);
  dropped.swap(waiting_);
  if (look_again_ != 0) timers_.cancel(std::exchange(look_again_, 0));
}

void ResourceSlots::give_back(bool sticky) {
  if (gauge_) gauge_->add(-1);
  {
    absl::MutexLock lock(&mutex_);
    --used_;
    if (sticky) --sticky_used_;
  }
  serve();
}

void ResourceSlots::serve() {
  for (;;) {
    Waiting next;
    {
      absl::MutexLock lock(&mutex_);
      if (waiting_.empty()) return;
      const auto may = std::find_if(waiting_.begin(), waiting_.end(),
                                    [this](const Waiting& each) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                      return may_take(each.sticky);
                                    });
      if (may == waiting_.end()) {
        if (look_again_ == 0) {
          look_again_ = timers_.after(kLookAgain, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            {
              absl::MutexLock again(&self->mutex_);
              self->look_again_ = 0;
            }
            self->serve();
          });
        }
        return;
      }
      next = std::move(*may);
      waiting_.erase(may);
      take(next.sticky);
    }
    std::move(next.use)(permit(next.sticky));
  }
}

}  // namespace chimera::core
