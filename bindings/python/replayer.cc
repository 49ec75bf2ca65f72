#include "bindings/python/replayer.h"

#include <algorithm>
#include <deque>
#include <thread>

#include "absl/strings/str_cat.h"

#include "bindings/python/options.h"

namespace chimera::bindings {
namespace {

using TaskMessage = api::workflowservice::v1::PollWorkflowTaskQueueResponse;

struct Verdict {
  core::EvictionReason reason;
  std::string message;
};

// One replay: steps the run and carries out what it asks for. On its own thread; only the
// language's answer comes from another one.
class Replay {
 public:
  Replay(core::RunOptions options, WorkflowBridge& bridge, std::shared_ptr<const TaskMessage> task)
      : context_(options.context),
        bridge_(bridge),
        task_(std::move(task)),
        run_(std::move(options)) {}

  Verdict run() {
    run_.step(core::TaskInput{task_, page()}, outputs_);
    for (bool evicting = false;;) {
      while (!outputs_.empty()) {
        std::vector<core::RunOutput> batch = std::exchange(outputs_, {});
        for (core::RunOutput& output : batch) {
          if (auto* evicted = std::get_if<core::Evicted>(&output))
            return {evicted->reason, evicted->message};
          std::visit([this](auto& value) { carry_out(value); }, output);
        }
      }
      if (evicting) return {core::EvictionReason::kFatal, "the run did not leave the cache"};
      evicting = true;
      run_.step(core::EvictInput{core::EvictionReason::kLangRequested, "the replay is done"},
                outputs_);
    }
  }

 private:
  std::shared_ptr<const core::HistoryPage> page() const {
    return std::make_shared<core::HistoryPage>(task_, &task_->history(), "");
  }

  void carry_out(core::Activate& output) {
    if (instance_ == nullptr) {
      auto created = bridge_.create(context_);
      if (created.ok()) instance_ = *std::move(created);
    }
    completion_.reset();
    instance_->activate(std::move(output.activation), [this](core::Completion completion) {
      absl::MutexLock lock(&mutex_);
      completion_ = std::move(completion);
    });
    absl::ReleasableMutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::optional<core::Completion>* completion) { return completion->has_value(); },
        &completion_));
    core::LanguageDone done{*std::move(completion_)};
    lock.Release();
    run_.step(std::move(done), outputs_);
  }
  void carry_out(core::FetchPage&) { run_.step(core::PageInput{page()}, outputs_); }
  void carry_out(core::SendCompletion&) { run_.step(core::ReplyInput{absl::OkStatus()}, outputs_); }
  void carry_out(core::SendFailure&) { run_.step(core::ReplyInput{absl::OkStatus()}, outputs_); }
  void carry_out(core::AnswerLegacyQuery&) {
    run_.step(core::ReplyInput{absl::OkStatus()}, outputs_);
  }
  void carry_out(core::DropTask&) {}
  void carry_out(core::Evicted&) {}

  const core::RunContext context_;
  WorkflowBridge& bridge_;
  const std::shared_ptr<const TaskMessage> task_;
  core::WorkflowRun run_;
  std::unique_ptr<core::WorkflowInstance> instance_;
  std::vector<core::RunOutput> outputs_;
  absl::Mutex mutex_;
  std::optional<core::Completion> completion_;  // Guarded by mutex_ while an activation is out.
};

// The workflow task that a server would send for this history: the last one that was started.
std::shared_ptr<TaskMessage> task_of(const std::string& workflow_id, std::string_view bytes) {
  auto task = std::make_shared<TaskMessage>();
  if (!task->mutable_history()->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw py::value_error("history: these bytes are no temporal.api.history.v1.History");
  }
  const auto& events = task->history().events();
  if (events.empty() || !events[0].has_workflow_execution_started_event_attributes()) {
    throw py::value_error("history: does not begin with a WorkflowExecutionStarted event");
  }
  const auto& started = events[0].workflow_execution_started_event_attributes();
  task->set_task_token("replay");
  task->set_attempt(1);
  task->mutable_workflow_execution()->set_workflow_id(workflow_id);
  task->mutable_workflow_execution()->set_run_id(started.original_execution_run_id());
  *task->mutable_workflow_type() = started.workflow_type();
  for (const auto& event : events) {
    if (event.has_workflow_task_started_event_attributes()) {
      task->set_previous_started_event_id(task->started_event_id());
      task->set_started_event_id(event.event_id());
    }
  }
  return task;
}

}  // namespace

Replayer::Replayer(const py::dict& values, std::shared_ptr<WorkflowBridge> bridge)
    : bridge_(std::move(bridge)) {
  Options options(values, "replayer");
  options_.context.namespace_ = "ReplayNamespace";
  options_.context.task_queue = "ReplayTaskQueue";
  options.read("namespace", options_.context.namespace_);
  options.read("task_queue", options_.context.task_queue);
  options.read("nondeterminism_fails_workflow", nondeterminism_fails_all_);
  options.read("nondeterminism_fails_workflow_types", nondeterminism_fails_types_);
  options.finish();
  options_.identity = bridge_->identity();
  options_.replay_only = true;
}

void Replayer::replay(std::string workflow_id, const py::bytes& history,
                      std::shared_ptr<Queue> queue, py::object done) {
  std::shared_ptr<TaskMessage> task = task_of(workflow_id, view(history));
  core::RunOptions options = options_;
  options.context.workflow_id = std::move(workflow_id);
  options.context.run_id = task->workflow_execution().run_id();
  options.context.workflow_type = task->workflow_type().name();
  options.nondeterminism_fails_workflow =
      nondeterminism_fails_all_ ||
      std::ranges::find(nondeterminism_fails_types_, options.context.workflow_type) !=
          nondeterminism_fails_types_.end();
  auto callback = std::make_shared<const Ref>(std::move(done));
  std::thread([options = std::move(options), bridge = bridge_, task = std::move(task),
               queue = std::move(queue), callback = std::move(callback)]() mutable {
    Verdict verdict = Replay(std::move(options), *bridge, std::move(task)).run();
    queue->push(std::move(callback), [verdict = std::move(verdict)] {
      return py::make_tuple(static_cast<int>(verdict.reason), text(verdict.message));
    });
  }).detach();
}

void define_replayer(py::module_& module) {
  py::class_<Replayer>(module, "Replayer")
      .def(py::init<const py::dict&, std::shared_ptr<WorkflowBridge>>(), py::arg("options"),
           py::arg("bridge"))
      .def("replay", &Replayer::replay, py::arg("workflow_id"), py::arg("history"),
           py::arg("queue"), py::arg("done"));
}

}  // namespace chimera::bindings
