// SkippedTime, the clock of one run that has a TimeSkippingConfig: it goes as the server's, ahead
// of it by what the run has skipped. All times of the run are on it: of its events, its timers,
// attempts, timeouts and back-offs; the server's timers are told deadlines less what was skipped.
// When a transition leaves a run with nothing to do but wait, its clock jumps to what comes next
// (turn/skipping.h), and a TimeSkippingTransitioned event says so. All of it is folded from events.
// The rules are the genuine server's (1.32). The time that a whole test server skips
// (time_skipping.h) is another matter: both may be on. Pure; loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_SKIPPED_TIME_H_
#define CHIMERA_SERVER_ENGINE_RUN_SKIPPED_TIME_H_

#include <cstdint>
#include <optional>

#include "server/base/types.h"

namespace chimera::server {

// No clock jumps beyond it: later times might not fit into their type.
inline constexpr WallTime kLastOfSkips{std::chrono::hours{24 * 365 * 250}};

class SkippedTime {
 public:
  using Config = common::TimeSkippingConfig;
  using Transitioned = history::WorkflowExecutionTimeSkippingTransitionedEventAttributes;
  struct FastForward {
    WallTime target{};
    bool reached = false;
  };
  // One jump.
  struct Skip {
    WallTime to = kUnset;  // kUnset: none; only the fast-forward has ended.
    bool ends_fast_forward = false;
  };

  bool enabled() const { return config && config->enabled(); }
  bool has_pending_fast_forward() const {
    return enabled() && fast_forward && !fast_forward->reached;
  }
  // When the pending one ends, whatever the run does by then.
  WallTime fast_forward_ends() const {
    return has_pending_fast_forward() ? fast_forward->target : kNever;
  }
  // The jump of a run from `now` on its clock, if it does nothing but wait: `next` is when the
  // first of what it waits for comes, kNever: nothing does. One that does not wait gives kUnset.
  std::optional<Skip> skip(WallTime now, WallTime next) const;

  // --- Events.
  // `now` is the clock of the run then; null: the configuration is taken away.
  void configure(const Config* given, WallTime now);
  void begin(const history::WorkflowExecutionStartedEventAttributes& a, WallTime now);
  void jump(const Transitioned& a, WallTime now);
  // A reset goes on so much later than the point to which it went back: what was left of a
  // fast-forward there is left.
  void begin_again(Nanos later);

  // --- Of other runs. What the event that starts them says.
  void hand_on(history::WorkflowExecutionStartedEventAttributes& next) const;
  void hand_to_child(history::StartChildWorkflowExecutionInitiatedEventAttributes& child) const;

  // --- What is shown.
  common::TimeSkippingInfo describe(WallTime now) const;
  common::TimeSkippingFastForwardInfo describe_fast_forward() const;  // There is one.

  std::optional<Config> config;  // Off once the session has ended.
  Nanos ahead{};
  std::int32_t skips = 0;  // Of this session.
  std::optional<FastForward> fast_forward;
};

// Whether a run that starts so has a clock of its own.
inline bool has_own_clock(const history::WorkflowExecutionStartedEventAttributes& a) {
  return a.has_time_skipping_config() ||
         to_nanos(a.time_skipping_state_propagation().initial_skipped_duration()) > Nanos{0};
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_SKIPPED_TIME_H_
