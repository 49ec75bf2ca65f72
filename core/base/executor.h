// Executor, who runs what must be done one thing at a time: each Strand is such an order of work.
// The real one gives every strand a thread; a simulation runs all of them on one, as it likes.
#ifndef CHIMERA_CORE_BASE_EXECUTOR_H_
#define CHIMERA_CORE_BASE_EXECUTOR_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include <pthread.h>

#include "core/base/inbox.h"

namespace chimera::base {

class Strand {
 public:
  // What a strand does when its `after_work` has run: waits for more, runs that again first, or
  // lets go of this thread, which is not its own any more (aside()).
  enum class Next { kWait, kAgain, kLeave };

  virtual ~Strand() = default;  // Requires stop().
  // Any thread. Work runs one at a time in order of posting, never inside this call. What is posted
  // after stop() never runs.
  virtual void post(Work work) = 0;
  // Returns when what was posted before has run. Not from the strand itself; once.
  virtual void stop() = 0;
  // In `after_work` only: runs code that mostly ends at once. Where it lasts, the strand may go on
  // in another thread: `relieved` runs then, on a thread of the strand's environment; this returns
  // false when the code has ended, and the caller touches nothing that is the strand's, but returns
  // kLeave at once.
  virtual bool aside(absl::FunctionRef<void()> work, Work relieved = nullptr) {
    static_cast<void>(relieved);
    work();
    return true;
  }
  // The strand's own thread, to look at its stack; nothing where it has none.
  virtual std::optional<pthread_t> thread() const = 0;
};

// Any thread.
class Executor {
 public:
  virtual ~Executor() = default;  // Outlives its strands.
  // `after_work` runs on the strand whenever some of its work has run.
  virtual std::shared_ptr<Strand> strand(std::function<Strand::Next()> after_work = nullptr) = 0;
};

// A thread for each strand. Lives for ever.
Executor& thread_executor();

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_EXECUTOR_H_
