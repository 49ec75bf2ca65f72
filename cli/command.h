// What each command of the program gives to main(): a function that adds it to the command line.
#ifndef CHIMERA_CLI_COMMAND_H_
#define CHIMERA_CLI_COMMAND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "CLI/App.hpp"
#include "core/rpc/connection.h"

namespace chimera::cli {

// Options of every command that talks to a server; defaults come from TEMPORAL_ADDRESS,
// TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.
struct ServerAddress {
  std::string address = "localhost:7233";
  std::string namespace_ = "default";
  std::string api_key;
  bool tls = false;

  void add_to(CLI::App& command);
  absl::StatusOr<std::shared_ptr<core::Connection>> connect() const;
};

// Each adds its command; the command's callback returns by throwing CLI::RuntimeError(code) on
// failure.
void add_server(CLI::App& app);
void add_worker(CLI::App& app);
void add_workflow(CLI::App& app);  // `workflow show` and its short form `show`.

// One line on stderr, "chimera: MESSAGE", then exit code 1.
[[noreturn]] void fail(const std::string& message);
[[noreturn]] void fail(const absl::Status& status);

// Blocks SIGINT and SIGTERM in this thread and all that it starts; wait_for_stop() then waits for
// one of them. A second one while stopping ends the process at once.
void block_stop_signals();
int wait_for_stop();

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_COMMAND_H_
