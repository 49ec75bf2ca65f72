// WorkerArguments, what `chimera worker` is told on its command line. Two programs read it:
// `chimera`, and `chimera-worker`, which it becomes where only C++ libraries run.
#ifndef CHIMERA_CLI_WORKER_ARGUMENTS_H_
#define CHIMERA_CLI_WORKER_ARGUMENTS_H_

#include <string>
#include <vector>

#include "cli/command.h"
#include "host/native_host.h"

namespace chimera::cli {

struct WorkerArguments {
  ServerAddress server;
  host::HostOptions host;
  std::string python = "python3";
  double grace_s = 0;
  std::vector<std::string> code;

  void add_to(Command command);
  // Says what is wrong and ends the command; completes host.worker.
  void check();
  bool with_python() const;
  // The same words for the program that does the work; without `python`, which only we need.
  std::vector<std::string> words() const;
};

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_WORKER_ARGUMENTS_H_
