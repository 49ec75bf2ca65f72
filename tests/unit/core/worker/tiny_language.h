// Languages for tests: what a workflow or an activity does is a function of the test's.
#ifndef CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_
#define CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

inline core::Command schedule_activity(std::uint32_t seq, const std::string& type,
                                       const std::string& task_queue) {
  core::ScheduleActivity schedule{.seq = seq};
  schedule.attributes.mutable_activity_type()->set_name(type);
  schedule.attributes.mutable_task_queue()->set_name(task_queue);
  schedule.attributes.mutable_start_to_close_timeout()->set_seconds(10);
  return core::Command{.variant = std::move(schedule)};
}

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_UNIT_CORE_WORKER_TINY_LANGUAGE_H_
