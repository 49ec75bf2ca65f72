// Languages for tests: what a workflow or an activity does is a function of the test's. And tasks
// for them.
#ifndef CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_
#define CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/api.h"
#include "core/language/activity_language.h"
#include "core/language/language.h"

namespace chimera::testing {

// Runs on the lane; an eviction is answered with nothing.
class TinyWorkflows : public core::WorkflowLanguage {
 public:
  using Code =
      std::function<std::vector<core::Command>(const core::RunContext&, const core::Activation&)>;

  TinyWorkflows(std::string name, Code code) : code_(std::move(code)), identity_{name, "1", name} {}

  const core::LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(
      const core::RunContext& run) override {
    return std::make_unique<Instance>(run, code_);
  }

 private:
  class Instance : public core::WorkflowInstance {
   public:
    Instance(core::RunContext run, const Code& code) : run_(std::move(run)), code_(code) {}
    std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                             core::ActivationDone) override {
      core::Completion::Success success;
      if (!std::holds_alternative<core::RemoveFromCache>(activation->jobs.front()))
        success.commands = code_(run_, *activation);
      return core::Completion{std::move(success)};
    }
    std::size_t memory_bytes() const override { return 100; }

   private:
    const core::RunContext run_;
    const Code& code_;
  };

  const Code code_;
  const core::LanguageIdentity identity_;
};

class TinyActivities : public core::ActivityLanguage {
 public:
  using Code = std::function<void(core::ActivityTask)>;

  TinyActivities(std::string name, Code code) : name_(std::move(name)), code_(std::move(code)) {}

  std::string name() const override { return name_; }
  void start(core::ActivityTask task) override { code_(std::move(task)); }
  void cancel(const std::string& token, const core::ActivityCancellation&) override {}

 private:
  const std::string name_;
  const Code code_;
};

inline core::Command complete_workflow() {
  return core::Command{.variant = core::CompleteWorkflowExecution{}};
}

inline std::vector<core::Command> complete_at_once(const core::RunContext&,
                                                   const core::Activation&) {
  std::vector<core::Command> commands;
  commands.push_back(complete_workflow());
  return commands;
}

inline core::Command schedule_activity(std::uint32_t seq, const std::string& type,
                                       const std::string& task_queue) {
  core::ScheduleActivity schedule{.seq = seq};
  schedule.attributes.mutable_activity_type()->set_name(type);
  schedule.attributes.mutable_task_queue()->set_name(task_queue);
  schedule.attributes.mutable_start_to_close_timeout()->set_seconds(10);
  return core::Command{.variant = std::move(schedule)};
}

// The first task of a run: started, scheduled, started.
inline api::workflowservice::v1::PollWorkflowTaskQueueResponse first_task(
    const std::string& run_id, const std::string& type = "Order") {
  namespace enums = api::enums::v1;
  api::workflowservice::v1::PollWorkflowTaskQueueResponse task;
  task.set_task_token("token-" + run_id);
  task.mutable_workflow_execution()->set_workflow_id("id-" + run_id);
  task.mutable_workflow_execution()->set_run_id(run_id);
  task.mutable_workflow_type()->set_name(type);
  task.set_started_event_id(3);
  task.set_attempt(1);
  auto* started = task.mutable_history()->add_events();
  started->set_event_id(1);
  started->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  auto* attributes = started->mutable_workflow_execution_started_event_attributes();
  attributes->mutable_workflow_type()->set_name(type);
  attributes->mutable_task_queue()->set_name("orders");
  attributes->set_original_execution_run_id(run_id);
  auto* scheduled = task.mutable_history()->add_events();
  scheduled->set_event_id(2);
  scheduled->set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  scheduled->mutable_workflow_task_scheduled_event_attributes();
  auto* begun = task.mutable_history()->add_events();
  begun->set_event_id(3);
  begun->set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  begun->mutable_workflow_task_started_event_attributes()->set_scheduled_event_id(2);
  return task;
}

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_
