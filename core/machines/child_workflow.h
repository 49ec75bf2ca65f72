// ChildWorkflowMachine, one child workflow. Owned by its run; lane thread.
// The request to cancel the child is a machine of its own.
#ifndef CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_
#define CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_

#include <string>

#include "absl/strings/string_view.h"

#include "core/machines/outcome.h"
#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct ChildWorkflowMachine : MachineBase {
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

  using Begins = StartChildWorkflowExecution;
  using Cancels = CancelChildWorkflowExecution;
  static constexpr char kPlural[] = "child workflows";
  static constexpr EventType kBegunBy =
      api::enums::v1::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED;
  static const LaterEvent kLater[7];

  void begin(StartChildWorkflowExecution& command, Command& whole, RunPort& run);
  void cancel(CancelChildWorkflowExecution& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is a child's.
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent& event);

  absl::string_view namespace_() const { return part(0, namespace_end); }
  absl::string_view workflow_id() const { return part(namespace_end, id_end); }
  absl::string_view type() const { return part(id_end, names.size()); }

  State state = State::kCommanded;
  Event on_cancel = Event::kAbandon;
  bool made_up_id = false;  // The language's own.
  bool renamed = false;     // History has another SDK's instead.
  // Namespace, workflow id and type, one behind the other: all machines take as much room as the
  // largest.
  std::string names;
  std::uint32_t namespace_end = 0, id_end = 0;
  std::string run_id;
  std::int64_t started_event_id = 0;

 private:
  absl::string_view part(std::size_t from, std::size_t to) const {
    return absl::string_view(names).substr(from, to - from);
  }
  // That it is the code's; another SDK's id is taken over where the code gave none.
  absl::Status check(const HistoryEvent& event, RunPort& run);
  void rename(const std::string& id);
  void request_cancel(const std::string& reason, RunPort& run) const;
  // Failed, timed out or terminated.
  FailurePtr failed(const HistoryEvent& event) const;
  // As its event says, or (event null) at once.
  FailurePtr cancelled(const HistoryEvent* event) const;
  FailurePtr cancelled_before_start(const std::string& reason) const;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_CHILD_WORKFLOW_H_
