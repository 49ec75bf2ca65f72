// `chimera worker`: hosts C++ libraries (./liborders.so) and Python code (package.module:name) in
// one worker on one task queue. It becomes the program that has the core as a shared library: with
// Python among its arguments `python -m chimera.host`, in the user's interpreter, else
// `chimera-worker`.
#include <cstdlib>

#include "cli/become.h"
#include "cli/command.h"
#include "cli/worker_arguments.h"

namespace chimera::cli {
namespace {

void work(WorkerArguments& arguments) {
  arguments.check();
  if (!arguments.server.api_key.empty())
    setenv("TEMPORAL_API_KEY", arguments.server.api_key.c_str(), /*overwrite=*/1);
  if (arguments.with_python())
    become({arguments.python, "-m", "chimera.host"}, arguments.words(),
           "name the interpreter with --python");
  become_chimera_worker(arguments.words());
}

}  // namespace

void add_worker(Command program) {
  static WorkerArguments arguments;  // Lives as long as the command line that refers to it.
  Command command = program.subcommand("worker", "Run workflows and activities of C++ and Python");
  arguments.add_to(command);
  command.on_parsed([] { work(arguments); });
}

}  // namespace chimera::cli
