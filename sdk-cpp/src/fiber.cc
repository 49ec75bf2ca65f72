#include "sdk-cpp/src/fiber.h"

#include <utility>

#include "boost/context/detail/fcontext.hpp"
#include <cxxabi.h>

#include "core/base/check.h"
#include "sdk-cpp/src/conversion.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/frames.h"
#include "sdk-cpp/src/sanitizers.h"

namespace chimera::sdk {

namespace context = boost::context::detail;

namespace {
thread_local Fiber* current_fiber = nullptr;
}  // namespace

// The first frame on a fiber's stack.
struct FiberEntry {
  static void run(context::transfer_t from) {
    Fiber& self = *static_cast<Fiber*>(from.data);
    self.caller_ = from.fctx;
#ifdef CHIMERA_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self.caller_bottom_, &self.caller_size_);
#endif
    self.body_();
    self.done_ = true;
    self.switch_out(/*last=*/true);
    __builtin_unreachable();
  }
};

Fiber::Fiber(std::function<void()> body, const std::string& owner, StackPool& stacks, bool brief)
    : body_(std::move(body)), owner_(owner), stacks_(stacks), brief_(brief) {}

Fiber::~Fiber() {
  CHIMERA_CHECK(done_ || !started_ || abandoned_, owner_);
  if (stack_.low != nullptr && !abandoned_) stacks_.give(stack_, brief_);
#ifdef CHIMERA_TSAN
  if (sanitizer_fiber_ != nullptr && !abandoned_) __tsan_destroy_fiber(sanitizer_fiber_);
#endif
}

Fiber* Fiber::current() { return current_fiber; }

absl::Status Fiber::prepare() {
  if (stack_.low != nullptr) return absl::OkStatus();
  const absl::StatusOr<Stack> stack = stacks_.take();
  if (!stack.ok()) return stack.status();
  stack_ = *stack;
  return absl::OkStatus();
}

void Fiber::resume() {
  CHIMERA_CHECK(current_fiber == nullptr && !done_ && !abandoned_ && stack_.low != nullptr, owner_);
  if (!started_) {
    started_ = true;
    context_ = context::make_fcontext(stack_.low + stack_.size, stack_.size, &FiberEntry::run);
#ifdef CHIMERA_TSAN
    sanitizer_fiber_ = __tsan_create_fiber(0);
#endif
  }
  prepare_crash_report();  // Its lane may have another thread than last time.
  current_fiber = this;
  const Running before = set_running({&owner_, &stack_, &Fiber::leave, &Fiber::leave_by_exception});
  const ValueContext* const converted = set_converting(converting_);
  switch_in();
  converting_ = set_converting(converted);
  set_running(before);
  current_fiber = nullptr;
}

void Fiber::switch_in() {
  auto* globals = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  const ExceptionState ours = std::exchange(*globals, exceptions_);
#ifdef CHIMERA_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_.low, stack_.size);
#endif
#ifdef CHIMERA_TSAN
  sanitizer_caller_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(sanitizer_fiber_, 0);
#endif
  context_ = context::jump_fcontext(context_, this).fctx;
#ifdef CHIMERA_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  exceptions_ = std::exchange(*globals, ours);
}

void Fiber::switch_out(bool last) {
  // Code without -fstack-clash-protection may have stepped over the guard.
  const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
  if (here < stack_.low) report_overflow();
#ifdef CHIMERA_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack_, caller_bottom_, caller_size_);
#endif
#ifdef CHIMERA_TSAN
  __tsan_switch_to_fiber(sanitizer_caller_, 0);
#endif
  caller_ = context::jump_fcontext(caller_, nullptr).fctx;
#ifdef CHIMERA_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_size_);
#endif
}

std::size_t Fiber::give_up_stack() const {
  CHIMERA_CHECK(abandoned_, owner_);
  StackPool::give_up(stack_);
  return stack_.size;
}

void Fiber::leave() {
  Fiber& self = *current_fiber;
  self.overflowed_ = self.abandoned_ = true;
  context::jump_fcontext(self.caller_, nullptr);
  __builtin_unreachable();
}

void Fiber::abandon_here(std::string why) {
  Fiber& self = *current_fiber;
  self.given_up_ = {std::move(why), frames_here()};
  self.abandoned_ = true;
  self.switch_out(/*last=*/true);
  __builtin_unreachable();
}

// In the terminate handler, below which the frames still stand.
void Fiber::leave_by_exception() {
  std::string why = describe_current();
  abi::__cxa_end_catch();  // What was thrown is of no use any more.
  abandon_here(std::move(why));
}

void Fiber::suspend() {
  CHIMERA_CHECK(current_fiber != nullptr, "suspend() needs a fiber");
  current_fiber->switch_out(/*last=*/false);
}

}  // namespace chimera::sdk
