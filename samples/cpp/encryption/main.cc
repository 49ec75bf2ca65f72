// encryption worker HOST:PORT         serves the task queue "encryption" until Ctrl-C
// encryption greet NAME HOST:PORT     starts a workflow and prints its result
// encryption codec-server HOST:PORT   decodes for the Web UI and the CLI until Ctrl-C
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/codec_server.h"
#include "encryption.h"

namespace {

void work(const std::string& address) {
  chimera::Worker worker(chimera::Client::connect(encryption::options(address)),
                         {.task_queue = encryption::kTaskQueue});
  encryption::add_to(worker);
  worker.run();
}

void greet(const std::string& name, const std::string& address) {
  const auto client = chimera::Client::connect(encryption::options(address));
  const std::string greeting = client.execute_workflow<encryption::kGreeting>(
      {.id = "greeting-" + name, .task_queue = encryption::kTaskQueue}, name);
  std::puts(greeting.c_str());
}

// Whoever can reach it reads everything: a real one asks who it is that calls (authorize).
void serve_codec(const std::string& address) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // Before it has threads.
  const chimera::CodecServer server({.bind_address = address,
                                     .codec = encryption::codec(),
                                     .allowed_origins = {"http://localhost:8233"}});
  int signal = 0;
  sigwait(&ends, &signal);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  try {
    if (argc == 3 && command == "worker") return work(argv[2]), 0;
    if (argc == 4 && command == "greet") return greet(argv[2], argv[3]), 0;
    if (argc == 3 && command == "codec-server") return serve_codec(argv[2]), 0;
    std::fprintf(stderr,
                 "encryption worker HOST:PORT | encryption greet NAME HOST:PORT | "
                 "encryption codec-server HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encryption: %s\n", error.what());
    return 1;
  }
}
