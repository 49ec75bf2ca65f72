// Live, the fixture of tests that run workflows as users do: a client, one worker on a task queue
// of the test's own, and a server. Each test runs with a cache and without one, where every task
// replays the whole history; at its end all its histories go through the Replayer as JSON. The
// test's thread; activities and workflows run on the worker's.
#ifndef CHIMERA_TESTS_LIVE_LIVE_H_
#define CHIMERA_TESTS_LIVE_LIVE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace chimera::live {

using namespace std::chrono_literals;

struct Target {
  std::string address;
  bool genuine = false;
  std::string genuine_version;  // "1.29.1"; empty for the embedded one.
  bool ends_polls = false;      // Answers the open polls of a worker that says goodbye.
};
const Target& target();  // The server of this program.
// Whether it is the genuine server of this version, "1.29" for instance.
bool server_is(const std::string& version);
// Starts the server, runs the tests, stops it: the embedded one, with --genuine the real dev server
// (CHIMERA_TEMPORAL_CLI), with --address HOST:PORT one that runs already.
int run_tests(int argc, char** argv);

class Live : public testing::TestWithParam<std::size_t> {
 protected:
  Live();
  ~Live() override;
  void TearDown() override;

  // Before the worker starts: what it serves and how.
  Registry& registry() { return registry_; }
  WorkerOptions& worker_options() { return options_; }
  ClientOptions& client_options() { return client_options_; }
  void start_worker();
  void stop_worker();  // And waits until it has drained.

  Client& client();
  const std::string& queue() const { return queue_; }
  WorkflowOptions options();  // With an id of its own.
  // For code that does not do again what it did: the test changed it meanwhile, or it is broken.
  void do_not_replay() { replays_ = false; }

  template <auto Run, class... A>
  auto start(const A&... arguments) {
    const WorkflowOptions with = options();
    return client().start_workflow<Run>(with, arguments...);
  }
  template <auto Run, class... A>
  auto execute(const A&... arguments) {
    return start<Run>(arguments...).result();
  }

  // Until the condition holds; fails the test after half a minute.
  static void eventually(const std::function<bool()>& condition, const char* what);
  // The events of this kind in a history, by the name that the JSON has: "TIMER_STARTED".
  static int count_events(const std::string& history, const std::string& kind);

 private:
  const std::string queue_;
  ClientOptions client_options_;
  WorkerOptions options_;
  Registry registry_;
  std::optional<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::vector<std::string> ids_;
  bool replays_ = true;
};

// What a workflow ended with; the test fails if it completed.
template <class R>
WorkflowFailureError failure_of(const WorkflowHandle<R>& handle) {
  try {
    handle.result();
  } catch (const WorkflowFailureError& error) {
    return error;
  }
  ADD_FAILURE() << handle.id() << " completed";
  return WorkflowFailureError(std::make_shared<const ApplicationError>("completed"));
}

inline std::string cache_name(const testing::TestParamInfo<std::size_t>& info) {
  return info.param == 0 ? "uncached" : "cached";
}

// One fixture of this name, run with and without a cache.
#define CHIMERA_LIVE(fixture)                                                             \
  class fixture : public Live {};                                                         \
  INSTANTIATE_TEST_SUITE_P(, fixture, testing::Values(std::size_t{1000}, std::size_t{0}), \
                           cache_name)

}  // namespace chimera::live

#endif  // CHIMERA_TESTS_LIVE_LIVE_H_
