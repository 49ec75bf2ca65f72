#include "sdk-cpp/src/operations/timer.h"

namespace chimera::sdk {

struct Timers::Timer final : Operation {
  explicit Timer(Pending<Operation>& pending_in) : pending(pending_in) {}
  void ask_to_end(Run& run) override {  // Which it does at once.
    pending.take(seq);
    done = true;
    static const std::shared_ptr<const FailureError> cancelled =
        std::make_shared<const CancelledError>();
    failure = cancelled;
    run.add_command(core::CancelTimer{seq});
  }
  bool leaves_at_once() const override { return true; }

  Pending<Operation>& pending;
};

OperationPtr Timers::start(Duration duration, std::string_view summary) {
  const auto timer = std::make_shared<Timer>(pending_);
  pending_.add(timer);
  run_.add_command(core::StartTimer{timer->seq, duration}, summary);
  return timer;
}

OperationPtr Timers::call(StartTimerInput& input) {
  if (!run_.may_change(input.kCall) || input.duration.count() > 0)
    return start(input.duration, input.summary);
  const auto timer = std::make_shared<Timer>(pending_);
  timer->done = true;
  return timer;
}

void Timers::apply(const core::FireTimer& job) {
  // None: it was cancelled earlier in this activation.
  if (const OperationPtr timer = pending_.take(job.seq)) scheduler_.resolve(*timer, nullptr);
}

}  // namespace chimera::sdk
