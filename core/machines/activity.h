// ActivityMachine, one activity that the server schedules. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_ACTIVITY_H_
#define CHIMERA_CORE_MACHINES_ACTIVITY_H_

#include <string>

#include "core/machines/outcome.h"
#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct ActivityMachine : MachineBase {
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

  using Begins = ScheduleActivity;
  using Cancels = RequestCancelActivity;
  static constexpr char kPlural[] = "activities";
  static constexpr EventType kBegunBy = api::enums::v1::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED;
  static const LaterEvent kLater[5];

  void begin(ScheduleActivity& command, Command& whole, RunPort& run);
  void cancel(RequestCancelActivity& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is an activity's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  State state = State::kCommanded;
  // What the language's cancellation type makes of a cancellation.
  Event on_cancel = Event::kTryCancel;
  std::string id, type;

 private:
  // That it is the code's; another SDK's id is taken over.
  absl::Status check(const HistoryEvent& event, RunPort& run);
  FailurePtr failed(const HistoryEvent& event) const;
  // Cancelled by the workflow without waiting for the activity.
  FailurePtr cancelled() const;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_ACTIVITY_H_
