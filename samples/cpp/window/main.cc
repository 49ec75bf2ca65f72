// window                    120 records, ten at a time, on a server in this process
// window worker HOST:PORT   serves the task queue "window" until Ctrl-C
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "window.h"

namespace {

void demonstrate() {
  chimera::TestEnvironment environment;
  window::Records records;
  records.set_broken(17);
  chimera::Worker worker(environment.client(), {.task_queue = window::kTaskQueue});
  window::add_to(worker, records);
  worker.start();
  const window::Batch batch = environment.client().execute_workflow<window::kSlidingWindow>(
      {.id = "batch-1", .task_queue = window::kTaskQueue}, window::Batch{.records = 120});
  std::printf("done: %lld, failed: %lld, runs: %lld\n", static_cast<long long>(batch.done),
              static_cast<long long>(batch.failed), static_cast<long long>(batch.runs));
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
      window::Records records;
      chimera::Worker worker(client, {.task_queue = window::kTaskQueue});
      window::add_to(worker, records);
      worker.run();
      return 0;
    }
    std::fprintf(stderr, "window | window worker HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "window: %s\n", error.what());
    return 1;
  }
}
