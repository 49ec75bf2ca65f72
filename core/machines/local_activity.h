// LocalActivityMachine, one local activity: it runs in this worker, inside the workflow task, and
// leaves a marker. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_LOCAL_ACTIVITY_H_
#define CHIMERA_CORE_MACHINES_LOCAL_ACTIVITY_H_

#include <array>
#include <optional>
#include <string>

#include "core/language/local_activity.h"
#include "core/machines/local_marker.h"
#include "core/machines/outcome.h"
#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

struct LocalActivityMachine : MachineBase {
  enum class State : std::uint8_t {
    kWaiting,          // Replaying: for the marker that tells how it ended.
    kWaitingToStop,    // Likewise; the code has asked for its end and waits for it.
    kExecuting,        // In this worker.
    kCancelWaiting,    // Likewise; it was told to stop, how it ends is up to it.
    kMarkerCommanded,  // The language knows; history is to confirm the marker.
    kDone,
    kCount
  };
  enum class Event : std::uint8_t {
    kLive,      // The marker will not come: history is over.
    kAhead,     // The task to come has its marker.
    kEnded,     // From the worker.
    kDropped,   // From the worker, which ends.
    kRecorded,  // The marker's event.
    kTryCancel,
    kWaitCancel,
    kAbandon,  // From the language.
    kLetGo,    // From the run, which ends or leaves.
    kCount
  };
  enum class Action : std::uint8_t {
    kNone,
    kExecute,
    kExecuteAndStop,
    kResolve,
    kStop,
    kStopAndResolveCancelled,
    kForgetAndResolveCancelled,  // The attempt goes on, but nobody hears of it.
    kStopAndForget,
    kCount
  };
  using S = State;
  using E = Event;
  using A = Action;

  static constexpr Table<State, Event, Action> kTable{{
      {S::kWaiting, E::kLive, S::kExecuting, A::kExecute},
      {S::kWaiting, E::kAhead, S::kMarkerCommanded, A::kResolve},
      // The marker tells what became of the cancellation.
      {S::kWaiting, E::kTryCancel, S::kWaiting, A::kNone},
      {S::kWaiting, E::kWaitCancel, S::kWaitingToStop, A::kNone},
      {S::kWaiting, E::kAbandon, S::kWaiting, A::kNone},
      {S::kWaiting, E::kLetGo, S::kDone, A::kNone},

      {S::kWaitingToStop, E::kLive, S::kCancelWaiting, A::kExecuteAndStop},
      {S::kWaitingToStop, E::kAhead, S::kMarkerCommanded, A::kResolve},
      {S::kWaitingToStop, E::kTryCancel, S::kWaitingToStop, A::kNone},
      {S::kWaitingToStop, E::kWaitCancel, S::kWaitingToStop, A::kNone},
      {S::kWaitingToStop, E::kAbandon, S::kWaitingToStop, A::kNone},
      {S::kWaitingToStop, E::kLetGo, S::kDone, A::kNone},

      {S::kExecuting, E::kEnded, S::kMarkerCommanded, A::kResolve},
      {S::kExecuting, E::kDropped, S::kDone, A::kNone},
      {S::kExecuting, E::kTryCancel, S::kMarkerCommanded, A::kStopAndResolveCancelled},
      {S::kExecuting, E::kWaitCancel, S::kCancelWaiting, A::kStop},
      {S::kExecuting, E::kAbandon, S::kMarkerCommanded, A::kForgetAndResolveCancelled},
      {S::kExecuting, E::kLetGo, S::kDone, A::kStopAndForget},

      {S::kCancelWaiting, E::kEnded, S::kMarkerCommanded, A::kResolve},
      {S::kCancelWaiting, E::kDropped, S::kDone, A::kNone},
      {S::kCancelWaiting, E::kTryCancel, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kWaitCancel, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kAbandon, S::kCancelWaiting, A::kNone},
      {S::kCancelWaiting, E::kLetGo, S::kDone, A::kStopAndForget},

      {S::kMarkerCommanded, E::kRecorded, S::kDone, A::kNone},
      {S::kMarkerCommanded, E::kEnded, S::kMarkerCommanded, A::kNone},
      {S::kMarkerCommanded, E::kDropped, S::kMarkerCommanded, A::kNone},
      {S::kMarkerCommanded, E::kTryCancel, S::kMarkerCommanded, A::kNone},
      {S::kMarkerCommanded, E::kWaitCancel, S::kMarkerCommanded, A::kNone},
      {S::kMarkerCommanded, E::kAbandon, S::kMarkerCommanded, A::kNone},
      {S::kMarkerCommanded, E::kLetGo, S::kMarkerCommanded, A::kNone},
  }};

  using Begins = ScheduleLocalActivity;
  using Cancels = RequestCancelLocalActivity;
  static constexpr char kPlural[] = "local activities";
  static constexpr EventType kBegunBy = api::enums::v1::EVENT_TYPE_MARKER_RECORDED;
  static constexpr std::array<LaterEvent, 0> kLater{};

  void begin(ScheduleLocalActivity& command, Command& whole, RunPort& run);
  void cancel(RequestCancelLocalActivity& command, Command& whole, RunPort& run);
  absl::Status on(const HistoryEvent& event, RunPort& run);
  bool done() const { return state == State::kDone; }
  std::string describe(EventType confirmed_by) const;
  static std::string describe(const HistoryEvent&) { return ""; }

  // History is over, and no marker came: runs it. No effect elsewhere.
  void go_live(RunPort& run);
  // History has its end in the task to come.
  void ahead(LocalMarker marker, RunPort& run);
  void ended(LocalActivityOutcome outcome, RunPort& run);
  // The run ends or leaves: stops it, without a marker.
  void let_go(RunPort& run);
  bool waiting() const { return state == State::kWaiting || state == State::kWaitingToStop; }
  // The task stays open for it.
  bool executing() const { return state == State::kExecuting || state == State::kCancelWaiting; }

  State state = State::kWaiting;
  Event on_cancel = Event::kWaitCancel;
  std::shared_ptr<const ScheduleLocalActivity> activity;  // Until it has ended.
  // The metadata that the language gave it, for its marker; null: none.
  std::unique_ptr<Command> extras;
  std::string id, type;
  base::WallTime scheduled{};          // Workflow time.
  base::WallTime original_schedule{};  // Of the first attempt; zero: this one.
  std::uint64_t place = 0;             // Its command's.

 private:
  // Makes the transition; tells the run when the task need not stay open for this any longer.
  bool advance(Event event, Action& action, RunPort& run);
  // Commands the marker and tells the language.
  void resolve(LocalMarker marker, RunPort& run);
  void resolve_cancelled(RunPort& run);
  FailurePtr wrapped(const api::failure::v1::Failure& bare, const char* message) const;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_LOCAL_ACTIVITY_H_
