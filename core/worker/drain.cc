#include "core/worker/drain.h"

#include <utility>

namespace chimera::core {
namespace {

// Lanes that do not come to rest within this time hold code that does not yield; the worker then
// ends without them.
constexpr std::chrono::seconds kDrainPatience{15};
// The same for lanes that wait for the server's answers, or for code on a language's own thread.
constexpr std::chrono::seconds kAnswersPatience{60};
constexpr std::chrono::seconds kLook{1};

}  // namespace

void Drain::set(Parts parts) {
  absl::MutexLock lock(&mutex_);
  parts_ = std::move(parts);
}

void Drain::hold() {
  absl::MutexLock lock(&mutex_);
  ++holds_;
}

void Drain::release() {
  {
    absl::MutexLock lock(&mutex_);
    if (--holds_ > 0 || !begun_ || state_ != State::kOpen) return;
    state_ = State::kLanes;
  }
  begin_lanes();
}

void Drain::begin() {
  {
    absl::MutexLock lock(&mutex_);
    begun_ = true;
    if (holds_ > 0 || state_ != State::kOpen) return;
    state_ = State::kLanes;
  }
  begin_lanes();
}

void Drain::begin_lanes() {
  std::vector<Lane*> lanes;
  std::function<void()> no_more_tasks;
  {
    absl::MutexLock lock(&mutex_);
    lanes = parts_.lanes;
    no_more_tasks = std::move(parts_.no_more_tasks);
    lanes_began_ = environment_.clock->steady();
  }
  if (no_more_tasks) no_more_tasks();
  for (Lane* lane : lanes) lane->begin_drain();
  look_at_lanes();
}

void Drain::look_at_lanes() {
  ActivityManager* activities = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kLanes) return;
    environment_.timers->cancel(std::exchange(timer_, 0));
    const auto waited = environment_.clock->steady() - lanes_began_;
    bool all_gone = true;
    for (const Lane* lane : parts_.lanes) all_gone &= gone(*lane, waited);
    if (!all_gone) {
      timer_ = environment_.timers->after(kLook, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->look_at_lanes();
      });
      return;
    }
    for (const Lane* lane : parts_.lanes) clean_ &= lane->drained();
    state_ = State::kActivities;
    activities = parts_.activities;
  }
  // After the lanes: the reply to a lane's last task may have started activities.
  if (activities == nullptr) return activities_over();
  activities->when_idle([self = shared_from_this()] { self->activities_over(); });
}

void Drain::activities_over() {
  NexusManager* nexus = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    nexus = parts_.nexus;
  }
  if (nexus == nullptr) return over();
  nexus->when_idle([self = shared_from_this()] { self->over(); });
}

// Drained, or given up on. A lane whose code has returned waits for the server's answers, which
// come or time out.
bool Drain::gone(const Lane& lane, std::chrono::nanoseconds waited) {
  if (lane.drained()) return true;
  const bool executes = lane.executes();
  if (waited < (executes ? kDrainPatience : kAnswersPatience)) return false;
  // Local activities are waited for, as other activities are.
  return executes || parts_.local_activities == nullptr ||
         parts_.local_activities->under_way() == 0;
}

void Drain::over() {
  std::vector<Done> waiting;
  bool clean = false;
  {
    absl::MutexLock lock(&mutex_);
    state_ = State::kOver;
    waiting.swap(waiting_);
    clean = clean_;
  }
  for (Done& done : waiting) std::move(done)(clean);
}

void Drain::when_over(Done done) {
  bool clean = false;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kOver) {
      waiting_.push_back(std::move(done));
      return;
    }
    clean = clean_;
  }
  std::move(done)(clean);
}

}  // namespace chimera::core
