// TimerMachine, one timer. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_TIMER_H_
#define CHIMERA_CORE_MACHINES_TIMER_H_

#include <memory>

#include "temporal/api/sdk/v1/user_metadata.pb.h"

#include "core/machines/table.h"

namespace chimera::core {

struct TimerMachine {
  enum class State : std::uint8_t { kCommanded, kStarted, kCancelCommanded, kDone, kCount };
  enum class Event : std::uint8_t { kTimerStarted, kTimerFired, kTimerCanceled, kCancel, kCount };
  enum class Action : std::uint8_t { kNone, kFire, kDropCommand, kCommandCancel, kCount };

  // A cancelled timer tells the language nothing: the language has ended its own wait already.
  static constexpr Table<State, Event, Action> kTable{{
      {State::kCommanded, Event::kTimerStarted, State::kStarted, Action::kNone},
      {State::kCommanded, Event::kCancel, State::kDone, Action::kDropCommand},
      {State::kStarted, Event::kTimerFired, State::kDone, Action::kFire},
      {State::kStarted, Event::kCancel, State::kCancelCommanded, Action::kCommandCancel},
      {State::kCancelCommanded, Event::kTimerCanceled, State::kDone, Action::kNone},
      {State::kCancelCommanded, Event::kCancel, State::kCancelCommanded, Action::kNone},
  }};

  State state = State::kCommanded;
  std::int64_t started_event_id = 0;
  std::unique_ptr<temporal::api::sdk::v1::UserMetadata>
      metadata;  // Goes on CANCEL_TIMER too, as the official core does.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_TIMER_H_
