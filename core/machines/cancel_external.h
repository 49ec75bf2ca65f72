// CancelExternalMachine, one request to cancel another workflow, or a child. Owned by its run; lane
// thread. The language cannot take such a request back.
#ifndef CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_
#define CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_

#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct CancelExternalMachine : MachineBase {
  enum class State : std::uint8_t { kCommanded, kInitiated, kDone, kCount };
  enum class Event : std::uint8_t { kInitiated, kCancelRequested, kFailed, kCount };
  enum class Action : std::uint8_t { kNone, kResolve, kResolveFailed, kCount };

  static constexpr Table<State, Event, Action> kTable{{
      {State::kCommanded, Event::kInitiated, State::kInitiated, Action::kNone},
      {State::kInitiated, Event::kCancelRequested, State::kDone, Action::kResolve},
      {State::kInitiated, Event::kFailed, State::kDone, Action::kResolveFailed},
  }};

  using Begins = RequestCancelExternalWorkflowExecution;
  static constexpr char kPlural[] = "cancellations";
  static constexpr EventType kBegunBy =
      api::enums::v1::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;
  static const LaterEvent kLater[2];

  void begin(RequestCancelExternalWorkflowExecution& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is such a request's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  // Made by the core for a child's cancellation: the language hears nothing of it.
  bool of_child() const { return seq >= kOwnSeq; }

  State state = State::kCommanded;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_
