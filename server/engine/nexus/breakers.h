// NexusBreakers, which destinations are given a rest: one that has failed six times in a row gets
// nothing for a minute, and then one request, whose end decides. A destination is an endpoint as a
// namespace uses it, or the host of a callback's URL. In memory. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_BREAKERS_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_BREAKERS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"

#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

inline constexpr char kBreakerIsOpen[] = "The circuit breaker is open.";

class NexusBreakers {
 public:
  using Destination = std::pair<std::string, std::string>;  // Namespace id; endpoint or host.

  explicit NexusBreakers(Engine& engine) : engine_(engine) {}

  // Whether a request may go now; `again` runs when it may perhaps, in a turn.
  bool allows(const Destination& to, absl::AnyInvocable<void()> again);
  // How one that went has ended: whether the destination is there.
  void ended(const Destination& to, bool is_up);
  bool is_open(const Destination& to) const;
  void clear() { all_.clear(); }

 private:
  struct Breaker {
    int failures = 0;      // In a row.
    bool open = false;     // Until a request has succeeded.
    bool resting = false;  // For its minute.
    bool probing = false;  // The one request is under way.
    std::vector<absl::AnyInvocable<void()>> waiting;
    std::unique_ptr<Timer> timer;
  };
  void rest(const Destination& to, Breaker& breaker);
  void wake(Breaker& breaker);

  Engine& engine_;
  absl::flat_hash_map<Destination, std::unique_ptr<Breaker>> all_;  // Those that have failed.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_BREAKERS_H_
