#include "tests/sim/locals.h"

#include "absl/strings/str_cat.h"

#include "tests/sim/rng.h"

namespace chimera::sim {

void SimLocals::start(std::uint32_t seq, const core::ScheduleLocalActivity& activity,
                      const std::string& run_id) {
  const std::uint64_t luck = mix(mix(seq, activity.arguments.payloads(0).data()), run_id);
  // One that a dropped run began: nobody waits for it.
  std::erase_if(by_luck_, [seq](const auto& each) { return each.first.second == seq; });
  by_luck_[{luck, seq}] = {};
}

void SimLocals::stop(std::uint32_t seq) {
  for (auto& [key, running] : by_luck_) running.stopped = running.stopped || key.second == seq;
}

void SimLocals::told(const core::Activation& activation) {
  for (const core::Job& job : activation.jobs) {
    const auto* resolved = std::get_if<core::ResolveActivity>(&job);
    const bool all = std::holds_alternative<core::RemoveFromCache>(job);
    if (!all && !(resolved && resolved->is_local)) continue;
    for (auto& [key, running] : by_luck_) {
      if (all || key.second == resolved->seq) running.awaited = false;
    }
  }
}

std::optional<SimLocals::End> SimLocals::next(std::int64_t started_event_id) {
  const auto first = by_luck_.begin();
  const auto [luck, seq] = first->first;
  const auto [stopped, awaited] = first->second;
  if (awaited && mix(luck, static_cast<std::uint64_t>(started_event_id)) % 6 == 0)
    return std::nullopt;
  by_luck_.erase(first);
  using Kind = core::LocalActivityOutcome::Kind;
  End end{seq, {}};
  core::LocalActivityOutcome& outcome = end.outcome;
  outcome.attempt = static_cast<std::uint32_t>(1 + luck % 3);
  outcome.ran = std::chrono::milliseconds(luck % 5000);
  outcome.original_schedule_time = base::WallTime(std::chrono::seconds(1'700'000'000));
  if (stopped) {
    outcome.kind = Kind::kCancelled;
    outcome.failure.set_message("Cancelled");
    outcome.failure.mutable_canceled_failure_info();
  } else if (luck % 7 < 4) {
    outcome.result.emplace().set_data(absl::StrCat(luck % 1000));
  } else {
    outcome.kind = Kind::kFailed;
    outcome.failure.set_message(absl::StrCat("local ", luck % 1000));
    outcome.failure.mutable_application_failure_info()->set_type("Simulated");
    if (luck % 7 == 4) {
      outcome.failure.mutable_timeout_failure_info()->set_timeout_type(
          api::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE);
    }
    if (luck % 7 == 5) outcome.backoff = std::chrono::minutes(2);
  }
  return end;
}

}  // namespace chimera::sim
