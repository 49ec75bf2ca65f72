// What a run asks of the worker for a local activity, and how it ended: of all its attempts, as far
// as they were made here.
#ifndef CHIMERA_CORE_LANGUAGE_LOCAL_ACTIVITY_H_
#define CHIMERA_CORE_LANGUAGE_LOCAL_ACTIVITY_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/language/commands.h"

namespace chimera::core {

struct LocalActivityOutcome {
  enum class Kind {
    kCompleted,
    kFailed,     // `failure` is bare: what the activity raised, or a timeout.
    kCancelled,  // Likewise.
    kDropped,    // The worker ends before another attempt could be made.
  };
  Kind kind = Kind::kCompleted;
  std::optional<api::common::v1::Payload> result;  // Of kCompleted.
  api::failure::v1::Failure failure;               // Of kFailed and kCancelled.
  std::uint32_t attempt = 0;                       // The last one made.
  std::uint32_t later_attempts = 0;                // Of those made here, all but a first.
  std::chrono::nanoseconds ran{};  // From when the run asked for it to the last attempt's end.
  base::WallTime original_schedule_time{};
  // kFailed: the next attempt is due after so long a time that a timer shall wait for it.
  std::optional<std::chrono::nanoseconds> backoff;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_LOCAL_ACTIVITY_H_
