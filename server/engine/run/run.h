// Run, the state of one workflow execution: what its events fold to (run.cc), and beside it what no
// event tells (attempts, the pending workflow task, buffered events). Runs (runs.h) owns it and
// gives it out const: it changes in a Transition. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_RUN_H_
#define CHIMERA_SERVER_ENGINE_RUN_RUN_H_

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "temporal/api/update/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/base/call.h"
#include "server/base/types.h"
#include "server/engine/matched/workflow_tasks.h"
#include "server/engine/pending/pending.h"
#include "server/engine/run/skipped_time.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Run;
struct Namespace;
struct Query;          // matched/query.h
struct RunVersioning;  // deployments/run_versioning.h
struct Update;         // run/update.h

// The pending workflow task. Transient: a retry whose events are written only when it completes;
// speculative: made for updates alone, its events are written only when something came of it (spec
// of the API's speculative tasks).
struct WorkflowTask {
  enum class Kind { kNone, kNormal, kTransient, kSpeculative };
  Kind kind = Kind::kNone;
  int attempt = 1;  // Of the next or pending task; kept while there is none.
  std::int64_t scheduled_id = 0;
  std::int64_t started_id = 0;  // 0: not started.
  WallTime scheduled{}, started{};
  WallTime original_scheduled{};  // Carried through heartbeats.
  Nanos timeout{};                // Start to close.
  Nanos schedule_to_start{};      // 0: none.
  std::string queue;              // As named by its Scheduled event; the sticky one if sticky.
  bool sticky = false;
  // One bit, 1 << reason, for each SuggestContinueAsNewReason; 0: it is not suggested.
  unsigned suggest_reasons = 0;
  std::int64_t history_size = 0;
  std::string request_id, identity;
  std::uint64_t stamp = 0;  // Of the matching task that stands for it.

  bool pending() const { return kind != Kind::kNone; }
  bool is_started() const { return pending() && started_id != 0; }
  bool written() const { return kind == Kind::kNormal; }
};

// A workflow update that history knows: accepted, perhaps completed.
struct KnownUpdate {
  std::int64_t accepted_id = 0;
  std::int64_t completed_id = 0;  // 0: not completed.
};

// The ids of the requests that signalled a run; those that came since they were last stored stand
// apart, so that a change of the run stores only them.
class RequestIds {
 public:
  // As of a set: `second` is false if the id is there.
  auto insert(std::string id) {
    auto inserted = all_.insert(std::move(id));
    if (inserted.second) unstored_.push_back(*inserted.first);
    return inserted;
  }
  void restore(std::string id) { all_.insert(std::move(id)); }
  std::vector<std::string> take_unstored() const { return std::exchange(unstored_, {}); }
  const absl::flat_hash_set<std::string>& all() const { return all_; }

 private:
  absl::flat_hash_set<std::string> all_;
  mutable std::vector<std::string> unstored_;  // No part of what it is.
};

// Those who wait at a run; memory only.
struct Waiting {
  std::list<std::shared_ptr<Query>> queries;               // For the next task to carry them.
  std::map<std::string, std::shared_ptr<Update>> updates;  // In flight, by update id.
  // Run and dropped at the next change; by a key of the waiter's own.
  std::map<std::uint64_t, absl::AnyInvocable<void()>> history;
};

// What of a run the store has.
struct Stored {
  std::int64_t events = 0;
  std::uint64_t commit = 0;  // The last one that had something of it.
  // Of what is open: table -> id -> hash of its row.
  std::map<std::string, std::map<std::int64_t, std::size_t>, std::less<>> rows;
};

// The place of a closed run among those in memory.
struct ClosedPlace {
  bool listed = false;
  std::list<const Run*>::iterator place;
  std::int64_t bytes = 0;  // It counts as.
};

// What lists show of a run, as hashes.
struct Shown {
  std::size_t paused = 0;  // Its paused activities; 0: none.
  std::size_t rest = 0;
};

// Of those that were changed since the start.
using RunOptions = ::temporal::api::workflow::v1::WorkflowExecutionOptions;

struct RunPause {
  WallTime since{};
  std::string identity, reason, request_id;
};

class Run : public std::enable_shared_from_this<Run> {
 public:
  Run();
  ~Run();

  const history::WorkflowExecutionStartedEventAttributes& start() const {
    return events.events(0).workflow_execution_started_event_attributes();
  }
  // Also if it is paused.
  bool running() const { return status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING || paused(); }
  bool paused() const { return status == enums::WORKFLOW_EXECUTION_STATUS_PAUSED; }
  // As it was started, or changed.
  bool has_priority() const { return changed_priority != nullptr || start().has_priority(); }
  const common::Priority& priority() const {
    return changed_priority != nullptr ? *changed_priority : start().priority();
  }
  std::int64_t next_event_id() const { return events.events_size() + 1; }
  const HistoryEvent& last_event() const { return events.events(events.events_size() - 1); }
  // What it has open, by kind.
  const Pending& pending() const { return pending_; }
  template <class Kind>
  const Kind& open() const {
    return pending_.of<Kind>();
  }
  WallTime next_deadline() const;
  // Its own time when the server's is `time`, and the other way round; kNever is never on both.
  WallTime clock(WallTime time) const {
    return skipped ? add_saturated(time, skipped->ahead) : time;
  }
  WallTime server_time(WallTime clock) const {
    return skipped && clock != kNever ? clock - skipped->ahead : clock;
  }

