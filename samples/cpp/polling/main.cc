// polling                    a demonstration, on a server in this process whose time skips
// polling worker HOST:PORT   serves the task queue "polling" until Ctrl-C
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "polling.h"

namespace {

void demonstrate() {
  chimera::TestEnvironment environment;
  const chimera::Client& client = environment.client();
  polling::Reports reports(5, std::chrono::milliseconds(10));
  chimera::Worker worker(client, {.task_queue = polling::kTaskQueue});
  polling::add_to(worker, reports);
  worker.start();
  const auto options = [](const char* id) {
    return chimera::WorkflowOptions{.id = id, .task_queue = polling::kTaskQueue};
  };
  std::puts(client.execute_workflow<polling::kOftenPolling>(options("often"), "A").c_str());
  std::puts(client.execute_workflow<polling::kSeldomPolling>(options("seldom"), "B").c_str());
  std::puts(client.execute_workflow<polling::kSequencePolling>(options("sequence"), 10).c_str());
  std::printf("asked: %d, %d, %d\n", reports.asked("A"), reports.asked("B"), reports.asked("3"));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 1) {
      demonstrate();
      return 0;
    }
    if (argc == 3 && std::string(argv[1]) == "worker") {
      auto client = chimera::Client::connect({.target_host = argv[2]});
      polling::Reports reports(5);
      chimera::Worker worker(client, {.task_queue = polling::kTaskQueue});
      polling::add_to(worker, reports);
      worker.run();
      return 0;
    }
    std::fprintf(stderr, "polling | polling worker HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "polling: %s\n", error.what());
    return 1;
  }
}
