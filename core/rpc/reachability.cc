#include "core/rpc/reachability.h"

#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"

namespace chimera::core {
namespace {

constexpr std::chrono::seconds kUnreachable{15};  // Polls are tried again after 12 s at most.

}  // namespace

void Reachability::note(const absl::Status& status, bool long_poll, base::SteadyTime now) {
  // A long poll may end by its deadline, and a cancelled call says nothing.
  if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) return;
  State state = State::kAnswers;
  if (absl::IsUnavailable(status)) {
    gone_.store(now, std::memory_order_relaxed);
    state = State::kGone;
  } else if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    // Of other calls it is their caller who hears of it.
    state = long_poll ? State::kRefuses : state_.load(std::memory_order_relaxed);
  }
  if (state_.load(std::memory_order_relaxed) == state) return;  // The usual case.
  if (state_.exchange(state) == state || !logs_.load()) return;
  if (state == State::kAnswers)
    return log(LogLevel::kInfo, "worker",
               absl::StrCat("the server at ", target_, " answers again"));
  if (state == State::kGone)
    return log(
        LogLevel::kWarn, "worker",
        absl::StrCat("no server at ", target_, "; calls are tried again: ", status.message()));
  log(LogLevel::kWarn, "worker",
      absl::StrCat("the server at ", target_, " refuses polls: ",
                   absl::StatusCodeToString(status.code()), ": ", status.message(),
                   ". Check the API key or the client certificate. In its first minute a worker "
                   "tries again, later it ends"));
}

bool Reachability::reachable(base::SteadyTime now) const {
  return state_.load(std::memory_order_relaxed) != State::kGone ||
         now - gone_.load(std::memory_order_relaxed) > kUnreachable;
}

}  // namespace chimera::core
