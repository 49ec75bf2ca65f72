#include "core/workflow/replay.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace chimera::core {
namespace {

// One replay: steps the run and carries out what it asks for. Only the language's answer comes from
// another thread.
class Replay {
 public:
  Replay(RunOptions options, WorkflowLanguage& language, RecordedTask task)
      : context_(options.context),
        language_(language),
        task_(std::move(task)),
        run_(std::move(options)) {}

  ReplayVerdict run() {
    run_.step(TaskInput{task_, page()}, outputs_);
    carry_out_all();
    if (!verdict_) {
      run_.step(EvictInput{EvictionReason::kLangRequested, "the replay is done"}, outputs_);
      carry_out_all();
    }
    if (verdict_) return *std::move(verdict_);
    return {EvictionReason::kFatal, "the run did not leave the cache"};
  }

 private:
  std::shared_ptr<const HistoryPage> page() const {
    return std::make_shared<HistoryPage>(task_, &task_->history(), "");
  }

  void carry_out_all() {
    while (!outputs_.empty() && !verdict_) {
      for (RunOutput& output : std::exchange(outputs_, {})) {
        std::visit([this](auto& value) { carry_out(value); }, output);
        if (verdict_) return;
      }
    }
  }

  void carry_out(Activate& output) {
    if (instance_ == nullptr) {
      auto created = language_.create(context_);
      if (!created.ok()) {
        verdict_ = {EvictionReason::kLangFail, std::string(created.status().message())};
        return;
      }
      instance_ = *std::move(created);
    }
    completion_.reset();
    std::optional<Completion> at_hand =
        instance_->activate(std::move(output.activation), [this](Completion completion) {
          absl::MutexLock lock(&mutex_);
          completion_ = std::move(completion);
        });
    if (at_hand) return run_.step(LanguageDone{*std::move(at_hand)}, outputs_);
    absl::ReleasableMutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::optional<Completion>* completion) { return completion->has_value(); },
        &completion_));
    LanguageDone done{*std::move(completion_)};
    lock.Release();
    run_.step(std::move(done), outputs_);
  }
  void carry_out(FetchPage&) { run_.step(PageInput{page()}, outputs_); }
  void carry_out(SendCompletion&) { run_.step(ReplyInput{absl::OkStatus()}, outputs_); }
  void carry_out(SendFailure&) { run_.step(ReplyInput{absl::OkStatus()}, outputs_); }
  void carry_out(AnswerLegacyQuery&) { run_.step(ReplyInput{absl::OkStatus()}, outputs_); }
  void carry_out(DropTask&) {}
  // Nothing runs in a replay.
  void carry_out(StartLocalActivity&) {}
  void carry_out(CancelLocalActivity&) {}
  void carry_out(WakeAt&) {}
  void carry_out(Evicted& evicted) { verdict_ = {evicted.reason, std::move(evicted.message)}; }

  const RunContext context_;
  WorkflowLanguage& language_;
  const RecordedTask task_;
  WorkflowRun run_;
  std::unique_ptr<WorkflowInstance> instance_;
  std::vector<RunOutput> outputs_;
  std::optional<ReplayVerdict> verdict_;
  absl::Mutex mutex_;
  std::optional<Completion> completion_;  // Guarded by mutex_ while an activation is out.
};

}  // namespace

absl::StatusOr<RecordedTask> recorded_task(std::string workflow_id,
                                           api::history::v1::History history) {
  if (history.events().empty() ||
      !history.events(0).has_workflow_execution_started_event_attributes()) {
    return absl::InvalidArgumentError(
        "history: does not begin with a WorkflowExecutionStarted event");
  }
  auto task = std::make_shared<api::workflowservice::v1::PollWorkflowTaskQueueResponse>();
  *task->mutable_history() = std::move(history);
  const auto& started = task->history().events(0).workflow_execution_started_event_attributes();
  task->set_task_token("replay");
  task->set_attempt(1);
  task->mutable_workflow_execution()->set_workflow_id(std::move(workflow_id));
  task->mutable_workflow_execution()->set_run_id(started.original_execution_run_id());
  *task->mutable_workflow_type() = started.workflow_type();
  for (const auto& event : task->history().events()) {
    if (!event.has_workflow_task_started_event_attributes()) continue;
    task->set_previous_started_event_id(task->started_event_id());
    task->set_started_event_id(event.event_id());
  }
  return task;
}

ReplayVerdict replay(RunOptions options, WorkflowLanguage& language, RecordedTask task) {
  options.context.workflow_id = task->workflow_execution().workflow_id();
  options.context.run_id = task->workflow_execution().run_id();
  options.context.workflow_type = task->workflow_type().name();
  options.replay_only = true;
  return Replay(std::move(options), language, std::move(task)).run();
}

}  // namespace chimera::core
