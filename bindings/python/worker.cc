#include "bindings/python/worker.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "bindings/python/ending.h"
#include "bindings/python/errors.h"
#include "bindings/python/gil.h"
#include "bindings/python/options.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/library.h"

namespace chimera::bindings {
namespace {

core::WorkerOptions worker_options(const py::dict& values) {
  core::WorkerOptions result;
  Options options(values, "worker");
  core::for_each_option(result, [&options](const char* name, auto& option) {
    using Option = std::remove_reference_t<decltype(option)>;
    if constexpr (std::is_enum_v<Option>) {
      int number = option;
      options.read(name, number);
      option = static_cast<Option>(number);
    } else {
      options.read(name, option);
    }
  });
  options.finish();
  return result;
}

void report(Queue& queue, std::shared_ptr<const Ref> done, absl::Status status) {
  queue.push(std::move(done), [status = std::move(status)] {
    return py::make_tuple(status.ok() ? py::object(py::none()) : rpc_error(status));
  });
}

}  // namespace

struct Worker::State : Ending, std::enable_shared_from_this<State> {
  // Ends what still runs, and drains once its languages have ended.
  void end() override {
    if (!started) return;
    core->initiate_shutdown();
    if (!waited.exchange(true))
      run_on_thread([self = shared_from_this()] { (void)self->core->wait(); });
  }

  // Of what the native library's Nexus handlers call.
  void use(const std::shared_ptr<core::Connection>& used) {
    connection = used;
    if (native != nullptr) native->use(sdk::client_of(used, core->options().namespace_, codec));
  }

  std::shared_ptr<core::Connection> connection;  // Shared with the Python client.
  std::shared_ptr<const core::PayloadCodec> codec;
  // Borrowed by the core's worker, so they are declared before it and die after it.
  std::vector<std::shared_ptr<WorkflowBridge>> workflows;
  std::vector<std::shared_ptr<ActivityBridge>> activities;
  std::vector<std::shared_ptr<NexusBridge>> nexus;
  std::unique_ptr<sdk::NativeTypes> native;  // Null unless a library was added.
  std::unique_ptr<core::Worker> core;
  // Written with the GIL; the end of the interpreter reads them.
  std::atomic<bool> started = false, waited = false;
};

Worker::Worker(const Connection& connection, const py::dict& options)
    : state_(std::make_shared<State>()) {
  auto created = core::Worker::create(connection.core(), worker_options(options));
  throw_if_error(created.status());
  state_->core = *std::move(created);
  state_->connection = connection.core();
  end_with_interpreter(EndsWith::kWorkers, state_);
}

Worker::~Worker() {
  if (!made_here_) {
    leave_alone(std::move(state_));
    return;
  }
  const bool drained = state_->waited && state_.use_count() == 1;
  if (!state_->started || drained) return;
  // Forgotten while it runs: it still drains before it dies.
  run_on_thread([state = std::move(state_)] { state->end(); });
}

void Worker::add_workflow(const Text& workflow_type, std::shared_ptr<WorkflowBridge> bridge) {
  throw_if_error(state_->core->add_workflow(workflow_type.value, *bridge));
  state_->workflows.push_back(std::move(bridge));
}

void Worker::add_activity(const Text& activity_type, std::shared_ptr<ActivityBridge> bridge) {
  throw_if_error(state_->core->add_activity(activity_type.value, *bridge));
  state_->activities.push_back(std::move(bridge));
}

void Worker::add_nexus_service(const Text& service, std::shared_ptr<NexusBridge> bridge) {
  throw_if_error(state_->core->add_nexus_service(service.value, *bridge));
  state_->nexus.push_back(std::move(bridge));
}

void Worker::add_dynamic_workflow(std::shared_ptr<WorkflowBridge> bridge) {
  throw_if_error(state_->core->add_dynamic_workflow(*bridge));
  state_->workflows.push_back(std::move(bridge));
}

void Worker::add_dynamic_activity(std::shared_ptr<ActivityBridge> bridge) {
  throw_if_error(state_->core->add_dynamic_activity(*bridge));
  state_->activities.push_back(std::move(bridge));
}

void Worker::nondeterminism_fails_workflow(const Text& workflow_type) {
  state_->core->set_nondeterminism_fails_workflow(workflow_type.value);
}

std::vector<std::string> Worker::add_native_library(const Text& path, const Codec* codec) {
  if (state_->native == nullptr) {
    state_->codec = codec == nullptr ? nullptr : codec->core();
    state_->native = sdk::NativeTypes::create(state_->codec, state_->core->options());
    state_->use(state_->connection);
  }
  auto loaded = [&] {
    GilReleased released;
    return state_->native->load(path.value);
  }();
  throw_if_error(loaded.status());
  std::vector<std::string> names = std::move(loaded->workflows);
  std::ranges::move(loaded->activities, std::back_inserter(names));
  std::ranges::move(loaded->nexus_services, std::back_inserter(names));
  return names;
}

absl::Status Worker::register_native() {
  return state_->native == nullptr ? absl::OkStatus()
                                   : state_->native->register_with(*state_->core);
}

void Worker::start(std::shared_ptr<Queue> queue, py::object done) {
  throw_if_error(register_native());
  state_->started = true;
  auto callback = std::make_shared<const Ref>(std::move(done));
  run_on_thread(
      [state = state_, queue = std::move(queue), callback = std::move(callback)]() mutable {
        absl::Status status = state->core->start();
        state.reset();
        report(*queue, std::move(callback), std::move(status));
      });
}

void Worker::initiate_shutdown() {
  GilReleased released;
  state_->core->initiate_shutdown();
}

void Worker::wait(std::shared_ptr<Queue> queue, py::object done) {
  if (state_->waited.exchange(true)) throw std::runtime_error("this worker is being ended already");
  auto callback = std::make_shared<const Ref>(std::move(done));
  run_on_thread(
      [state = state_, queue = std::move(queue), callback = std::move(callback)]() mutable {
        absl::Status status = state->core->wait();
        state.reset();
        report(*queue, std::move(callback), std::move(status));
      });
}

void Worker::announce() {
  GilReleased released;
  state_->core->announce();
}

void Worker::replace_connection(const Connection& connection) {
  GilReleased released;
  state_->core->replace_connection(connection.core());
  state_->use(connection.core());
}

void define_worker(py::module_& module) {
  py::class_<Worker>(module, "Worker")
      .def(py::init<const Connection&, const py::dict&>(), py::arg("connection"),
           py::arg("options"))
      .def("add_workflow", &Worker::add_workflow, py::arg("workflow_type"), py::arg("bridge"))
      .def("add_activity", &Worker::add_activity, py::arg("activity_type"), py::arg("bridge"))
      .def("add_nexus_service", &Worker::add_nexus_service, py::arg("service"), py::arg("bridge"))
      .def("add_dynamic_workflow", &Worker::add_dynamic_workflow, py::arg("bridge"))
      .def("add_dynamic_activity", &Worker::add_dynamic_activity, py::arg("bridge"))
      .def("nondeterminism_fails_workflow", &Worker::nondeterminism_fails_workflow,
           py::arg("workflow_type"))
      .def("add_native_library", &Worker::add_native_library, py::arg("path"),
           py::arg("codec") = nullptr)
      .def("start", &Worker::start, py::arg("queue"), py::arg("done"))
      .def("initiate_shutdown", &Worker::initiate_shutdown)
      .def("announce", &Worker::announce)
      .def("replace_connection", &Worker::replace_connection, py::arg("connection"))
      .def("wait", &Worker::wait, py::arg("queue"), py::arg("done"));
}

}  // namespace chimera::bindings
