// TimerMachine, one timer. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_TIMER_H_
#define CHIMERA_CORE_MACHINES_TIMER_H_

#include <string>

#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct TimerMachine : MachineBase {
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

  using Begins = StartTimer;
  using Cancels = CancelTimer;
  static constexpr char kPlural[] = "timers";
  static constexpr EventType kBegunBy = api::enums::v1::EVENT_TYPE_TIMER_STARTED;
  static constexpr LaterEvent kLater[] = {
      {api::enums::v1::EVENT_TYPE_TIMER_FIRED,
       [](const HistoryEvent& e) { return e.timer_fired_event_attributes().started_event_id(); }},
  };

  void begin(StartTimer& command, Command& whole, RunPort& run);
  void cancel(CancelTimer& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is a timer's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  State state = State::kCommanded;
  std::string id;
  // Goes on CANCEL_TIMER too, as the official core does.
  std::unique_ptr<api::sdk::v1::UserMetadata> metadata;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_TIMER_H_
