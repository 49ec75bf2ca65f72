// The program `chimera-worker`: what `chimera worker` becomes for C++ libraries, which share the
// core in libchimera with this program, and `chimera codec-server`.
#include <cstdio>
#include <cstring>
#include <exception>

#include "chimera/codec_server.h"
#include "cli/codec_server_arguments.h"
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
  stop_in_order();  // Whoever reads the line below may stop the worker at once.
  std::printf("chimera worker: polling %s at %s\n", arguments.host.worker.task_queue.c_str(),
              (*connection)->options().target_host.c_str());
  std::fflush(stdout);
  wait_for_stop();
  absl::Status ended = (*host)->stop();
  if (!ended.ok()) fail(ended);
}

void serve_codec(const CodecServerArguments& arguments) {
  auto keys = read_keys(arguments);
  if (!keys.ok()) fail(keys.status(), kMisused);
  take_stop_signals();
  try {
    const CodecServer server({.bind_address = arguments.address,
                              .codec = aes_gcm_codec(keys->first, keys->by_id),
                              .allowed_origins = arguments.origins});
    stop_in_order();
    std::printf("chimera: codec server on %s\n", server.endpoint().c_str());
    std::fflush(stdout);
    wait_for_stop();
  } catch (const std::exception& error) {
    fail(error.what());
  }
}

int run_worker(int argc, char** argv) {
  CommandLine line("Runs workflows and activities of C++ libraries; `chimera worker` starts it.");
  WorkerArguments arguments;
  arguments.add_to(line.program());
  line.program().on_parsed([&] {
    arguments.check();
    run_native(arguments);
  });
  return line.run(argc, argv, kMisused);
}

// Its first word is the command's.
int run_codec_server(int argc, char** argv) {
  CommandLine line("Decodes encrypted payloads; `chimera codec-server` starts it.");
  CodecServerArguments arguments;
  arguments.add_to(line.program());
  line.program().on_parsed([&] { serve_codec(arguments); });
  return line.run(argc - 1, argv + 1, kMisused);
}

}  // namespace
}  // namespace chimera::cli

int main(int argc, char** argv) {
  using namespace chimera::cli;
  const bool codec = argc > 1 && std::strcmp(argv[1], CodecServerArguments::kName) == 0;
  return codec ? run_codec_server(argc, argv) : run_worker(argc, argv);
}
