// ChildWorkflowMachine, one child workflow. Owned by its run; lane thread.
// The request to cancel the child is a CancelExternalMachine of its own.
#ifndef CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_
#define CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_

#include <string>

#include "core/machines/failure_ptr.h"
#include "core/machines/table.h"

namespace chimera::core {

struct ChildWorkflowMachine {
  enum class State : std::uint8_t {
    kCommanded,
    kInitiated,
    kStarted,
    kInitiatedCancel,
    kStartedCancel,
    kDone,
    kCount
  };
  enum class Event : std::uint8_t {
    kInitiated,
    kStartFailed,
    kStarted,
    kCompleted,
    kFailed,
    kTimedOut,
    kCanceled,
    kTerminated,
    kTryCancel,
    kWaitCancel,
    kAbandon,  // From the language.
    kCount
  };
  enum class Action : std::uint8_t {
    kNone,
    kDropCommandAndResolveStartCancelled,
    kRequestCancel,
    kRequestCancelAndResolveStartCancelled,  // Then later events of the child are swallowed.
    kRequestCancelAndResolveCancelled,       // Likewise.
    kResolveStartCancelled,                  // Likewise.
    kResolveCancelled,                       // Likewise.
    kResolveStarted,
    kResolveStartFailed,
    kResolveCompleted,
    kResolveFailed,
    kCount
  };
  using S = State;
  using E = Event;
  using A = Action;

  static constexpr Table<State, Event, Action> kTable{{
      {S::kCommanded, E::kInitiated, S::kInitiated, A::kNone},
      {S::kCommanded, E::kTryCancel, S::kDone, A::kDropCommandAndResolveStartCancelled},
      {S::kCommanded, E::kWaitCancel, S::kDone, A::kDropCommandAndResolveStartCancelled},
      {S::kCommanded, E::kAbandon, S::kDone, A::kDropCommandAndResolveStartCancelled},

      {S::kInitiated, E::kStartFailed, S::kDone, A::kResolveStartFailed},
      {S::kInitiated, E::kStarted, S::kStarted, A::kResolveStarted},
      {S::kInitiated, E::kTryCancel, S::kDone, A::kRequestCancelAndResolveStartCancelled},
      {S::kInitiated, E::kWaitCancel, S::kInitiatedCancel, A::kRequestCancel},
      {S::kInitiated, E::kAbandon, S::kDone, A::kResolveStartCancelled},

      {S::kStarted, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kStarted, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kStarted, E::kTimedOut, S::kDone, A::kResolveFailed},
      {S::kStarted, E::kCanceled, S::kDone, A::kResolveCancelled},
      {S::kStarted, E::kTerminated, S::kDone, A::kResolveFailed},
      {S::kStarted, E::kTryCancel, S::kDone, A::kRequestCancelAndResolveCancelled},
      {S::kStarted, E::kWaitCancel, S::kStartedCancel, A::kRequestCancel},
      {S::kStarted, E::kAbandon, S::kDone, A::kResolveCancelled},

      {S::kInitiatedCancel, E::kStartFailed, S::kDone, A::kResolveStartFailed},
      {S::kInitiatedCancel, E::kStarted, S::kStartedCancel, A::kResolveStarted},
      {S::kInitiatedCancel, E::kTryCancel, S::kInitiatedCancel, A::kNone},
      {S::kInitiatedCancel, E::kWaitCancel, S::kInitiatedCancel, A::kNone},
      {S::kInitiatedCancel, E::kAbandon, S::kInitiatedCancel, A::kNone},

      {S::kStartedCancel, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kStartedCancel, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kStartedCancel, E::kTimedOut, S::kDone, A::kResolveFailed},
      {S::kStartedCancel, E::kCanceled, S::kDone, A::kResolveCancelled},
      {S::kStartedCancel, E::kTerminated, S::kDone, A::kResolveFailed},
      {S::kStartedCancel, E::kTryCancel, S::kStartedCancel, A::kNone},
      {S::kStartedCancel, E::kWaitCancel, S::kStartedCancel, A::kNone},
      {S::kStartedCancel, E::kAbandon, S::kStartedCancel, A::kNone},
  }};

  State state = State::kCommanded;
  Event on_cancel = Event::kAbandon;
  std::int64_t initiated_event_id = 0, started_event_id = 0;
  std::string namespace_, workflow_id, run_id, type;
};

// The child ended badly: failed, timed out or was terminated.
FailurePtr child_failed(const ChildWorkflowMachine& machine,
                        const api::history::v1::HistoryEvent& event);
// Cancelled, as its event says or (event null) at once.
FailurePtr child_cancelled(const ChildWorkflowMachine& machine,
                           const api::history::v1::HistoryEvent* event);
FailurePtr child_cancelled_before_start(const ChildWorkflowMachine& machine,
                                        const std::string& reason);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_
