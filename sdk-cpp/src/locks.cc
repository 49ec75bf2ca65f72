// Mutex and Semaphore: permits that are handed over in order of arrival, so that nobody who comes
// later is before who waits.
#include <limits>
#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/waiting.h"

namespace chimera {
namespace detail {

struct LockState final : Waitable {
  LockState(const char* what_in, std::int64_t permits_in)
      : Waitable(what_in), permits(permits_in) {}
  bool ready() const override { return permits > 0 && seats.empty(); }

  // Whether so many are there, and nobody waits for theirs.
  bool take(std::int64_t amount) {
    if (!seats.empty() || permits < amount) return false;
    permits -= amount;
    return true;
  }
  void hand_over() {
    while (!seats.empty() && seats.front()->amount <= permits) {
      permits -= seats.front()->amount;
      serve_first(seats);
    }
  }

  std::int64_t permits;
  Seats seats;
  std::shared_ptr<TaskState> owner;  // Of a mutex.
};

}  // namespace detail

namespace workflow {
namespace {

using detail::LockState;
using detail::refuse;
using detail::TaskState;

std::int64_t checked(std::int64_t permits, std::int64_t least, const char* call) {
  if (permits >= least) return permits;
  throw std::invalid_argument(absl::StrCat("chimera::workflow::", call, ": ", permits,
                                           " permits; it takes ", least, " or more"));
}

// False when the time is up first.
bool acquire(std::shared_ptr<LockState> state, std::int64_t amount, const char* call,
             std::optional<Duration> timeout) {
  detail::check_wait(*state, call);
  if (state->take(amount)) return true;
  detail::Seat seat{.amount = amount};
  struct Leave {  // Others may have waited for this one's turn only.
    LockState& state;
    const detail::Seat& seat;
    ~Leave() {
      const auto* const run = sdk::WorkflowRuntime::current_or_null();
      if (!seat.served && run != nullptr && !run->run().evicting) state.hand_over();
    }
  } const leave{*state, seat};
  if (!detail::take_seat(state->seats, seat, call, timeout)) return false;
  if (seat.refused) refuse(call, "it was destroyed while this task waited for it");
  return true;
}

// The task that runs; off the tasks there is none.
std::shared_ptr<TaskState> running(const LockState& state, const char* call) {
  TaskState* const task = sdk::run_of(state, call).scheduler().running();
  return task == nullptr ? nullptr : task->shared_from_this();
}

}  // namespace

Mutex::Mutex() : state_(std::make_shared<LockState>("Mutex", 1)) {}
Mutex::~Mutex() { sdk::refuse_all(*state_, state_->seats); }

void Mutex::lock() {
  constexpr char kCall[] = "Mutex::lock";
  const std::shared_ptr<LockState> state = state_;
  TaskState& task = sdk::waiting_task_of(*state, kCall);
  if (state->owner.get() == &task)
    refuse(kCall, "this task has it already, and would wait for ever");
  if (state->owner != nullptr && state->owner->finished)
    refuse(kCall, "the task that has it ended without unlocking it");
  acquire(state, 1, kCall, std::nullopt);
  state->owner = task.shared_from_this();
}

bool Mutex::try_lock() {
  constexpr char kCall[] = "Mutex::try_lock";
  if (!detail::may_change(*state_, kCall) || !state_->take(1)) return false;
  state_->owner = running(*state_, kCall);
  return true;
}

void Mutex::unlock() {
  constexpr char kCall[] = "Mutex::unlock";
  if (!detail::may_change(*state_, kCall)) return;
  if (state_->permits > 0 || state_->owner != running(*state_, kCall))
    refuse(kCall, "this task has not locked it");
  state_->owner = nullptr;
  state_->permits = 1;
  state_->hand_over();
}

Semaphore::Semaphore(std::int64_t permits)
    : state_(std::make_shared<LockState>("Semaphore", checked(permits, 0, "Semaphore"))) {}
Semaphore::~Semaphore() { sdk::refuse_all(*state_, state_->seats); }

void Semaphore::acquire(std::int64_t permits) {
  constexpr char kCall[] = "Semaphore::acquire";
  workflow::acquire(state_, checked(permits, 1, kCall), kCall, std::nullopt);
}

bool Semaphore::try_acquire(std::int64_t permits) {
  constexpr char kCall[] = "Semaphore::try_acquire";
  checked(permits, 1, kCall);
  return detail::may_change(*state_, kCall) && state_->take(permits);
}

bool Semaphore::acquire_for(Duration timeout, std::int64_t permits) {
  constexpr char kCall[] = "Semaphore::acquire_for";
  return workflow::acquire(state_, checked(permits, 1, kCall), kCall, timeout);
}

void Semaphore::release(std::int64_t permits) {
  constexpr char kCall[] = "Semaphore::release";
  checked(permits, 1, kCall);
  if (!detail::may_change(*state_, kCall)) return;
  if (permits > std::numeric_limits<std::int64_t>::max() - state_->permits) {
    throw std::invalid_argument(absl::StrCat("chimera::workflow::", kCall, ": ", permits,
                                             " permits beside the ", state_->permits,
                                             " that are there are more than it can count"));
  }
  state_->permits += permits;
  state_->hand_over();
}

}  // namespace workflow
}  // namespace chimera
