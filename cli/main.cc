// The program `chimera`: embedded server, worker host, tools.
#include "cli/command.h"

int main(int argc, char** argv) {
  chimera::cli::CommandLine line(
      "Chimera: Temporal workflows and activities in C++ and Python, in one worker.");
  line.add_version("chimera " CHIMERA_VERSION);
  chimera::cli::Command program = line.program();
  program.require_subcommand();
  chimera::cli::add_server(program);
  chimera::cli::add_worker(program);
  chimera::cli::add_workflow(program);
  return line.run(argc, argv, chimera::cli::kMisused);
}
