// The server that the cases run against: the embedded one in memory by default, with --file on a
// SQLite file; with --genuine the real dev server, which the program starts itself (path in
// CHIMERA_TEMPORAL_CLI); with --address HOST:PORT one that runs already.
#ifndef CHIMERA_TESTS_CONFORMANCE_TARGET_H_
#define CHIMERA_TESTS_CONFORMANCE_TARGET_H_

#include <chrono>
#include <memory>
#include <string>

#include "core/rpc/connection.h"

namespace chimera::conformance {

// Both servers run with these limits, lower than the defaults.
inline constexpr int kSuggestEvents = 400;
inline constexpr int kHistoryEventsMax = 4000;

struct Target {
  std::shared_ptr<core::Connection> connection;
  bool genuine = false;
  // The genuine server rounds timers up to a second.
  std::chrono::milliseconds timer_slack{50};
};

const Target& target();

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_TARGET_H_
