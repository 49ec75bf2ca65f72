#include "tests/sim/workflows.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace chimera::sim {
namespace {

// A child: waits for a timer or not, and ends as its input says. Asked to cancel, it does.
class Child : public core::WorkflowInstance {
 public:
  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone) override {
    core::Completion::Success success;
    for (const core::Job& job : activation->jobs) {
      if (const auto* start = std::get_if<core::InitializeWorkflow>(&job)) {
        luck_ = mix(0, start->started->input().payloads(0).data());
        if (luck_ % 3 == 0) {
          end(success);
        } else {
          add(success, core::StartTimer{1, std::chrono::milliseconds(luck_ % 9000)});
        }
      } else if (std::holds_alternative<core::FireTimer>(job)) {
        end(success);
      } else if (std::holds_alternative<core::CancelWorkflow>(job) && !ended_) {
        ended_ = true;
        add(success, core::CancelWorkflowExecution{});
      }
    }
    return core::Completion{std::move(success)};
  }
  std::size_t memory_bytes() const override { return 100; }

 private:
  template <class C>
  static void add(core::Completion::Success& success, C command) {
    success.commands.push_back(core::Command{std::move(command)});
  }
  void end(core::Completion::Success& success) {
    if (std::exchange(ended_, true)) return;
    if (luck_ % 5 == 1) {
      core::FailWorkflowExecution fail;
      fail.failure.set_message("the child failed");
      fail.failure.mutable_application_failure_info()->set_type("Simulated");
      return add(success, std::move(fail));
    }
    core::CompleteWorkflowExecution complete;
    complete.result.emplace().set_data(absl::StrCat(luck_ % 1000));
    (*complete.result->mutable_metadata())["encoding"] = "json/plain";
    add(success, std::move(complete));
  }

  std::uint64_t luck_ = 0;
  bool ended_ = false;
};

// Takes a place in the cache until it is cancelled.
class Idler : public core::WorkflowInstance {
 public:
  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone) override {
    core::Completion::Success success;
    for (const core::Job& job : activation->jobs) {
      if (std::holds_alternative<core::CancelWorkflow>(job))
        success.commands.push_back(core::Command{core::CancelWorkflowExecution{}});
    }
    return core::Completion{std::move(success)};
  }
  std::size_t memory_bytes() const override { return 100; }
};

// Sends what the instance answers late through the process that runs it.
class Late : public core::WorkflowInstance {
 public:
  Late(std::unique_ptr<core::WorkflowInstance> inner, Process& process, RunRecord& record,
       unsigned percent)
      : inner_(std::move(inner)), process_(process), record_(record), percent_(percent) {}

  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override {
    record_.answers_later = [this] { return process_.world().rng().percent(percent_); };
    record_.later = [this](absl::AnyInvocable<void()&&> work) {
      process_.after(std::chrono::milliseconds(process_.world().rng().below(30)), std::move(work));
    };
    return inner_->activate(std::move(activation), std::move(done));
  }
  std::size_t memory_bytes() const override { return inner_->memory_bytes(); }

 private:
  const std::unique_ptr<core::WorkflowInstance> inner_;
  Process& process_;
  RunRecord& record_;
  const unsigned percent_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> SimWorkflows::Language::create(
    const core::RunContext& run) {
  ++owner_.instances_;
  if (run.workflow_type == "Child") return std::make_unique<Child>();
  if (run.workflow_type == "Idle") return std::make_unique<Idler>();
  auto& record = owner_.records_[run.run_id];
  if (!record) record = std::make_unique<RunRecord>();
  return std::make_unique<Late>(
      std::make_unique<SimInstance>(owner_.program_, *record, Fault::kNone), process_, *record,
      late_answers_percent_);
}

const RunRecord* SimWorkflows::record(const std::string& run_id) const {
  const auto found = records_.find(run_id);
  return found == records_.end() ? nullptr : found->second.get();
}

std::vector<std::string> SimWorkflows::violations() const {
  std::vector<std::string> all;
  for (const auto& [run_id, record] : records_)
    all.insert(all.end(), record->violations.begin(), record->violations.end());
  return all;
}

}  // namespace chimera::sim
