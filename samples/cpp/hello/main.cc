// hello worker [HOST:PORT]        serves the task queue "hello" until Ctrl-C
// hello NAME [HOST:PORT]          runs the workflow for NAME and prints its greeting
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "hello.h"

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "worker";
  const std::string address = argc > 2 ? argv[2] : "localhost:7233";
  try {
    auto client = chimera::Client::connect({.target_host = address});
    if (what == "worker") {
      chimera::Worker worker(client, {.task_queue = "hello"});
      worker.add(hello::kGreeting).add(hello::kComposeGreeting);
      worker.run();
    } else {
      const std::string greeting = client.execute_workflow<&hello::GreetingWorkflow::run>(
          {.id = "hello-" + what, .task_queue = "hello"}, what);
      std::printf("%s\n", greeting.c_str());
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hello: %s\n", error.what());
    return 1;
  }
}
