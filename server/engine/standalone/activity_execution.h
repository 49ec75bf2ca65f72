// ActivityExecution, an activity that stands alone: what it was started with, how its attempts go,
// how it ended. ActivityExecutions owns it and gives it out const: it changes in an ActivityChange.
// Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTION_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "temporal/api/enums/v1/activity.pb.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include "server/engine/pending/attempt.h"
#include "server/engine/pending/callback.h"
#include "server/engine/standalone/executions.h"
#include "server/matching/task.h"

namespace chimera::server {

struct ActivityExecution;
using ActivityExecutionPtr = std::shared_ptr<const ActivityExecution>;

// How matching sees the waiting attempt.
class StandaloneTasks final : public TaskOwner {
 public:
  void attach(Engine& engine, const ActivityExecution& execution) {
    engine_ = &engine;
    execution_ = &execution;
  }
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask) override {}  // There are no sticky queues of activities.
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override;

 private:
  Engine* engine_ = nullptr;  // Borrowed, as the execution.
  const ActivityExecution* execution_ = nullptr;
};

struct ActivityExecution : StandaloneExecution, std::enable_shared_from_this<ActivityExecution> {
  using Status = enums::ActivityExecutionStatus;
  static constexpr char kName[] = "activity";
  static constexpr char kStartTable[] = "activity_start", kStateTable[] = "activity_state";

  // --- As it was started; this does not change.
  Activity::Attributes attributes;  // Id, type, queue, input, timeouts: what `activity` is of.
  ::temporal::api::nexus::v1::PropagatedSerializationContext nexus_context;
  Nanos asked_delay{};  // Of the first attempt.

  // --- What becomes of it.
  Activity activity;
  Status status = enums::ACTIVITY_EXECUTION_STATUS_RUNNING;  // Until it has ended.
  std::unique_ptr<::temporal::api::activity::v1::ActivityExecutionOutcome> outcome;
  Nanos start_delay{};
  WallTime first_started{};  // kUnset: no worker ever had it.
  WallTime last_started{};   // Of the last attempt that was.
  Nanos retry_interval{};    // Until the next attempt; zero: none has failed, or it was reset.
  bool by_worker = false;    // That interval is the worker's wish.
  WallTime last_heartbeat{};
  std::int64_t heartbeats = 0;
  std::set<std::string> link_requests;  // That have brought links.
  std::vector<RunCallback> callbacks;   // By its start, or later ones that it answered.
  // The last request of each kind that was granted: a second time it changes nothing.
  std::string pause_request_id, unpause_request_id, reset_request_id, options_request_id;
  // Asked for while an attempt runs; done when that ends without success.
  struct Reset {
    bool keep_paused = false, restore_options = false, forget_heartbeat = false;
  };
  std::optional<Reset> reset;

  StandaloneTasks tasks;  // Not kept.

  const std::string& id() const { return attributes.activity_id(); }
  bool open() const { return status == enums::ACTIVITY_EXECUTION_STATUS_RUNNING; }
  bool cancel_requested() const { return activity.cancel_requested_id != 0; }
  // As clients see it: one that waits while it is paused has that as its status.
  Status visible_status() const;
  // "Scheduled", "PauseRequested", "TimedOut": as errors name it.
  std::string state() const;
  WallTime first_dispatch() const { return add_saturated(scheduled, start_delay); }
  WallTime next_deadline() const;  // kNever: none.
  void attach(Engine& engine) { tasks.attach(engine, *this); }
  std::uint64_t last_stamp() const { return activity.stamp; }

  // As the store has it, in two rows.
  std::string start_row() const;
  std::string state_row() const;
  bool read(absl::string_view start, absl::string_view state);  // But for `ns`, by its id.
};

inline ActivityExecutionPtr share(const ActivityExecution& execution) {
  return execution.shared_from_this();
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTION_H_
