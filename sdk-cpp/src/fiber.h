// Fiber, a call stack that can be parked: what lets a workflow be ordinary blocking code. Each has
// its own C++ exception state, so that code may wait inside catch and while an exception is under
// way. Not thread safe: the run's lane makes, resumes and destroys it. Between two waits the lane
// may get another thread, so nothing that belongs to a thread is kept across suspend().
#ifndef CHIMERA_SDK_CPP_SRC_FIBER_H_
#define CHIMERA_SDK_CPP_SRC_FIBER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

class ValueContext;  // conversion.h

class Fiber {
 public:
  // `body` must not let an exception out. `owner` names it in crash reports. It and the pool are
  // borrowed. A `brief` one ends without being parked, and another follows soon.
  Fiber(std::function<void()> body, const std::string& owner, StackPool& stacks,
        bool brief = false);
  ~Fiber();  // Requires done(), !started() or abandon().
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Takes its stack, without which it cannot run. Cheap when called again.
  absl::Status prepare();
  // Runs the body until it suspends or ends. Not on a fiber; requires prepare().
  void resume();
  // Parks the fiber that calls; returns when it is resumed.
  static void suspend();
  static Fiber* current();

  bool started() const { return started_; }
  bool done() const { return done_; }
  // Gives the fiber up where it is parked: its stack is leaked and nothing on it is destroyed.
  void abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }
  // The fiber that calls abandons itself, for a reason in words. So does one where an exception
  // cannot leave a destructor or a noexcept function, which would end the process.
  [[noreturn]] static void abandon_here(std::string why);
  struct Given {
    std::string why;            // Empty unless it has abandoned itself.
    std::vector<void*> frames;  // Where it stood.
  };
  const Given& given_up() const { return given_up_; }
  // Its code ran out of stack, and was left where it was. It is abandoned; what it was changing may
  // be in any state.
  bool overflowed() const { return overflowed_; }
  // Of an abandoned one: its memory, of which nothing may be used any more. Says how much it was.
  std::size_t give_up_stack() const;

 private:
  // What __cxa_get_globals() points to (Itanium C++ ABI, 2.2.2): boost.context does not switch it.
  struct ExceptionState {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  void switch_in();
  void switch_out(bool last);
  static void leave();
  static void leave_by_exception();
  friend struct FiberEntry;

  std::function<void()> body_;
  const std::string& owner_;
  StackPool& stacks_;
  const bool brief_;
  Stack stack_;
  void* context_ = nullptr;  // The fiber's, while it is parked.
  void* caller_ = nullptr;   // The resumer's, while the fiber runs.
  ExceptionState exceptions_;
  bool started_ = false, done_ = false, abandoned_ = false, overflowed_ = false;
  Given given_up_;
  void* sanitizer_fiber_ = nullptr;  // TSan's name for it.
  void* sanitizer_caller_ = nullptr;
  void* fake_stack_ = nullptr;                // ASan's, while parked.
  const ValueContext* converting_ = nullptr;  // While parked: each fiber has its own.
  const void* caller_bottom_ = nullptr;
  std::size_t caller_size_ = 0;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_FIBER_H_
