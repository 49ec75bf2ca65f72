// Server, the embedded Temporal-compatible server: the genuine gRPC services on one event loop, in
// memory or in a SQLite file. Many may live in one process. Any thread.
#ifndef CHIMERA_SERVER_SERVER_H_
#define CHIMERA_SERVER_SERVER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "core/base/clock.h"
#include "core/base/transport.h"

namespace chimera::base {
class Executor;
class Timers;
}  // namespace chimera::base

namespace chimera::server {

struct ServerOptions {
  std::string ip = "127.0.0.1";
  int port = -1;                  // -1: no TCP listener; 0: any free port.
  std::string database_filename;  // Empty: in memory.
  // Where the histories and records of closed workflows go for good, of namespaces that do not say
  // otherwise: files in its subfolders "history" and "visibility". Empty: there is no archive.
  std::string archive_folder;
  std::vector<std::string> namespaces;                   // Beside "default".
  std::map<std::string, std::string> search_attributes;  // Name -> type ("Keyword", "Int", ...).
  std::map<std::string, std::string> dynamic_config;     // Unknown keys are warned about.
  base::Clock* clock = nullptr;                          // Borrowed; null: the machine's.
  // For simulations, which then run the server on a thread of theirs: what does its turns and wakes
  // it, by the same clock. Borrowed; null: a thread of the server's own.
  base::Executor* executor = nullptr;
  base::Timers* timers = nullptr;  // With an executor.
  // If set, time jumps to the next thing that waits for it whenever nobody works and nothing locks
  // it; so many locks there are at first (TestService adds and takes them).
  std::optional<int> time_skipping_locks;
  std::optional<std::uint64_t> seed;  // Of all ids; else they are the machine's chance.
};

class Server {
 public:
  // Ready to serve when it returns. Errors say what, where and what to do: a port in use, a file
  // that is no database of ours, a bad option.
  static absl::StatusOr<std::unique_ptr<Server>> start(ServerOptions options);
  virtual ~Server() =
      default;  // Stops: open calls end with kUnavailable, everything acknowledged is on disk.

  virtual int port() const = 0;  // The TCP port, or -1.
  // Straight into the event loop, without bytes or sockets.
  virtual std::shared_ptr<base::Transport> local_transport() = 0;

  // For mocks, of a server whose time skips: a started activity, by its task's token, that only
  // lets time pass. It does not hold time until that has gone on so far; then, or at once if it
  // does not run any more, `done` is called. Any thread; `done` once, on the server's.
  virtual void rest_activity(std::string task_token, std::chrono::nanoseconds time,
                             absl::AnyInvocable<void()> done) = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVER_H_
