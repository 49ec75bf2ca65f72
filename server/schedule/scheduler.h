// Scheduler, what one schedule does: which of its times become actions, what an action does when
// the one before it still runs, what is kept for later. It does nothing itself: it says what is to
// be started, cancelled or terminated and when to ask again, and is told what came of it. Rules
// follow the scheduler that servers 1.29 and 1.32 have by default. Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_SCHEDULER_H_
#define CHIMERA_SERVER_SCHEDULE_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "temporal/api/schedule/v1/message.pb.h"

#include "server/base/types.h"
#include "server/schedule/spec.h"

namespace chimera::server::schedule {

namespace api = ::temporal::api::schedule::v1;

// An action that is due and has not begun.
struct Start {
  WallTime nominal{}, actual{};
  enums::ScheduleOverlapPolicy policy = enums::SCHEDULE_OVERLAP_POLICY_SKIP;
  bool manual = false;  // Of a trigger or a backfill: it knows no pause, limit or window.
  std::string workflow_id;
  std::string request_id;  // The same for the same action: over a restart it is not started twice.
};

struct Backfill {
  std::string id;
  WallTime done{}, end{};  // Times up to `done` have become actions.
  enums::ScheduleOverlapPolicy policy = enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED;
};

// All of it that is to be kept.
struct State {
  api::Schedule schedule;  // Its spec is canonical.
  api::ScheduleInfo info;  // But for what info() computes.
  std::int64_t conflict_token = 1;
  WallTime done{};  // Nominal times up to here have become actions, or never will.
  std::vector<Start> buffer;
  std::deque<Backfill> backfills;
  common::Payloads last_result;
  std::optional<failure::Failure> last_failure;
  std::deque<std::string> requests;  // Ids of the last patches.
};

struct Todo {
  std::vector<Start> starts;
  std::vector<common::WorkflowExecution> cancel, terminate;
  WallTime wake = kNever;  // When to ask again; at once if there is more than fits into one turn.
  bool idle = false;       // Nothing is left to do: it wakes to go.
  bool over = false;       // It has been idle for a week: it can go.
  bool changed = false;    // Something of its state.
};

class Scheduler {
 public:
  // `id`: of the schedule in all its server's namespaces.
  Scheduler(std::string id, State state, Spec spec);
  static State fresh(const api::Schedule& schedule, WallTime now);

  const State& state() const { return state_; }
  const Spec& spec() const { return spec_; }
  const std::string& id() const { return id_; }  // The seed of its jitter, too.
  Nanos catchup_window() const;

  // A bounded step; what it says is done before the next one.
  Todo advance(WallTime now);
  // What became of a start. One that was refused is dropped.
  void started(const Start& start, const std::string& run_id, WallTime now);
  // First runs of the chains whose end is to be told.
  std::vector<std::string> awaited() const;
  // The last run of the chain that began with the run has ended. False: it changes nothing.
  struct End {
    enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
    const common::Payloads* result = nullptr;
    const failure::Failure* failure = nullptr;
  };
  bool ended(const std::string& first_run_id, const End& end);

  void update(const api::Schedule& schedule, Spec spec, WallTime now);
  // What a patch asks for. `key`: drawn for it.
  void apply(const api::SchedulePatch& patch, const std::string& key, WallTime now);
  // A client's. False: a patch of this request was here before.
  bool patch(const api::SchedulePatch& patch, const std::string& request_id, const std::string& key,
             WallTime now);
  bool has_room_for(const api::SchedulePatch& patch) const;

  // As Describe and List show them.
  api::ScheduleInfo info(WallTime now) const;
  api::ScheduleListInfo list_info(WallTime now) const;

 private:
  bool may_act() const;
  bool use_action();
  enums::ScheduleOverlapPolicy resolved(enums::ScheduleOverlapPolicy policy) const;
  Start make_start(const Due& due, enums::ScheduleOverlapPolicy policy, bool manual,
                   const std::string& key) const;
  int room(int most) const;
  bool generate(WallTime now, int& budget, Todo& todo);
  bool backfill(int& budget, Todo& todo);
  void decide(WallTime now, Todo& todo);
  bool admit(const Start& start, WallTime now);
  void pause_on_failure(const std::string& workflow_id, const End& end);
  WallTime idle_until() const;
  std::vector<WallTime> future(WallTime now, int count) const;

  const std::string id_;
  State state_;
  Spec spec_;
};

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_SCHEDULER_H_
