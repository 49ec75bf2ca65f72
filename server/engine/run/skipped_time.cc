#include "server/engine/run/skipped_time.h"

#include <algorithm>

namespace chimera::server {

std::optional<SkippedTime::Skip> SkippedTime::skip(WallTime now, WallTime next) const {
  if (!enabled() || next <= now) return std::nullopt;  // What is due comes by itself.
  const WallTime ends = fast_forward_ends();
  if (ends <= now) return Skip{kUnset, true};
  const WallTime to = std::min(next, ends);
  if (to > kLastOfSkips) return std::nullopt;
  return Skip{to, ends <= next};
}

void SkippedTime::configure(const Config* given, WallTime now) {
  config.reset();
  fast_forward.reset();
  skips = 0;
  if (given == nullptr) return;
  config = *given;
  const Nanos duration = to_nanos(given->fast_forward_config().duration());
  if (given->enabled() && duration > Nanos{0})
    fast_forward = FastForward{add_saturated(now, duration)};
}

void SkippedTime::begin(const history::WorkflowExecutionStartedEventAttributes& a, WallTime now) {
  configure(a.has_time_skipping_config() ? &a.time_skipping_config() : nullptr, now);
  const auto& from = a.time_skipping_state_propagation();
  ahead = to_nanos(from.initial_skipped_duration());
  skips = from.initial_skip_count();
  if (fast_forward && from.has_fast_forward_target_time())
    fast_forward->target = to_wall(from.fast_forward_target_time());
}

void SkippedTime::jump(const Transitioned& a, WallTime now) {
  if (a.has_target_time()) ahead += to_wall(a.target_time()) - now;
  if (a.disabled_after_fast_forward() && fast_forward) {
    fast_forward->reached = true;
    if (config) config->set_enabled(false);
  }
  ++skips;
  if (config && skips >= config->max_session_skip_count()) config->set_enabled(false);
}

void SkippedTime::begin_again(Nanos later) {
  if (has_pending_fast_forward()) fast_forward->target = add_saturated(fast_forward->target, later);
}

void SkippedTime::hand_on(history::WorkflowExecutionStartedEventAttributes& next) const {
  next.clear_time_skipping_config();
  next.clear_time_skipping_state_propagation();
  if (enabled()) *next.mutable_time_skipping_config() = *config;
  auto state = [&next] { return next.mutable_time_skipping_state_propagation(); };
  if (ahead > Nanos{0}) set(state()->mutable_initial_skipped_duration(), ahead);
  if (has_pending_fast_forward())
    set(state()->mutable_fast_forward_target_time(), fast_forward->target);
  if (enabled() && skips > 0) state()->set_initial_skip_count(skips);
}

void SkippedTime::hand_to_child(
    history::StartChildWorkflowExecutionInitiatedEventAttributes& child) const {
  if (ahead > Nanos{0}) {
    set(child.mutable_time_skipping_state_propagation()->mutable_initial_skipped_duration(), ahead);
  }
  if (!enabled() || config->disable_propagation()) return;
  child.mutable_time_skipping_config()->set_enabled(true);
  child.mutable_time_skipping_config()->set_max_session_skip_count(
      config->max_session_skip_count());
}

common::TimeSkippingInfo SkippedTime::describe(WallTime now) const {
  common::TimeSkippingInfo info;
  set(info.mutable_current_time(), now);
  if (config) *info.mutable_effective_config() = *config;
  if (fast_forward) *info.mutable_fast_forward_info() = describe_fast_forward();
  info.set_current_session_skip_count(skips);
  return info;
}

common::TimeSkippingFastForwardInfo SkippedTime::describe_fast_forward() const {
  common::TimeSkippingFastForwardInfo info;
  set(info.mutable_target_time(), fast_forward->target);
  info.set_has_completed(fast_forward->reached);
  if (!config) return info;
  info.set_fast_forward_id(config->fast_forward_config().id());
  *info.mutable_fast_forward_duration() = config->fast_forward_config().duration();
  return info;
}

}  // namespace chimera::server
