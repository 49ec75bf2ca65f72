// What SIGTERM does to the workers of a process.
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/live/live.h"

namespace chimera::live {
namespace shutdown_test {

struct Answers {
  std::string run() { return "here"; }
};

class ShutdownLive : public Live {};

TEST_P(ShutdownLive, OneSignalDrainsEveryWorkerOfTheProcess) {
  const auto answers = define_workflow<&Answers::run>("Answers");
  registry().add(answers);  // For the replay at the end.
  Client& shared = client();
  std::vector<std::thread> running;
  for (const char* name : {"-a", "-b"}) {
    WorkerOptions with;
    with.task_queue = queue() + name;
    with.max_cached_workflows = GetParam();
    running.emplace_back([&shared, &answers, with] {
      Worker worker(shared, with);
      worker.add(answers);
      worker.run();
    });
  }
  for (const char* name : {"-a", "-b"}) {  // Both poll, so both listen.
    WorkflowOptions with = options();
    with.task_queue = queue() + name;
    EXPECT_EQ(shared.start_workflow<&Answers::run>(with).result(), "here");
  }

  std::raise(SIGTERM);

  for (std::thread& each : running) each.join();
}

INSTANTIATE_TEST_SUITE_P(, ShutdownLive, testing::Values(1000, 0),
                         [](const auto& info) { return info.param == 0 ? "uncached" : "cached"; });

}  // namespace shutdown_test
}  // namespace chimera::live
