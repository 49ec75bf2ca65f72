// The program `chimera`: embedded server, worker host, tools.
#include <algorithm>
#include <string>
#include <vector>

#include "cli/command.h"

namespace {

// The official test server is called with a port as its first word.
std::vector<char*> as_command(int argc, char** argv) {
  static std::string server = "server", test_service = "--test-service", port = "--port";
  std::vector<char*> words(argv, argv + argc);
  const std::string first = argc > 1 ? argv[1] : "";
  if (!first.empty() &&
      std::all_of(first.begin(), first.end(), [](unsigned char c) { return c >= '0' && c <= '9'; }))
    words.insert(words.begin() + 1, {server.data(), test_service.data(), port.data()});
  return words;
}

}  // namespace

int main(int argc, char** argv) {
  chimera::cli::CommandLine line(
      "Chimera: Temporal workflows and activities in C++ and Python, in one worker.");
  line.add_version("chimera " CHIMERA_VERSION);
  chimera::cli::Command program = line.program();
  program.require_subcommand();
  chimera::cli::add_server(program);
  chimera::cli::add_worker(program);
  chimera::cli::add_codec_server(program);
  chimera::cli::add_workflow(program);
  std::vector<char*> words = as_command(argc, argv);
  return line.run(static_cast<int>(words.size()), words.data(), chimera::cli::kMisused);
}
