// SimLocals, how local activities end: decided by what they are and in which task, not by chance,
// so that it is the same whatever the worker's cache does. One thread.
#ifndef CHIMERA_TESTS_SIM_LOCALS_H_
#define CHIMERA_TESTS_SIM_LOCALS_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/language/activation.h"
#include "core/language/commands.h"
#include "core/language/local_activity.h"

namespace chimera::sim {

class SimLocals {
 public:
  struct End {
    std::uint32_t seq;
    core::LocalActivityOutcome outcome;
  };

  void start(std::uint32_t seq, const core::ScheduleLocalActivity& activity,
             const std::string& run_id);
  void stop(std::uint32_t seq);
  // What the run's program gets: what is resolved in it goes on, but the task waits for it no more.
  void told(const core::Activation& activation);
  bool empty() const { return by_luck_.empty(); }
  // Nothing else is under way: the next to end, or nothing where the task, which began with that
  // event, has its heartbeat first.
  std::optional<End> next(std::int64_t started_event_id);

 private:
  struct Running {
    bool stopped = false;
    bool awaited = true;  // A replay does not have the others, so no heartbeat may come of them.
  };

  std::map<std::pair<std::uint64_t, std::uint32_t>, Running> by_luck_;  // And seq.
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_LOCALS_H_
