// SignalExternalMachine, one signal to another workflow. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_
#define CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_

#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct SignalExternalMachine : MachineBase {
  enum class State : std::uint8_t { kCommanded, kInitiated, kDone, kCount };
  enum class Event : std::uint8_t { kInitiated, kSignaled, kFailed, kCancel, kCount };
  enum class Action : std::uint8_t {
    kNone,
    kDropCommandAndResolveCancelled,
    kResolve,
    kResolveFailed,
    kCount
  };

  static constexpr Table<State, Event, Action> kTable{{
      {State::kCommanded, Event::kInitiated, State::kInitiated, Action::kNone},
      {State::kCommanded, Event::kCancel, State::kDone, Action::kDropCommandAndResolveCancelled},
      {State::kInitiated, Event::kSignaled, State::kDone, Action::kResolve},
      {State::kInitiated, Event::kFailed, State::kDone, Action::kResolveFailed},
      {State::kInitiated, Event::kCancel, State::kInitiated,
       Action::kNone},  // Too late: it is sent.
  }};

  using Begins = SignalExternalWorkflowExecution;
  using Cancels = CancelSignalWorkflow;
  static constexpr char kPlural[] = "signals";
  static constexpr EventType kBegunBy =
      api::enums::v1::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
  static const LaterEvent kLater[2];

  void begin(SignalExternalWorkflowExecution& command, Command& whole, RunPort& run);
  void cancel(CancelSignalWorkflow& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is such a signal's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  State state = State::kCommanded;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_
