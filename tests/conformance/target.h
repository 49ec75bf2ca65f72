// The server that the cases run against: the embedded one in memory by default, with --file on a
// SQLite file; with --genuine the real dev server, which the program starts itself (path in
// CHIMERA_TEMPORAL_CLI); with --address HOST:PORT one that runs already.
#ifndef CHIMERA_TESTS_CONFORMANCE_TARGET_H_
#define CHIMERA_TESTS_CONFORMANCE_TARGET_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "core/rpc/connection.h"

namespace chimera::conformance {

// Both servers run with these limits, lower than the defaults.
inline constexpr int kSuggestEvents = 400;
inline constexpr int kHistoryEventsMax = 4000;
// What the embedded server always does, the genuine one only with these settings: one partition
// for each queue, so that it has one order; priorities (server 1.29) and fairness; and worker
// heartbeats (server 1.29). A server of --address must have been started with them, too.
// Tasks that only ask for the next, one after the other; a setting of both servers.
inline constexpr std::chrono::seconds kHeartbeatsMax{4};
inline constexpr std::pair<const char*, const char*> kGenuineSettings[] = {
    {"matching.numTaskqueueReadPartitions", "1"}, {"matching.numTaskqueueWritePartitions", "1"},
    {"matching.useNewMatcher", "true"},           {"matching.enableFairness", "true"},
    {"frontend.WorkerHeartbeatsEnabled", "true"}, {"frontend.ListWorkersEnabled", "true"},
};

struct Target {
  std::shared_ptr<core::Connection> connection;
  bool genuine = false;
  // The genuine server rounds timers up to a second.
  std::chrono::milliseconds timer_slack{50};
};

const Target& target();

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_TARGET_H_
