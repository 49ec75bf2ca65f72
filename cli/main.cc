// The program `chimera`: embedded server, worker host, tools.
#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "cli/command.h"

int main(int argc, char** argv) {
  CLI::App app{"Chimera: Temporal workflows and activities in C++ and Python, in one worker."};
  app.set_version_flag("--version", "chimera " CHIMERA_VERSION);
  app.require_subcommand(1);
  chimera::cli::add_server(app);
  chimera::cli::add_worker(app);
  chimera::cli::add_workflow(app);
  return chimera::cli::run(app, argc, argv);
}
