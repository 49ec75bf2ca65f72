// HandExecutor, strands that run when the test says so, all on its thread.
#ifndef CHIMERA_TESTS_SUPPORT_HAND_EXECUTOR_H_
#define CHIMERA_TESTS_SUPPORT_HAND_EXECUTOR_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/executor.h"

namespace chimera::testing {

class HandExecutor : public base::Executor {
 public:
  std::shared_ptr<base::Strand> strand(std::function<base::Strand::Next()> after_work) override {
    strands_.push_back(std::make_shared<HandStrand>(std::move(after_work)));
    return strands_.back();
  }

  // Until nothing is left to do. A strand whose work is under way, further up, is passed over.
  void run() {
    for (bool ran = true; ran;) {
      ran = false;
      for (std::size_t i = 0; i < strands_.size(); ++i) {  // Work may add strands.
        const std::shared_ptr<HandStrand> strand = strands_[i];
        while (strand->run_one()) ran = true;
      }
    }
  }

 private:
  class HandStrand : public base::Strand {
   public:
    explicit HandStrand(std::function<Next()> after_work) : after_work_(std::move(after_work)) {}
    void post(base::Work work) override {
      if (!stopped_) queue_.push_back(std::move(work));
    }
    void stop() override {
      while (run_one()) {
      }
      stopped_ = true;
    }
    std::optional<pthread_t> thread() const override { return std::nullopt; }

    bool run_one() {
      if (running_ || stopped_ || (queue_.empty() && !again_)) return false;
      running_ = true;
      if (!queue_.empty()) {
        base::Work work = std::move(queue_.front());
        queue_.pop_front();
        std::move(work)();
      }
      again_ = after_work_ && after_work_() == Next::kAgain;
      running_ = false;
      return true;
    }

   private:
    const std::function<Next()> after_work_;
    std::deque<base::Work> queue_;
    bool running_ = false, again_ = false, stopped_ = false;
  };

  std::vector<std::shared_ptr<HandStrand>> strands_;
};

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_HAND_EXECUTOR_H_
