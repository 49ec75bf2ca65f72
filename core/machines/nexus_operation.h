// NexusOperationMachine, one Nexus operation that the workflow calls. Owned by its run; lane
// thread.
#ifndef CHIMERA_CORE_MACHINES_NEXUS_OPERATION_H_
#define CHIMERA_CORE_MACHINES_NEXUS_OPERATION_H_

#include <string>

#include "absl/strings/string_view.h"

#include "core/machines/outcome.h"
#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct NexusOperationMachine : MachineBase {
  enum class State : std::uint8_t {
    kCommanded,
    kScheduled,
    kStarted,
    kScheduledCancel,  // Cancellation is asked for; what is waited for is up to its type.
    kStartedCancel,    // Likewise.
    kCancelResolved,   // The language was told "cancelled"; CancelRequested is still to come.
    kDone,
    kCount
  };
  enum class Event : std::uint8_t {
    kScheduled,
    kStarted,
    kCompleted,
    kFailed,
    kCanceled,
    kTimedOut,
    kCancelRequested,
    kCancelDelivered,    // The handler has the request, or
    kCancelUndelivered,  // will not get it; to those that wait for that.
    kCancelNews,         // Either of them, to the others.
    kTryCancel,
    kWaitCancel,
    kAbandon,  // From the language.
    kCount
  };
  enum class Action : std::uint8_t {
    kNone,
    kDropCommandAndFailStart,
    kCommandCancel,
    kCommandCancelAndResolveCancelled,
    kResolveCancelled,  // However it ends is of no interest to the run any more (the official core
    kSwallow,           // wedges here).
    kResolveStarted,
    kResolveStartFailed,
    kResolveSync,
    kResolveCompleted,
    kResolveFailed,
    kResolveCanceled,
    kResolveTimedOut,
    kResolveDelivered,
    kResolveUndelivered,
    kCount
  };
  using S = State;
  using E = Event;
  using A = Action;

  static constexpr Table<State, Event, Action> kTable{{
      {S::kCommanded, E::kScheduled, S::kScheduled, A::kNone},
      {S::kCommanded, E::kTryCancel, S::kDone, A::kDropCommandAndFailStart},
      {S::kCommanded, E::kWaitCancel, S::kDone, A::kDropCommandAndFailStart},
      {S::kCommanded, E::kAbandon, S::kDone, A::kDropCommandAndFailStart},

      {S::kScheduled, E::kStarted, S::kStarted, A::kResolveStarted},
      {S::kScheduled, E::kCompleted, S::kDone, A::kResolveSync},
      {S::kScheduled, E::kFailed, S::kDone, A::kResolveStartFailed},
      {S::kScheduled, E::kCanceled, S::kDone, A::kResolveStartFailed},
      {S::kScheduled, E::kTimedOut, S::kDone, A::kResolveStartFailed},
      {S::kScheduled, E::kTryCancel, S::kCancelResolved, A::kCommandCancelAndResolveCancelled},
      {S::kScheduled, E::kWaitCancel, S::kScheduledCancel, A::kCommandCancel},
      {S::kScheduled, E::kAbandon, S::kDone, A::kResolveCancelled},

      {S::kStarted, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kStarted, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kStarted, E::kCanceled, S::kDone, A::kResolveCanceled},
      {S::kStarted, E::kTimedOut, S::kDone, A::kResolveTimedOut},
      {S::kStarted, E::kTryCancel, S::kCancelResolved, A::kCommandCancelAndResolveCancelled},
      {S::kStarted, E::kWaitCancel, S::kStartedCancel, A::kCommandCancel},
      {S::kStarted, E::kAbandon, S::kDone, A::kResolveCancelled},

      {S::kScheduledCancel, E::kCancelRequested, S::kScheduledCancel, A::kNone},
      {S::kScheduledCancel, E::kStarted, S::kStartedCancel, A::kResolveStarted},
      {S::kScheduledCancel, E::kCompleted, S::kDone, A::kResolveSync},
      {S::kScheduledCancel, E::kFailed, S::kDone, A::kResolveStartFailed},
      {S::kScheduledCancel, E::kCanceled, S::kDone, A::kResolveStartFailed},
      {S::kScheduledCancel, E::kTimedOut, S::kDone, A::kResolveStartFailed},
      {S::kScheduledCancel, E::kCancelDelivered, S::kDone, A::kResolveDelivered},
      {S::kScheduledCancel, E::kCancelUndelivered, S::kDone, A::kResolveUndelivered},
      {S::kScheduledCancel, E::kCancelNews, S::kScheduledCancel, A::kNone},
      {S::kScheduledCancel, E::kWaitCancel, S::kScheduledCancel, A::kNone},

      {S::kStartedCancel, E::kCancelRequested, S::kStartedCancel, A::kNone},
      {S::kStartedCancel, E::kCompleted, S::kDone, A::kResolveCompleted},
      {S::kStartedCancel, E::kFailed, S::kDone, A::kResolveFailed},
      {S::kStartedCancel, E::kCanceled, S::kDone, A::kResolveCanceled},
      {S::kStartedCancel, E::kTimedOut, S::kDone, A::kResolveTimedOut},
      {S::kStartedCancel, E::kCancelDelivered, S::kDone, A::kResolveDelivered},
      {S::kStartedCancel, E::kCancelUndelivered, S::kDone, A::kResolveUndelivered},
      {S::kStartedCancel, E::kCancelNews, S::kStartedCancel, A::kNone},
      {S::kStartedCancel, E::kWaitCancel, S::kStartedCancel, A::kNone},

      {S::kCancelResolved, E::kCancelRequested, S::kDone, A::kSwallow},
      {S::kCancelResolved, E::kTryCancel, S::kCancelResolved, A::kNone},
  }};

  using Begins = ScheduleNexusOperation;
  using Cancels = RequestCancelNexusOperation;
  static constexpr char kPlural[] = "Nexus operations";
  static constexpr EventType kBegunBy = api::enums::v1::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED;
  static const LaterEvent kLater[7];

  void begin(ScheduleNexusOperation& command, Command& whole, RunPort& run);
  void cancel(RequestCancelNexusOperation& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is an operation's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  absl::string_view endpoint() const { return part(0, endpoint_end); }
  absl::string_view service() const { return part(endpoint_end, service_end); }
  absl::string_view operation() const { return part(service_end, names.size()); }

  State state = State::kCommanded;
  Event on_cancel = Event::kWaitCancel;
  bool waits_for_delivery = false;  // Of a cancellation, and no longer.
  bool cancel_commanded = false;
  // Endpoint, service and operation, one behind the other, as ChildWorkflowMachine has its names.
  std::string names;
  std::uint32_t endpoint_end = 0, service_end = 0;
  std::string token;  // Of the operation that has started.

 private:
  absl::string_view part(std::size_t from, std::size_t to) const {
    return absl::string_view(names).substr(from, to - from);
  }
  // That it is the code's.
  absl::Status check(const HistoryEvent& event, RunPort& run) const;
  Event event_of(EventType type) const;
  void tell(Action action, const HistoryEvent& event, RunPort& run);
  // With what the core knows of the operation, and a cause.
  std::shared_ptr<api::failure::v1::Failure> failed(const std::string& message) const;
  FailurePtr cancelled(const std::string& message) const;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_NEXUS_OPERATION_H_
