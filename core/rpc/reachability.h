// Reachability, whether a connection's calls find their server: for health probes, and for the log,
// which says once when the server goes, refuses the worker, or comes back. Any thread.
#ifndef CHIMERA_CORE_RPC_REACHABILITY_H_
#define CHIMERA_CORE_RPC_REACHABILITY_H_

#include <atomic>
#include <string>

#include "absl/status/status.h"

#include "core/base/clock.h"

namespace chimera::core {

class Reachability {
 public:
  explicit Reachability(std::string target) : target_(std::move(target)) {}

  // How a try ended.
  void note(const absl::Status& status, bool long_poll, base::SteadyTime now);
  // False while tries that go on fail at least so often.
  bool reachable(base::SteadyTime now) const;
  // From here changes are logged: connecting has an error message of its own.
  void start_logging() { logs_.store(true); }

 private:
  enum class State { kAnswers, kGone, kRefuses };

  const std::string target_;
  std::atomic<bool> logs_{false};
  std::atomic<State> state_{State::kAnswers};
  std::atomic<base::SteadyTime> gone_{base::SteadyTime{}};  // When a try last found no server.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_REACHABILITY_H_
