#include "bindings/python/workflow_bridge.h"

#include "absl/strings/str_cat.h"

#include "bindings/python/activation.h"
#include "bindings/python/collected.h"
#include "bindings/python/commands.h"
#include "bindings/python/gil.h"
#include "bindings/python/version.h"

namespace chimera::bindings {
namespace {

// What a waiting Python run holds, roughly: its coroutine, its loop and its tasks.
constexpr std::size_t kInstanceBytes = 10 * 1024;

core::Completion failure_of_closed() {
  core::Completion::Failure failed;
  failed.failure.set_message("the worker's process ends before the workflow's code has answered");
  failed.failure.mutable_application_failure_info();
  return {std::move(failed)};
}

core::Completion closed_answer(const core::Activation& activation) {
  const bool evicts = !activation.jobs.empty() &&
                      std::holds_alternative<core::RemoveFromCache>(activation.jobs.back());
  if (evicts) return {core::Completion::Success{}};
  return failure_of_closed();
}

// One cached run. On its lane; the Python side finds its half by the run's id.
class Instance : public core::WorkflowInstance {
 public:
  Instance(std::shared_ptr<WorkflowBridge> bridge, const core::RunContext& run)
      : bridge_(std::move(bridge)),
        run_id_(run.run_id),
        workflow_type_(std::make_shared<const std::string>(run.workflow_type)) {}

  ~Instance() override {
    if (known_to_python_) bridge_->drop(std::move(run_id_));
  }

  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override {
    known_to_python_ = activation->jobs.empty() ||
                       !std::holds_alternative<core::RemoveFromCache>(activation->jobs.back());
    bridge_->activate(run_id_, workflow_type_, std::move(activation), std::move(done));
    return std::nullopt;
  }

  std::size_t memory_bytes() const override { return kInstanceBytes; }

 private:
  const std::shared_ptr<WorkflowBridge> bridge_;
  std::string run_id_;
  const std::shared_ptr<const std::string>
      workflow_type_;  // Shared with activations on their way to Python.
  bool known_to_python_ = false;
};

}  // namespace

WorkflowBridge::WorkflowBridge(std::shared_ptr<Queue> queue, py::object activate, py::object drop)
    : queue_(std::move(queue)),
      activate_(std::make_shared<const Ref>(std::move(activate))),
      drop_(std::make_shared<const Ref>(std::move(drop))) {}

const core::LanguageIdentity& WorkflowBridge::identity() const {
  static const auto* identity = new core::LanguageIdentity{
      .sdk_name = kName, .sdk_version = kVersion, .failure_source = "PythonSDK"};
  return *identity;
}

absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> WorkflowBridge::create(
    const core::RunContext& run) {
  return std::make_unique<Instance>(shared_from_this(), run);
}

void WorkflowBridge::activate(const std::string& run_id,
                              std::shared_ptr<const std::string> workflow_type,
                              std::shared_ptr<const core::Activation> activation,
                              core::ActivationDone done) {
  std::shared_ptr<const Ref> callback;
  {
    absl::ReleasableMutexLock lock(&mutex_);
    if (closed_) {
      lock.Release();
      return std::move(done)(closed_answer(*activation));
    }
    callback = activate_;
    waiting_.insert_or_assign(run_id, std::move(done));
  }
  queue_->push(std::move(callback),
               [workflow_type = std::move(workflow_type), activation = std::move(activation)] {
                 return py::make_tuple(text(activation->run_id), text(*workflow_type),
                                       activation_tuple(*activation));
               });
}

void WorkflowBridge::drop(std::string run_id) {
  std::shared_ptr<const Ref> callback;
  {
    absl::MutexLock lock(&mutex_);
    callback = drop_;
  }
  if (callback == nullptr) return;
  queue_->push(std::move(callback),
               [run_id = std::move(run_id)] { return py::make_tuple(text(run_id)); });
}

int WorkflowBridge::traverse(visitproc visit, void* arg) {
  absl::MutexLock lock(&mutex_);
  if (const int result = bindings::traverse(activate_, visit, arg); result != 0) return result;
  return bindings::traverse(drop_, visit, arg);
}

void WorkflowBridge::close() {
  decltype(waiting_) waiting;
  std::shared_ptr<const Ref> activate, drop;  // Let go without the lock: that may run Python code.
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    waiting.swap(waiting_);
    activate.swap(activate_);
    drop.swap(drop_);
  }
  for (auto& [run_id, done] : waiting) std::move(done)(failure_of_closed());
}

core::ActivationDone WorkflowBridge::take_done(const std::string& run_id) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return {};
  const auto found = waiting_.find(run_id);
  if (found == waiting_.end()) {
    throw py::value_error(
        absl::StrCat("run ", run_id, " has no activation that waits for completion"));
  }
  core::ActivationDone done = std::move(found->second);
  waiting_.erase(found);
  return done;
}

void WorkflowBridge::complete(const std::string& run_id, const py::list& commands,
                              const py::object& flags, int versioning_behavior) {
  core::Completion::Success success;
  success.commands = commands_from(commands);
  for (py::handle flag : flags) success.used_internal_flags.push_back(flag.cast<std::uint32_t>());
  success.versioning_behavior =
      static_cast<api::enums::v1::VersioningBehavior>(versioning_behavior);
  core::ActivationDone done = take_done(run_id);
  if (!done) return;

  GilReleased released;
  std::move(done)(core::Completion{std::move(success)});
}

void WorkflowBridge::fail(const std::string& run_id, const py::bytes& failure, int cause) {
  core::Completion::Failure failed;
  parse(failure, failed.failure, "failure");
  failed.cause = static_cast<api::enums::v1::WorkflowTaskFailedCause>(cause);
  core::ActivationDone done = take_done(run_id);
  if (!done) return;

  GilReleased released;
  std::move(done)(core::Completion{std::move(failed)});
}

void define_workflow_bridge(py::module_& module) {
  py::class_<WorkflowBridge, std::shared_ptr<WorkflowBridge>>(module, "WorkflowBridge",
                                                              collected<WorkflowBridge>())
      .def(py::init([](std::shared_ptr<Queue> queue, py::object activate, py::object drop) {
             auto bridge = std::make_shared<WorkflowBridge>(std::move(queue), std::move(activate),
                                                            std::move(drop));
             end_with_interpreter(EndsWith::kLanguages, bridge);
             return bridge;
           }),
           py::arg("queue"), py::arg("activate"), py::arg("drop"))
      .def("close",
           [](WorkflowBridge& self) {
             {
               GilReleased released;
               self.close();
             }
             release_dropped_refs();
           })
      .def("complete", &WorkflowBridge::complete, py::arg("run_id"), py::arg("commands"),
           py::arg("used_internal_flags"), py::arg("versioning_behavior"))
      .def("fail", &WorkflowBridge::fail, py::arg("run_id"), py::arg("failure"), py::arg("cause"));
}

}  // namespace chimera::bindings
