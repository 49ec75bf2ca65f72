// The program `chimera-worker`: what `chimera worker` becomes for C++ libraries. They share the
// core in libchimera with this program.
#include "cli/command.h"
#include "cli/worker_arguments.h"
#include "host/native_host.h"

namespace chimera::cli {
namespace {

void run_native(WorkerArguments& arguments) {
  take_stop_signals();
  auto connection = arguments.server.connect();
  if (!connection.ok()) fail(connection.status());
  auto host = host::NativeHost::start(*connection, arguments.host, arguments.code, stop_waiting);
  if (!host.ok()) fail(host.status());
  wait_for_stop();
  absl::Status ended = (*host)->stop();
  if (!ended.ok()) fail(ended);
}

}  // namespace
}  // namespace chimera::cli

int main(int argc, char** argv) {
  using chimera::cli::CommandLine;
  CommandLine line("Runs workflows and activities of C++ libraries; `chimera worker` starts it.");
  chimera::cli::WorkerArguments arguments;
  arguments.add_to(line.program());
  line.program().on_parsed([&] {
    arguments.check();
    chimera::cli::run_native(arguments);
  });
  return line.run(argc, argv, chimera::cli::kMisused);
}
