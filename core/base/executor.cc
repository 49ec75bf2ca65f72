#include "core/base/executor.h"

#include <atomic>
#include <utility>

#include "core/base/relieved_thread.h"

namespace chimera::base {
namespace {

class ThreadStrand final : public Strand {
 public:
  explicit ThreadStrand(std::function<Next()> after_work)
      : after_work_(std::move(after_work)), thread_(system_timers(), [this] { loop(); }) {
    thread_.start();
  }

  void post(Work work) override { inbox_.push(std::move(work)); }
  void stop() override {
    inbox_.push([this] { stopping_ = true; });
    thread_.join();
  }
  bool aside(absl::FunctionRef<void()> work, Work relieved) override {
    return thread_.aside(work, std::move(relieved));
  }
  std::optional<pthread_t> thread() const override { return thread_.native_handle(); }

 private:
  void loop() {
    // A thread that takes over goes on with what `after_work` has left: nothing new may come.
    Next next = begun_.exchange(true) ? Next::kAgain : Next::kWait;
    while (!stopping_) {
      if (next == Next::kWait) inbox_.wait();
      const bool worked = inbox_.run_all();
      if (after_work_ && (worked || next == Next::kAgain)) next = after_work_();
      if (next == Next::kLeave) return;
    }
  }

  Inbox inbox_;
  const std::function<Next()> after_work_;
  std::atomic<bool> begun_{false};
  bool stopping_ = false;  // The strand's own.
  RelievedThread thread_;
};

class ThreadExecutor final : public Executor {
 public:
  std::shared_ptr<Strand> strand(std::function<Strand::Next()> after_work) override {
    return std::make_shared<ThreadStrand>(std::move(after_work));
  }
};

}  // namespace

Executor& thread_executor() {
  static ThreadExecutor& executor = *new ThreadExecutor;
  return executor;
}

}  // namespace chimera::base
