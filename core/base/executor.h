// Executor, who runs what must be done one thing at a time: each Strand is such an order of work.
// The real one gives every strand a thread; a simulation runs all of them on one, as it likes.
#ifndef CHIMERA_CORE_BASE_EXECUTOR_H_
#define CHIMERA_CORE_BASE_EXECUTOR_H_

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include <pthread.h>

#include "core/base/inbox.h"

namespace chimera::base {

class Strand {
 public:
  virtual ~Strand() = default;  // Requires stop().
  // Any thread. Work runs one at a time in order of posting, never inside this call. What is posted
  // after stop() never runs.
  virtual void post(Work work) = 0;
  // Returns when what was posted before has run. Not from the strand itself; once.
  virtual void stop() = 0;
  // The strand's own thread, to look at its stack; nothing where it has none.
  virtual std::optional<pthread_t> thread() const = 0;
};

// Any thread.
class Executor {
 public:
  virtual ~Executor() = default;  // Outlives its strands.
  // `after_work` runs on the strand whenever some of its work has run.
  virtual std::shared_ptr<Strand> strand(absl::AnyInvocable<void()> after_work) = 0;
};

// A thread for each strand. Lives for ever.
Executor& thread_executor();

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_EXECUTOR_H_
