// Activities of workflows: what commands and reports make of them in the run's history. Their
// attempts are in attempt.h. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_
#define CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

#include "server/engine/pending/attempt.h"
#include "server/engine/pending/kind.h"

namespace chimera::server {

class Activities : public PendingKind {
 public:
  struct Batch {
    absl::flat_hash_set<std::string> scheduled;
    absl::flat_hash_set<std::int64_t> events, cancelled;  // Of the scheduled; by scheduled event.
  };
  static bool takes(enums::CommandType type);
  static Verdict check(CommandCheck& check, const command::Command& command);
  static void apply(CommandTurn& turn, command::Command& command);
  bool fold(const HistoryEvent& event);
  void close();
  static bool is_result(enums::EventType type);
  static void link(HistoryEvent& event, const FlushedStarts& starts);
  void flushed(const HistoryEvent& event, FlushedStarts& starts);
  WallTime next_deadline() const;
  void collect_due(WallTime now, std::vector<Due>& due) const;
  WallTime waits_until(WallTime now) const;
  static constexpr const char* kTable = "activity";
  template <class Visit>
  void each_row(Visit visit) const {
    for (const auto& [id, activity] : open_) visit(id, activity);
  }
  bool has_rows() const { return !open_.empty(); }
  bool has_row(std::int64_t id) const { return open_.contains(id); }
  void read_row(std::int64_t id, Reader& ar);  // Of one that is gone: it is read over.
  void describe(WallTime now, wf::DescribeWorkflowExecutionResponse& response) const;
  static void resume(Transition& t);
  static void begin_again(Transition& t);
  // Those that wait in their queues, after a change of what they share.
  static void dispatch_again(Transition& t);

  Activity* find(std::int64_t scheduled_id);
  const Activity* find(std::int64_t scheduled_id) const;
  const Activity* find(const std::string& id) const;
  const std::map<std::int64_t, Activity>& all() const { return open_; }

 private:
  static Verdict check_schedule(CommandCheck& check,
                                const command::ScheduleActivityTaskCommandAttributes& a);
  static Verdict check_cancel(CommandCheck& check, std::int64_t scheduled_id);
  static void schedule(CommandTurn& turn, command::Command& command);
  static void cancel(CommandTurn& turn, command::Command& command);
  static void fire_timeout(Transition& t, std::int64_t scheduled_id);
  static void fire_attempt(Transition& t, std::int64_t scheduled_id);
  void end(std::int64_t scheduled_id);

  std::map<std::int64_t, Activity> open_;  // By their Scheduled events' ids.
  absl::flat_hash_map<std::string, std::int64_t> ids_;
};

// Of those that are paused.
std::set<std::string> paused_types(const Activities& activities);

// A run as the owner of its activities: how they end is in its history.
class RunActivities final : public ActivityOwner {
 public:
  // `worker`, if known, is the version of the worker that reports; borrowed.
  explicit RunActivities(Transition& t, const common::WorkerVersionStamp* worker = nullptr)
      : t_(t), worker_(worker) {}
  Engine& engine() override;
  WallTime now() override;
  std::weak_ptr<TaskOwner> tasks() override;
  const std::string& namespace_id() const override;
  const common::Priority& priority() const override;
  bool paused() const override;
  std::string version_for(const Activity& activity) override;
  void introduce(const Activity& activity,
                 wf::PollActivityTaskQueueResponse& response) const override;
  void completed(Activity& activity, common::Payloads& result,
                 const std::string& identity) override;
  void failed(Activity& activity, failure::Failure& failure, enums::RetryState state,
              const std::string& identity) override;
  void timed_out(Activity& activity, enums::TimeoutType type, failure::Failure& failure,
                 enums::RetryState state) override;
  void canceled(Activity& activity, common::Payloads& details, const std::string& identity);

 private:
  Transition& t_;
  const common::WorkerVersionStamp* worker_;
};

// How matching sees them; a task's id is its Scheduled event's.
class ActivityTasks final : public TaskOwner {
 public:
  void attach(Engine& engine, const Run& run) {
    engine_ = &engine;
    run_ = &run;
  }
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask) override {}  // There are no sticky queues of activities.
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override;

 private:
  Engine* engine_ = nullptr;  // Borrowed, as the run; null in a run that no engine has.
  const Run* run_ = nullptr;
};

// Which attempt a worker speaks about: found by its token or by ids.
struct ActivityRef {
  const Run* run = nullptr;
  std::int64_t scheduled_id = 0;
};
absl::StatusOr<ActivityRef> find_activity_by_token(Engine& engine, const std::string& token);
// `begun`: one that no worker has is not found.
absl::StatusOr<ActivityRef> find_activity_by_id(Engine& engine, const std::string& ns,
                                                const std::string& workflow_id,
                                                const std::string& run_id,
                                                const std::string& activity_id, bool begun);
// `worker`: the version of the one that reports; null: it does not say.
void complete_activity(Engine& engine, ActivityRef ref, common::Payloads& result,
                       const std::string& identity,
                       const common::WorkerVersionStamp* worker = nullptr);
void fail_activity(Engine& engine, ActivityRef ref, failure::Failure& failure,
                   const std::string& identity, const common::Payloads* last_heartbeat_details,
                   const common::WorkerVersionStamp* worker = nullptr);
absl::Status cancel_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                             const std::string& identity);
HeartbeatReply heartbeat_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                                  bool has_details);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_
