// WorkflowRun's inside. Four files define it: run.cc (inputs and outputs), run_history.cc
// (following the history), run_machines.cc (events to machines to jobs), run_commands.cc (commands
// of the language to machines).
#ifndef CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
#define CHIMERA_CORE_WORKFLOW_RUN_STATE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "core/history/batch.h"
#include "core/history/buffer.h"
#include "core/machines/machines.h"
#include "core/machines/patch.h"
#include "core/machines/properties.h"
#include "core/machines/record.h"
#include "core/machines/update.h"
#include "core/workflow/run.h"

namespace chimera::core {

class WorkflowRun::State final : private RunPort {
 public:
  explicit State(RunOptions options) : options_(std::move(options)) {}

  void step(RunInput input, std::vector<RunOutput>& outputs);
  bool idle() const { return phase_ == Phase::kIdle; }
  bool ended() const { return ended_; }
  std::int64_t last_processed() const { return last_processed_; }
  bool has_local_work() const { return executing_ > 0; }
  std::size_t memory_bytes() const;

 private:
  enum class Phase {
    kIdle,
    kPage,      // A page of history is under way.
    kLanguage,  // The language has an activation.
    kLocal,     // The task waits for local activities alone.
    kReply,     // The server has our answer.
    kEvicting,  // The language has RemoveFromCache.
    kGone,
  };
  // An update that is to be delivered before the event after its sequencing event.
  struct PendingUpdate {
    std::int64_t sequencing_event_id;
    std::string instance_id, message_id;
    const api::update::v1::Request* request;
    std::shared_ptr<const void> owner;
    bool run_validator;
  };

  // --- run.cc: inputs, outputs, the course of a task
  void on(TaskInput input);
  void on(PageInput input);
  void on(LanguageDone input);
  void on(ReplyInput input);
  void on(EvictInput input);
  void on(LocalActivityDone input);
  void on(Time input);
  void fetch(bool from_start);
  void proceed();  // Follows history until something is needed from outside.
  void dispatch();
  Batch up_to_query(const Batch& batch);
  std::shared_ptr<Activation> make_activation() const;
  bool ask_queries();
  void take_query_answers(std::vector<Command>& commands);
  void finish_task();
  // A heartbeat: what the task has so far; the server makes the next task at once.
  void send_completion(bool heartbeat = false);
  void answer_legacy_query();
  void refuse_legacy_query(const std::string& why);
  bool fails_workflow() const;
  void fail_task(const absl::Status& status);
  void fail_task(api::failure::v1::Failure failure, api::enums::v1::WorkflowTaskFailedCause cause,
                 EvictionReason reason);
  void fail_workflow(api::failure::v1::Failure failure);
  void evict(EvictionReason reason, std::string message);
  void end_task();

  // --- run_history.cc
  absl::Status apply(const Batch& batch);
  void begin_dialect(const HistoryEvent& started, const HistoryEvent& completed);
  absl::Status look_ahead(absl::Span<const HistoryEvent* const> events, const Batch& batch);
  absl::Status look_ahead_marker(const HistoryEvent& event, bool own);
  void look_ahead_update(absl::Span<const HistoryEvent* const> events, const HistoryEvent& event);
  absl::Status apply_event(const HistoryEvent& event);
  absl::Status check_confirmed(const HistoryEvent* event);
  void apply_started(const HistoryEvent& event);
  void apply_task_started(const HistoryEvent& event);
  absl::Status match_command(const HistoryEvent& event);
  absl::Status match_record(const HistoryEvent& event);
  void queue_messages();
  void queue_update(PendingUpdate update);
  void admit_update(const HistoryEvent& event);
  void deliver_updates(std::int64_t before_event_id);
  void take_versions(const api::history::v1::WorkflowTaskCompletedEventAttributes& completed);

  // --- run_local.cc
  // A task that came with live history: what replay has left open runs now.
  void begin_local_work();
  void look_ahead_local(const HistoryEvent& event);
  void look_further_local(absl::Span<const HistoryEvent* const> events);
  // Markers of the task that meet their activity now; `at_rest`: nothing else can happen.
  bool release_ahead(bool at_rest);
  void settle();  // Ends that came while the language or the server was at work.
  void end_local(LocalActivityDone& done);
  void let_go_local();
  bool wait_for_local_work();
  LocalActivityMachine* local(std::uint32_t seq);
  LocalActivityMachine* local_of(const LocalMarker& marker);
  std::vector<std::uint32_t> local_seqs() const;

