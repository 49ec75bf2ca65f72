#include "core/base/executor.h"

#include <thread>
#include <utility>

namespace chimera::base {
namespace {

class ThreadStrand final : public Strand {
 public:
  explicit ThreadStrand(absl::AnyInvocable<void()> after_work)
      : after_work_(std::move(after_work)), thread_([this] { loop(); }) {}

  void post(Work work) override { inbox_.push(std::move(work)); }
  void stop() override {
    inbox_.push([this] { stopping_ = true; });
    thread_.join();
  }
  std::optional<pthread_t> thread() const override { return thread_.native_handle(); }

 private:
  void loop() {
    while (!stopping_) {
      inbox_.wait();
      if (inbox_.run_all()) after_work_();
    }
  }

  Inbox inbox_;
  absl::AnyInvocable<void()> after_work_;
  bool stopping_ = false;  // The strand's own.
  mutable std::thread thread_;
};

class ThreadExecutor final : public Executor {
 public:
  std::shared_ptr<Strand> strand(absl::AnyInvocable<void()> after_work) override {
    return std::make_shared<ThreadStrand>(std::move(after_work));
  }
};

}  // namespace

Executor& thread_executor() {
  static ThreadExecutor& executor = *new ThreadExecutor;
  return executor;
}

}  // namespace chimera::base
