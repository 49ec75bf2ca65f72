// ActivityEnvironment, what an activity sees of its worker, without a worker or a server.
//
//   chimera::ActivityEnvironment env;
//   env.info.attempt = 2;
//   EXPECT_EQ(env.run<&compress>("a.txt"), 17);
//   EXPECT_EQ(env.heartbeats().back().get<int>(), 100);
#ifndef CHIMERA_TESTING_ACTIVITY_ENVIRONMENT_H_
#define CHIMERA_TESTING_ACTIVITY_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/activity.h"
#include "chimera/definition.h"

namespace chimera {

// run() calls the function on the caller's thread: nothing is converted, and what it throws comes
// out as it was thrown, CompleteAsync of raise_complete_async() included. Heartbeat details are
// converted, as they are by a worker. Any thread; info and on_heartbeat are to be set before run().
class ActivityEnvironment {
 public:
  ActivityEnvironment();
  ~ActivityEnvironment();
  ActivityEnvironment(const ActivityEnvironment&) = delete;
  ActivityEnvironment& operator=(const ActivityEnvironment&) = delete;

  // What activity::info() gives. An empty activity_type is the function's name.
  activity::Info info;
  // Called with each heartbeat, on the thread that beats (of an AutoHeartbeat, one of the
  // process's); it may call cancel().
  std::function<void(const Details& details)> on_heartbeat;

  // A function: env.run<&compress>(path). Its parameters take what they take in C++.
  template <auto F, class = decltype(F), class... A>
    requires(detail::FunctionPointer<F> && std::is_void_v<detail::ClassOf<F>>)
  decltype(auto) run(A&&... arguments) {
    const Running running(*this, reflect::kFunctionName<F>);
    return F(std::forward<A>(arguments)...);
  }
  // A method: env.run<&Bank::charge>(bank, order).
  template <auto F, class = decltype(F), class C, class... A>
    requires std::is_base_of_v<detail::ClassOf<F>, std::remove_cvref_t<C>>
  decltype(auto) run(C&& object, A&&... arguments) {
    const Running running(*this, reflect::kFunctionName<F>);
    return (std::forward<C>(object).*F)(std::forward<A>(arguments)...);
  }
  // Any code, such as a lambda.
  template <class F, class... A>
    requires std::is_invocable_v<F, A...>
  decltype(auto) run(F&& function, A&&... arguments) {
    const Running running(*this, "");
    return std::invoke(std::forward<F>(function), std::forward<A>(arguments)...);
  }

  // Asks what runs, and what is run later, to stop, and says why: cancel({.timed_out = true}).
  // Reasons add up.
  void cancel(const activity::CancellationDetails& why = {.cancel_requested = true});
  // The worker begins to end, for what runs and what is run later: is_worker_shutdown().
  void worker_shutdown();
  // The details of all heartbeats so far.
  std::vector<Details> heartbeats() const;

 private:
  class Handle;
  struct State;

  // The activity's context on this thread.
  class Running {
   public:
    Running(ActivityEnvironment& env, std::string_view activity_type);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    struct Context;
    ActivityEnvironment& env_;
    const std::unique_ptr<Context> context_;
  };

  const std::shared_ptr<State> state_;  // Shared with the contexts of what runs.
};

}  // namespace chimera

#endif  // CHIMERA_TESTING_ACTIVITY_ENVIRONMENT_H_