  // Identity.
  Namespace* ns = nullptr;
  std::string workflow_id, run_id, first_run_id;
  std::uint64_t order = 0;  // Of creation, and its number in the store.
  enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  // All times of a run are on its own clock.
  WallTime start_time{}, execution_time{}, close_time{};
  WallTime run_expires = kNever, execution_expires = kNever;
  WallTime backoff_until{};  // The first workflow task waits until then; kUnset: it does not.
  Nanos task_timeout{};
  std::string task_queue, workflow_type;
  std::map<std::string, common::Payload> memo, search_attributes;

  // History; one batch per transition. The events' addresses are stable.
  history::History events;
  std::vector<std::int64_t> batches;  // First event id of each.
  std::int64_t history_size = 0;
  std::int64_t transitions = 0;

  // Workflow tasks.
  WorkflowTask task;
  std::int64_t last_completed_started_id = 0;
  std::int64_t completed_tasks = 0;
  std::int64_t events_since_failure = 0;  // Non-task events since the last failed task.
  int consecutive_failures = 0;           // Of workflow tasks.
  std::string reported_problem_category, reported_problem_cause;
  // Where each build first completed a task, in this run and those before it.
  ::temporal::api::workflow::v1::ResetPoints reset_points;
  absl::flat_hash_map<std::string, KnownUpdate> known_updates;
  bool cancel_requested = false;
  std::unique_ptr<common::Priority> changed_priority;  // Null: as it was started.
  std::unique_ptr<RunPause> pause;                     // Null: it is not paused.
  std::unique_ptr<SkippedTime> skipped;                // Null: its clock is the server's.
  std::int64_t signal_count = 0;
  RequestIds signal_request_ids;

  // Stickiness.
  std::string sticky_queue;
  Nanos sticky_timeout{};

  // Buffered while a workflow task is started; event_id 0, time set.
  std::vector<HistoryEvent> buffered;
  bool close_was_refused =
      false;  // A close command met buffered events; until the retry ends no new ones come in.
  bool is_closing() const { return close_was_refused && task.is_started(); }

  // How it was started and followed.
  std::string start_request_id;
  // Of the starts that were answered with this run and left a trace in it -> the trace's event; 0:
  // it is buffered.
  absl::flat_hash_map<std::string, std::int64_t> attached_requests;
  ::temporal::api::sdk::v1::UserMetadata user_metadata;
  std::string new_run_id;  // The run that follows this one, once closed.
  std::string reset_run_id;
  WallTime last_reset{};
  // Of the worker that completed the last task, and the builds of all that completed one, in the
  // order of their first.
  std::string last_worker_build_id, worker_deployment;
  bool has_worker_stamp = false;
  std::vector<std::string> build_ids;
  std::unique_ptr<RunVersioning> versioning;  // Null: it has nothing to do with versions.

  bool in_transition = false;
  bool warned_of_history = false;

  // What is about a run but no part of its state, so that it may change outside of a transition.
  mutable Waiting waiting;
  mutable Stored stored;
  mutable ClosedPlace closed;
  mutable Shown shown;
  mutable WorkflowTasks workflow_tasks;  // As matching sees them.
  mutable ActivityTasks activity_tasks;
  mutable std::unique_ptr<Timer> timer;

 private:
  friend class Transition;
  friend class Rebuild;
  // Folds one event into the state. For a buffered event it runs when the event is buffered, so
  // that a second report of the same activity finds nothing; event ids of buffered events are not
  // known yet then.
  void fold(const HistoryEvent& event);
  // One that was folded when it was buffered has its id now.
  void flushed(const HistoryEvent& event);
  // A reset run's times count from the reset; `at` unset: it is none.
  void begin_again(WallTime at);

  Pending pending_;
};
// Shared by the Engine's index and by what may outlive a deleted run and holds it weakly, such as
// its tasks in matching.
using RunPtr = std::shared_ptr<const Run>;
using RunWeak = std::weak_ptr<const Run>;
inline RunPtr share(const Run& run) { return run.shared_from_this(); }
// A part of a run as matching has it: it lives with the run.
inline std::weak_ptr<TaskOwner> part_of(const Run& run, TaskOwner& part) {
  return std::shared_ptr<TaskOwner>(share(run), &part);
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_RUN_H_
