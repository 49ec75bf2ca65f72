#include "sdk-cpp/src/operations/timer.h"

namespace chimera::sdk {

struct Timers::Timer final : Operation {
  explicit Timer(Pending<Operation>& pending_in) : pending(pending_in) {}
  void ask_to_end(Run& run) override {  // Which it does at once.
    pending.take(seq);
    done = true;
    run.add_command(core::CancelTimer{seq});
  }
  bool leaves_at_once() const override { return true; }

  Pending<Operation>& pending;
};

OperationPtr Timers::start(Duration duration) {
  const auto timer = std::make_shared<Timer>(pending_);
  pending_.add(timer);
  run_.add_command(core::StartTimer{timer->seq, duration});
  return timer;
}

void Timers::apply(const core::FireTimer& job) {
  // None: it was cancelled earlier in this activation.
  if (const OperationPtr timer = pending_.take(job.seq)) scheduler_.resolve(*timer, nullptr);
}

}  // namespace chimera::sdk
