// The program `chimera`: embedded server, worker host, tools.
#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Error.hpp"
#include "CLI/Formatter.hpp"
#include "cli/command.h"

int main(int argc, char** argv) {
  CLI::App app{"Chimera: Temporal workflows and activities in C++ and Python, in one worker."};
  app.set_version_flag("--version", "chimera " CHIMERA_VERSION);
  app.require_subcommand(1);
  chimera::cli::add_server(app);
  chimera::cli::add_worker(app);
  chimera::cli::add_workflow(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();  // It has said why.
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : chimera::cli::kMisused;  // 0: --help and --version.
  }
}
