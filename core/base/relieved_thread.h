// RelievedThread, a loop that one thread at a time runs. The loop may run other code aside, which
// mostly ends at once: no thread has to wake up for it. Where it lasts, another thread takes the
// loop over, and the one that is held up leaves it when it comes back.
#ifndef CHIMERA_CORE_BASE_RELIEVED_THREAD_H_
#define CHIMERA_CORE_BASE_RELIEVED_THREAD_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"

namespace chimera::base {

class RelievedThread {
 public:
  // What is run aside holds the loop up for this long, twice as long at most.
  // A timer looks after it as often.
  static constexpr std::chrono::milliseconds kPatience{4};

  // Borrows the timers; they outlive this. `loop` runs until it is told to end, by its own means,
  // and returns at once when aside() returns false.
  RelievedThread(Timers& timers, std::function<void()> loop);
  ~RelievedThread();  // Requires joined or never started.
  RelievedThread(const RelievedThread&) = delete;
  RelievedThread& operator=(const RelievedThread&) = delete;

  void start();
  // Waits for all threads: the loop's, and those that were relieved. Not on one of them.
  void join();
  // On the loop's thread. False: another thread runs the loop now. `relieved` runs when one takes
  // it over, on the timers' thread, while `work` lasts.
  bool aside(absl::FunctionRef<void()> work, absl::AnyInvocable<void() &&> relieved = nullptr);
  // The thread that runs the loop. Any thread.
  std::thread::native_handle_type native_handle() const;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_RELIEVED_THREAD_H_
