// ActivityMachine, one activity that the server schedules. Owned by its run; lane
// thread.
#ifndef CHIMERA_CORE_MACHINES_ACTIVITY_H_
#define CHIMERA_CORE_MACHINES_ACTIVITY_H_

#include <string>

#include "core/base/api.h"
#include "core/machines/failure_ptr.h"
#include "core/machines/table.h"

namespace chimera::core {

struct ActivityMachine {
  enum class State : std::uint8_t {
    kCommanded,
    kScheduled,
    kStarted,
    kCancelWaiting,   // Cancellation is asked for; how it ends is up to the activity.
    kCancelResolved,  // The language was told "cancelled"; CancelRequested is still to come.
    kDone,
    kCount
  };
  enum class Event : std::uint8_t {
    kScheduled,
    kStarted,
    kCompleted,
    kFailed,
    kTimedOut,
    kCancelRequested,
    kCanceled,
    kTryCancel,
    kWaitCancel,
    kAbandon,  // From the language.
    kCount
  };
  enum class Action : std::uint8_t {
    kNone,
    kDropCommandAndResolveCancelled,
    kCommandCancel,
    kCommandCancelAndResolveCancelled,
    kResolveCancelledAndSwallow,  // Whatever comes later for this activity is of no interest to the
                                  // run,
    kSwallow,                     // however it ends (the official core wedges here).
    kResolveCompleted,
    kResolveFailed,
    kResolveTimedOut,
    kResolveCanceled,
    kCount
  };
  using S = State;
  using E = Event;
  using A = Action;

  static constexpr Table<State, Event, Action> kTable{{
      {S::kCommanded, E::kScheduled, S::kScheduled, A::kNone},
      {S::kCommanded, E::kTryCancel, S::kDone, A::kDropCommandAndResolveCancelled},
      {S::kCommanded, E::kWaitCancel, S::kDone, A::kDropCommandAndResolveCancelled},
      {S::kCommanded, E::kAbandon, S::kDone, A::kDropCommandAndResolveCancelled},

      {S::kScheduled, E::kStarted, S::kStarted, A::kNone},
      {S::kScheduled, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kScheduled, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kScheduled, E::kTimedOut, S::kDone, A::kResolveTimedOut},
      {S::kScheduled, E::kCanceled, S::kDone, A::kResolveCanceled},
      {S::kScheduled, E::kTryCancel, S::kCancelResolved, A::kCommandCancelAndResolveCancelled},
      {S::kScheduled, E::kWaitCancel, S::kCancelWaiting, A::kCommandCancel},
      {S::kScheduled, E::kAbandon, S::kDone, A::kResolveCancelledAndSwallow},

      {S::kStarted, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kStarted, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kStarted, E::kTimedOut, S::kDone, A::kResolveTimedOut},
      {S::kStarted, E::kCanceled, S::kDone, A::kResolveCanceled},
      {S::kStarted, E::kTryCancel, S::kCancelResolved, A::kCommandCancelAndResolveCancelled},
      {S::kStarted, E::kWaitCancel, S::kCancelWaiting, A::kCommandCancel},
      {S::kStarted, E::kAbandon, S::kDone, A::kResolveCancelledAndSwallow},

      {S::kCancelWaiting, E::kStarted, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kCancelRequested, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kCancelWaiting, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kCancelWaiting, E::kTimedOut, S::kDone, A::kResolveTimedOut},
      {S::kCancelWaiting, E::kCanceled, S::kDone, A::kResolveCanceled},
      {S::kCancelWaiting, E::kTryCancel, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kWaitCancel, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kAbandon, S::kCancelWaiting, A::kNone},

      {S::kCancelResolved, E::kCancelRequested, S::kDone, A::kSwallow},
      {S::kCancelResolved, E::kTryCancel, S::kCancelResolved, A::kNone},
      {S::kCancelResolved, E::kWaitCancel, S::kCancelResolved, A::kNone},
      {S::kCancelResolved, E::kAbandon, S::kCancelResolved, A::kNone},
  }};

  State state = State::kCommanded;
  Event on_cancel =
      Event::kTryCancel;  // What the language's cancellation type makes of a cancellation.
  std::int64_t scheduled_event_id = 0;
  std::string id, type;
};

// What the language is told, wrapped as the protocol wants it.
FailurePtr activity_failed(const ActivityMachine& machine,
                           const api::history::v1::HistoryEvent& event);
// Cancelled by the workflow without waiting for the activity.
FailurePtr activity_cancelled(const ActivityMachine& machine);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_ACTIVITY_H_
