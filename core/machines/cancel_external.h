// CancelExternalMachine, one request to cancel another workflow, or a child. Owned
// by its run; lane thread. The language cannot take such a request back.
#ifndef CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_
#define CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_

#include "core/machines/failure_ptr.h"
#include "core/machines/table.h"

namespace chimera::core {

struct CancelExternalMachine {
  enum class State : std::uint8_t { kCommanded, kInitiated, kDone, kCount };
  enum class Event : std::uint8_t { kInitiated, kCancelRequested, kFailed, kCount };
  enum class Action : std::uint8_t { kNone, kResolve, kResolveFailed, kCount };

  static constexpr Table<State, Event, Action> kTable{{
      {State::kCommanded, Event::kInitiated, State::kInitiated, Action::kNone},
      {State::kInitiated, Event::kCancelRequested, State::kDone, Action::kResolve},
      {State::kInitiated, Event::kFailed, State::kDone, Action::kResolveFailed},
  }};

  State state = State::kCommanded;
  bool of_child =
      false;  // Made by the core for a child's cancellation: the language hears nothing of it.
};

FailurePtr cancel_failed(api::enums::v1::CancelExternalWorkflowExecutionFailedCause cause);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_CANCEL_EXTERNAL_H_
