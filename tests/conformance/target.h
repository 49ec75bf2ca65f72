// The server that the cases run against: the embedded one in memory by default, with --file on a
// SQLite file; with --genuine the real dev server, which the program starts itself (path in
// CHIMERA_TEMPORAL_CLI); with --address HOST:PORT one that runs already.
#ifndef CHIMERA_TESTS_CONFORMANCE_TARGET_H_
#define CHIMERA_TESTS_CONFORMANCE_TARGET_H_

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/rpc/connection.h"

namespace chimera::conformance {

// Both servers run with these limits, lower than the defaults.
inline constexpr int kSuggestEvents = 400;
inline constexpr int kHistoryEventsMax = 4000;
inline constexpr std::chrono::seconds kHeartbeatsMax{4};
// What the embedded server always does, the genuine one only with these settings: one partition
// for each queue, so that it has one order; priorities (server 1.29) and fairness; and worker
// heartbeats (server 1.29). A server of --address must have been started with them, too.
inline constexpr std::pair<const char*, const char*> kGenuineSettings[] = {
    {"matching.numTaskqueueReadPartitions", "1"}, {"matching.numTaskqueueWritePartitions", "1"},
    {"matching.useNewMatcher", "true"},           {"matching.enableFairness", "true"},
    {"frontend.WorkerHeartbeatsEnabled", "true"}, {"frontend.ListWorkersEnabled", "true"},
};

inline constexpr std::chrono::milliseconds kGenuineSlack{2500};

struct Target {
  std::shared_ptr<core::Connection> connection;
  bool genuine = false;
  bool foreign = false;  // It was there already, by --address.
  // The genuine server rounds timers up to a second.
  std::chrono::milliseconds timer_slack{50};
};

const Target& target();

// A server on a file, in a process of its own, that is the target while this lives, so that a case
// may kill it. One at a time; the test's thread.
class OwnServer {
 public:
  OwnServer();
  ~OwnServer();
  void kill();     // SIGKILL.
  void restart();  // On the same file.

 private:
  struct Process;
  Target mine_, before_;
  std::string file_;
  std::unique_ptr<Process> process_;
};
// `main` of the embedded server that OwnServer kills.
int serve_until_killed(const char* file);
Target& changed_target();  // For main() and OwnServer.
std::map<std::string, std::string> server_limits();
core::ConnectionOptions connection_options();
// Ends the program if there is none within half a minute.
void connect(Target& target, core::ConnectionOptions options);

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_TARGET_H_
