// Driver, one run with the activations that a test sends it.
#ifndef CHIMERA_TESTS_UNIT_SDK_CPP_DRIVER_H_
#define CHIMERA_TESTS_UNIT_SDK_CPP_DRIVER_H_

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "core/language/language.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/stack_pool.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

class Driver {
 public:
  template <auto Run, class T>
  explicit Driver(const WorkflowDefinition<Run, T>& definition, Codec codec = nullptr,
                  const WorkerInterceptors& interceptors = {},
                  StackPool& stacks = StackPool::of(kStackBytes))
      : type_(definition.type()),
        runtime_(std::make_unique<WorkflowRuntime>(
            type_, core::RunContext{"id", "run", type_.name, "queue", "default"}, std::move(codec),
            core::process_metrics(), stacks, interceptors)) {}

  core::Completion activate(core::Activation activation) {
    return *runtime_->activate(std::make_shared<core::Activation>(std::move(activation)), nullptr);
  }
  core::Completion activate(std::vector<core::Job> jobs, bool replaying = false) {
    core::Activation activation;
    activation.jobs = std::move(jobs);
    activation.is_replaying = replaying;
    return activate(std::move(activation));
  }
  template <class... A>
  core::Completion start(const A&... arguments) {
    return activate({init(arguments...)});
  }
  template <class... A>
  core::Job init(const A&... arguments) {
    started_ = {};
    for (const Payload& payload : std::vector<Payload>{make_payload(arguments)...}) {
      *started_.mutable_input()->add_payloads() = to_proto(payload);
    }
    return core::InitializeWorkflow{
        .started = &started_, .workflow_id = "id", .randomness_seed = 7};
  }
  template <class T>
  core::Job init_with_memo(const std::string& key, const T& value) {
    core::Job job = init(std::string("hi"));
    (*started_.mutable_memo()->mutable_fields())[key] = to_proto(make_payload(value));
    return job;
  }
  template <class... A>
  core::Job signal(const std::string& name, const A&... arguments) {
    signals_.emplace_back().set_signal_name(name);
    for (const Payload& payload : std::vector<Payload>{make_payload(arguments)...}) {
      *signals_.back().mutable_input()->add_payloads() = to_proto(payload);
    }
    return core::SignalWorkflow{&signals_.back()};
  }
  template <class... A>
  core::Job update(const std::string& name, const A&... arguments) {
    auto& request = updates_.emplace_back();
    request.mutable_input()->set_name(name);
    for (const Payload& payload : std::vector<Payload>{make_payload(arguments)...}) {
      *request.mutable_input()->mutable_args()->add_payloads() = to_proto(payload);
    }
    return core::DoUpdate{
        .id = "u", .protocol_instance_id = "p", .request = &request, .run_validator = true};
  }
  template <class T>
  core::Job completed(std::uint32_t seq, const T& value) {
    results_.push_back(to_proto(make_payload(value)));
    return core::ResolveActivity{.seq = seq, .result = core::Completed{&results_.back()}};
  }
  core::Job cancelled(std::uint32_t seq) {
    auto failure = std::make_shared<api::failure::v1::Failure>();
    failure->mutable_activity_failure_info();
    failure->mutable_cause()->mutable_canceled_failure_info();
    return core::ResolveActivity{.seq = seq, .result = core::Cancelled{failure}};
  }
  void drop() { runtime_.reset(); }

 private:
  const detail::WorkflowType type_;
  api::history::v1::WorkflowExecutionStartedEventAttributes started_;
  std::list<api::history::v1::WorkflowExecutionSignaledEventAttributes> signals_;
  std::list<api::update::v1::Request> updates_;
  std::list<api::common::v1::Payload> results_;
  std::unique_ptr<WorkflowRuntime> runtime_;
};

inline const std::vector<core::Command>& commands(const core::Completion& completion) {
  static const std::vector<core::Command> none;
  const auto* success = std::get_if<core::Completion::Success>(&completion.status);
  return success == nullptr ? none : success->commands;
}

template <class T>
const T* command(const core::Completion& completion, std::size_t index) {
  return index < commands(completion).size() ? std::get_if<T>(&commands(completion)[index].variant)
                                             : nullptr;
}

inline core::Job evict() { return core::RemoveFromCache{core::EvictionReason::kCacheFull, ""}; }

inline std::string task_failure(const core::Completion& completion) {
  const auto* failure = std::get_if<core::Completion::Failure>(&completion.status);
  return failure == nullptr ? "" : failure->failure.message();
}

inline bool completed(const core::Completion& completion) {
  return !commands(completion).empty() && std::holds_alternative<core::CompleteWorkflowExecution>(
                                              commands(completion).back().variant);
}

inline std::string log_of(const std::function<void()>& body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

// A workflow that runs whatever a test gives it.
inline std::function<void()> code;
struct Runs {
  void run() { code(); }
};
inline const auto kRuns = define_workflow<&Runs::run>("Runs");

}  // namespace chimera::sdk

#endif  // CHIMERA_TESTS_UNIT_SDK_CPP_DRIVER_H_
