// SignalExternalMachine, one signal to another workflow. Owned by its run; lane
// thread.
#ifndef CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_
#define CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_

#include "core/machines/failure_ptr.h"
#include "core/machines/table.h"

namespace chimera::core {

struct SignalExternalMachine {
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

  State state = State::kCommanded;
};

FailurePtr signal_failed(api::enums::v1::SignalExternalWorkflowExecutionFailedCause cause);
FailurePtr signal_cancelled();

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_SIGNAL_EXTERNAL_H_
