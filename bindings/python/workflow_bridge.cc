#include "bindings/python/workflow_bridge.h"

#include "absl/strings/str_cat.h"

#include "bindings/python/border.h"
#include "bindings/python/collected.h"
#include "bindings/python/gil.h"
#include "bindings/python/places.h"
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

bool evicts(const core::Activation& activation) {
  return !activation.jobs.empty() &&
         std::holds_alternative<core::RemoveFromCache>(activation.jobs.back());
}

// One cached run. On its lane.
class Instance : public core::WorkflowInstance {
 public:
  Instance(std::shared_ptr<WorkflowBridge> bridge, std::shared_ptr<RunHandle> run)
      : bridge_(std::move(bridge)), run_(std::move(run)) {}
  ~Instance() override { bridge_->leave(run_, /*tell=*/known_to_python_); }

  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override {
    known_to_python_ = !evicts(*activation);
    return bridge_->activate(run_, std::move(activation), std::move(done));
  }

  std::size_t memory_bytes() const override { return kInstanceBytes; }

 private:
  const std::shared_ptr<WorkflowBridge> bridge_;
  const std::shared_ptr<RunHandle> run_;
  bool known_to_python_ = false;
};

}  // namespace

void RunHandle::expect(core::ActivationDone done) {
  absl::MutexLock lock(&mutex_);
  done_ = std::move(done);
}

core::ActivationDone RunHandle::take(bool close) {
  absl::MutexLock lock(&mutex_);
  closed_ |= close;
  return std::exchange(done_, nullptr);
}

core::ActivationDone RunHandle::answer() {
  absl::MutexLock lock(&mutex_);
  if (!done_ && !closed_) {
    throw py::value_error(
        absl::StrCat("run ", run_id_, " has no activation that waits for completion"));
  }
  return std::exchange(done_, nullptr);
}

void RunHandle::complete(const py::list& commands, const py::list& flags, int versioning_behavior,
                         const py::list& places) {
  core::Completion::Success success;
  success.commands = commands_from(commands);
  if (!places.empty()) note_places(places, success.commands);
  for (py::handle flag : flags) success.used_internal_flags.push_back(flag.cast<std::uint32_t>());
  success.versioning_behavior =
      static_cast<api::enums::v1::VersioningBehavior>(versioning_behavior);
  core::ActivationDone done = answer();
  // With the GIL: the answer is only posted, and to give the GIL up may cost a whole interval of
  // another thread.
  if (done) std::move(done)(core::Completion{std::move(success)});
}

void RunHandle::fail(const py::bytes& failure, int cause) {
  core::Completion::Failure failed;
  parse(failure, failed.failure, "failure");
  failed.cause = static_cast<api::enums::v1::WorkflowTaskFailedCause>(cause);
  core::ActivationDone done = answer();
  if (done) std::move(done)(core::Completion{std::move(failed)});
}

py::object RunHandle::state() const { return state_.empty() ? py::none() : state_.get(); }

void RunHandle::set_state(py::object state) {
  Ref before = std::exchange(state_, state.is_none() ? Ref() : Ref(std::move(state)));
}

WorkflowBridge::WorkflowBridge(std::shared_ptr<Queue> queue, py::object activate, py::object drop)
    : queue_(std::move(queue)),
      activate_(std::make_shared<const Ref>(std::move(activate))),
      drop_(std::make_shared<const Ref>(std::move(drop))) {
  load_border();
}

const core::LanguageIdentity& WorkflowBridge::identity() const {
  static const auto* identity = new core::LanguageIdentity{.sdk_name = kName,
                                                           .sdk_version = kVersion,
                                                           .failure_source = "PythonSDK",
                                                           .place = &place_in_words};
  return *identity;
}

absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> WorkflowBridge::create(
    const core::RunContext& run) {
  auto handle = std::make_shared<RunHandle>(run.run_id, run.workflow_type);
  {
    absl::MutexLock lock(&mutex_);
    runs_.insert(handle);
  }
  return std::make_unique<Instance>(shared_from_this(), std::move(handle));
}

std::optional<core::Completion> WorkflowBridge::activate(
    const std::shared_ptr<RunHandle>& run, std::shared_ptr<const core::Activation> activation,
    core::ActivationDone done) {
  std::shared_ptr<const Ref> callback;
  {
    absl::MutexLock lock(&mutex_);
    callback = activate_;
    if (!closed_) run->expect(std::move(done));
  }
  if (callback == nullptr) {
    if (evicts(*activation)) return core::Completion{core::Completion::Success{}};
    return failure_of_closed();
  }
  queue_->push(std::move(callback), [run, activation = std::move(activation)] {
    return py::make_tuple(run, activation_of(*activation));
  });
  return std::nullopt;
}

void WorkflowBridge::leave(const std::shared_ptr<RunHandle>& run, bool tell) {
  std::shared_ptr<const Ref> callback;
  {
    absl::MutexLock lock(&mutex_);
    runs_.erase(run);
    if (tell) callback = drop_;
  }
  if (callback != nullptr) queue_->push(std::move(callback), [run] { return py::make_tuple(run); });
}

int WorkflowBridge::traverse(visitproc visit, void* arg) {
  absl::MutexLock lock(&mutex_);
  if (const int result = bindings::traverse(activate_, visit, arg); result != 0) return result;
  return bindings::traverse(drop_, visit, arg);
}

void WorkflowBridge::close() {
  std::shared_ptr<const Ref> activate, drop;  // Let go without the lock: that may run Python code.
  std::vector<core::ActivationDone> waiting;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    activate.swap(activate_);
    drop.swap(drop_);
    for (const auto& run : runs_) {
      if (auto done = run->take(/*close=*/true)) waiting.push_back(std::move(done));
    }
  }
  for (auto& done : waiting) std::move(done)(failure_of_closed());
}

void define_workflow_bridge(py::module_& module) {
  py::class_<RunHandle, std::shared_ptr<RunHandle>>(module, "RunHandle", collected<RunHandle>())
      .def_property_readonly("run_id", [](const RunHandle& self) { return text(self.run_id()); })
      .def_property_readonly("workflow_type",
                             [](const RunHandle& self) { return text(self.workflow_type()); })
      .def_property("state", &RunHandle::state, &RunHandle::set_state)
      .def("complete", &RunHandle::complete, py::arg("commands"), py::arg("used_internal_flags"),
           py::arg("versioning_behavior"), py::arg("places"))
      .def("fail", &RunHandle::fail, py::arg("failure"), py::arg("cause"));
  py::class_<WorkflowBridge, std::shared_ptr<WorkflowBridge>>(module, "WorkflowBridge",
                                                              collected<WorkflowBridge>())
      .def(py::init([](std::shared_ptr<Queue> queue, py::object activate, py::object drop) {
             auto bridge = std::make_shared<WorkflowBridge>(std::move(queue), std::move(activate),
                                                            std::move(drop));
             end_with_interpreter(EndsWith::kLanguages, bridge);
             return bridge;
           }),
           py::arg("queue"), py::arg("activate"), py::arg("drop"))
      .def("close", [](WorkflowBridge& self) {
        {
          GilReleased released;
          self.close();
        }
        release_dropped_refs();
      });
}

}  // namespace chimera::bindings
