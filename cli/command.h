// What each command of the program gives to main(): a function that adds it to the command line.
#ifndef CHIMERA_CLI_COMMAND_H_
#define CHIMERA_CLI_COMMAND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "cli/command_line.h"
#include "core/rpc/connection.h"

namespace chimera::cli {

// Options of every command that talks to a server; defaults come from TEMPORAL_ADDRESS,
// TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the TEMPORAL_TLS_* that the options' help names.
struct ServerAddress {
  std::string address = "localhost:7233";
  std::string namespace_ = "default";
  std::string api_key;
  bool tls = false, no_tls = false;
  std::string tls_ca_path, tls_cert_path, tls_key_path, tls_server_name;

  void add_to(Command command);
  // Reads the files; an error names the option that is wrong.
  absl::StatusOr<core::ConnectionOptions> connection_options() const;
  absl::StatusOr<std::shared_ptr<core::Connection>> connect() const;
  // The same options as words for another program of ours. The API key is not among them, since
  // everybody may read a process's arguments: it goes through TEMPORAL_API_KEY.
  std::vector<std::string> words() const;
};

// Each adds its command.
void add_server(Command program);
void add_worker(Command program);
void add_codec_server(Command program);
void add_workflow(Command program);  // `workflow show` and its short form `show`.

// One line on stderr, "chimera: MESSAGE", then the exit code, by throwing Ended. docs/errors.md
// lists the codes.
inline constexpr int kFailed = 1, kMisused = 2;
[[noreturn]] void fail(const std::string& message, int exit_code = kFailed);
[[noreturn]] void fail(const absl::Status& status, int exit_code = kFailed);

// SIGINT and SIGTERM. Before wait_for_stop() either ends the process at once, as it does by itself;
// wait_for_stop() returns with the first one, and from there a second one ends the process.
void take_stop_signals();  // In main's thread, before others are started.
void stop_in_order();      // From here on wait_for_stop() will return, though it is not called yet.
void wait_for_stop();
// Lets wait_for_stop() return without a signal. Any thread.
void stop_waiting();

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_COMMAND_H_