  // --- run_machines.cc
  // What machines may do.
  const RunContext& context() const override { return options_.context; }
  bool live() const override { return !replaying_ && !options_.replay_only; }
  bool use(CoreFlag flag) override { return flags_.use(flag, replaying_); }
  Dialect& dialect() override { return dialect_; }
  void send(const MachineBase& machine, EventType confirmed_by,
            std::unique_ptr<ApiCommand> command) override;
  void take_back(const MachineBase& machine) override { outgoing_.drop(machine.kind, machine.seq); }
  std::int64_t next_command_event_id() const override {
    return started_event_id_ + 2 + static_cast<std::int64_t>(outgoing_.unsent());
  }
  void issue(CommandVariant command) override;
  void tell(Job job) override { jobs_.push_back(std::move(job)); }
  void swallow(const MachineBase& machine) override;
  void execute(const MachineBase& machine,
               std::shared_ptr<const ScheduleLocalActivity> activity) override;
  void executed() override { --executing_; }
  void stop(const MachineBase& machine) override;
  std::optional<LocalMarker> take_cancelled_ahead(const MachineBase& machine) override;
  base::WallTime time() const override { return time_; }
  void reach(base::WallTime time) override { time_ = std::max(time_, time); }
  std::uint32_t activations() const override { return activations_; }
  void keep(std::shared_ptr<const void> owner) override { keep_alive_.push_back(std::move(owner)); }
  absl::Status disagree(const HistoryEvent& event, const std::string& what) const override {
    return nondeterminism(&event, meeting_, what);
  }
  // What happens to machines.
  static std::uint64_t key_of(MachineKind kind, std::uint32_t seq) {
    return static_cast<std::uint64_t>(kind) << 32 | seq;
  }
  using Machines = absl::flat_hash_map<std::uint64_t, Machine>;
  template <class Command>
  absl::Status begin(Command& command, core::Command& whole);
  void let_go(Machines::iterator machine);
  absl::Status route(const HistoryEvent& event);
  absl::Status confirm(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status confirm_update(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status nondeterminism(const HistoryEvent* event, const OutgoingCommand* command,
                              const std::string& what) const;
  std::string describe(const OutgoingCommand& command) const;

  // --- run_commands.cc
  absl::Status take(std::vector<Command>& commands);
  absl::Status take_issued();
  template <class One>
  absl::Status take(One& command, Command& whole);
  absl::Status take_other(SetPatchMarker& command, Command& whole);
  absl::Status take_other(RecordOnce& command, Command& whole);
  absl::Status take_other(UpsertWorkflowSearchAttributes& command, Command& whole);
  absl::Status take_other(ModifyWorkflowProperties& command, Command& whole);
  absl::Status take_other(CompleteWorkflowExecution& command, Command& whole);
  absl::Status take_other(FailWorkflowExecution& command, Command& whole);
  absl::Status take_other(CancelWorkflowExecution& command, Command& whole);
  absl::Status take_other(ContinueAsNewWorkflowExecution& command, Command& whole);
  absl::Status take_other(ScheduleNexusOperation& command, Command& whole);
  absl::Status take_other(RequestCancelNexusOperation& command, Command& whole);
  absl::Status take_other(RespondToQuery& command, Command& whole);
  absl::Status take_other(UpdateResponse& command, Command& whole);
  void end_with(EventType confirmed_by, std::unique_ptr<ApiCommand> command);

  RunOptions options_;
  Phase phase_ = Phase::kIdle;
  std::vector<RunOutput>* outputs_ = nullptr;  // Of the step under way.
  EvictionReason eviction_ = EvictionReason::kUnspecified;
  std::string eviction_message_;

  // The task under way.
  std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse> task_;
  std::shared_ptr<const HistoryPage>
      tail_;  // The task's own events, wanted after the history from its start.
  std::string next_page_token_;
  bool asking_queries_ = false, asked_queries_ = false;
  std::vector<RespondToQuery> query_answers_;
  api::enums::v1::VersioningBehavior versioning_behavior_{};

  // Where history stands.
  HistoryBuffer buffer_;
  std::int64_t last_processed_ = 0;
  std::int64_t started_event_id_ = 0;  // Of the workflow task applied last.
  std::int64_t previous_started_ = 0;  // Up to this task, we replay.
  bool replaying_ = false;
  bool confirming_ = false;  // Between a WorkflowTaskCompleted and the last event of its commands.
  bool language_knows_ = false;  // InitializeWorkflow was delivered.
  bool ended_ = false;
  bool terminal_commanded_ = false;
  base::WallTime time_{};
  std::uint64_t history_size_ = 0;
  bool suggest_continue_as_new_ = false, target_version_changed_ = false;
  std::vector<api::enums::v1::SuggestContinueAsNewReason> suggest_reasons_;
  std::optional<api::deployment::v1::WorkerDeploymentVersion> deployment_version_;
  Flags flags_;

  // For the next activation.
  std::vector<Job> jobs_;
  std::vector<std::shared_ptr<const void>> keep_alive_;
  std::vector<PendingUpdate> pending_updates_;  // By sequencing event id.

  // Local activities.
  int executing_ = 0;
  std::uint32_t activations_ = 0;     // Of this task, without queries.
  bool caught_up_ = false;            // The task's own events have been applied, live.
  bool wake_asked_ = false;           // For this task.
  bool heartbeat_due_ = false;        // Likewise.
  bool dropped_ = false;              // The worker ends and leaves some to others.
  std::uint32_t later_attempts_ = 0;  // Made for this task.
  std::chrono::nanoseconds task_timeout_{};
  std::vector<LocalActivityDone> ends_;  // That came while the run could not take them.
  // Of the task to come, in history's order; those before `ahead_next_` have met theirs.
  std::vector<LocalMarker> ahead_;
  std::size_t ahead_next_ = 0;
  std::vector<std::uint64_t> later_orders_;  // Of another SDK's markers behind those.

  // What the code has under way.
  Outgoing outgoing_;
  UpdateMessages messages_;
  Machines machines_;                                          // By kind and seq.
  absl::flat_hash_map<std::int64_t, std::uint64_t> by_event_;  // By the event that began them.
  // Events that began what ended early here: later events of these say nothing.
  absl::flat_hash_set<std::int64_t> swallow_;
  std::vector<CommandVariant> issued_;        // By machines, not taken yet.
  const OutgoingCommand* meeting_ = nullptr;  // Meets its event just now.
  std::uint32_t next_own_ = kOwnSeq;
  absl::flat_hash_map<std::string, UpdateMachine> updates_;  // By protocol instance id.
  absl::flat_hash_set<std::string> known_updates_;  // Looked ahead in history, not yet accepted.

  Dialect dialect_;
  ChangeVersions change_versions_;
  Patches patches_{change_versions_};
  Records records_{change_versions_};
  Properties properties_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
