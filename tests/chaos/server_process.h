// ServerProcess, a server on a file in a process of its own that is killed and started again. Each
// life listens on a port of its own, so that no client waits for a channel's back-off.
// connection(): any thread; the rest: the test's thread.
#ifndef CHIMERA_TESTS_CHAOS_SERVER_PROCESS_H_
#define CHIMERA_TESTS_CHAOS_SERVER_PROCESS_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include <sys/types.h>

#include "core/rpc/connection.h"

namespace chimera::chaos {

class ServerProcess {
 public:
  explicit ServerProcess(std::string file) : file_(std::move(file)) {}
  ~ServerProcess() { kill(); }

  // Forks, without waiting for anything.
  void launch();
  // Waits until the launched server answers and publishes the connection to it; false if it died.
  bool connect();
  void strike();  // Kills without waiting for the end. Any thread, while it lives.
  void kill();
  // Until the launched server is ready, or the time has passed.
  void wait_ready(std::chrono::milliseconds patience);
  void sever();  // Hides the connection before a kill: callers then wait for the next life.

  // The newest connection; waits while there is none. Null after shut().
  std::shared_ptr<core::Connection> connection();
  void shut();

 private:
  const std::string file_;
  pid_t child_ = 0;
  int output_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<core::Connection> connection_;
  bool shut_ = false;
};

}  // namespace chimera::chaos

#endif  // CHIMERA_TESTS_CHAOS_SERVER_PROCESS_H_
