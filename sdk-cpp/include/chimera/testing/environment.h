// TestEnvironment, a Temporal server in this process and a client of it, for tests of workflows:
// nothing is installed, nothing listens unless it is asked to, and time skips. Works from any test
// framework.
//
//   chimera::TestEnvironment env;
//   chimera::Worker worker(env.client(), {.task_queue = "bills"});
//   worker.add(kReminder);
//   worker.start();
//   EXPECT_EQ(env.client().execute_workflow<kReminder>({.id = "1", .task_queue = "bills"}), "ok");
#ifndef CHIMERA_TESTING_ENVIRONMENT_H_
#define CHIMERA_TESTING_ENVIRONMENT_H_

#include <map>
#include <memory>
#include <string>

#include "chimera/client.h"
#include "chimera/options.h"

namespace chimera {

struct TestEnvironmentOptions {
  // Whether time jumps to the next timer, retry or timeout while a result is awaited and nobody
  // works: docs/testing.md has the rules. Else it is the machine's.
  bool time_skipping = true;
  // Of client(). Refused with std::invalid_argument: what is about the way to a server elsewhere
  // (target_host, tls, api_key).
  ClientOptions client = {};
  std::map<std::string, std::string> search_attributes = {};  // Name -> type: Keyword, Int, ...
  // On this machine's loopback, too, at any free port: for other programs, such as the CLI.
  bool listens = false;
};

// Its server ends with it: workers of its client must have been destroyed before. Any thread, but
// for construction and destruction; not from workflow code.
class TestEnvironment {
 public:
  // Blocks until the server is there, a few milliseconds. Throws std::invalid_argument, RpcError.
  explicit TestEnvironment(const TestEnvironmentOptions& options = {});
  ~TestEnvironment();
  TestEnvironment(const TestEnvironment&) = delete;
  TestEnvironment& operator=(const TestEnvironment&) = delete;

  // Copies of it work until the environment is gone; then their calls fail.
  Client& client();
  // The server's time. Where it skips, it is often far ahead of the machine's.
  Time now() const;
  // Until its time has gone on so far: at once where it skips and nobody works. Not negative.
  void sleep(Duration time);
  // By the workflow's clock, if it has one of its own (a time_skipping_config); else now().
  template <class R>
  Time now(const WorkflowHandle<R>& workflow) const {
    return clock_of(workflow.id(), workflow.run_id());
  }
  // Lets the clock of this one workflow go on by so much and waits until it has, also through runs
  // that follow; then it keeps the real time again. A workflow that has no clock of its own gets
  // one. The configuration counts from now on. False: it ended before. Throws std::invalid_argument
  // for a time that is not positive, std::runtime_error if it cannot get there: another call has
  // taken the place of this one, or the clock may skip no more; RpcError.
  template <class R>
  bool fast_forward(const WorkflowHandle<R>& workflow, Duration time,
                    const TimeSkippingConfig& config = {}) {
    return forward_clock(workflow.id(), workflow.run_id(), time, config);
  }
  // HOST:PORT; empty where it does not listen.
  std::string address() const;

  // While one lives, results take their time: time does not skip for them.
  class RealTime {
   public:
    ~RealTime();
    RealTime(const RealTime&) = delete;
    RealTime& operator=(const RealTime&) = delete;

   private:
    friend class TestEnvironment;
    explicit RealTime(TestEnvironment& env);
    TestEnvironment& env_;
  };
  [[nodiscard]] RealTime real_time() { return RealTime(*this); }

 private:
  friend class TestWorker;
  // Of an activity that runs, on its thread.
  void rest_activity(Duration time);
  Time clock_of(const std::string& id, const std::string& run_id) const;
  bool forward_clock(const std::string& id, const std::string& run_id, Duration time,
                     const TimeSkippingConfig& config);

  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_TESTING_ENVIRONMENT_H_
