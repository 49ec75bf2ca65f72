#include "chimera/testing/activity_environment.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "sdk-cpp/src/activity_pool.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/user_links.h"

namespace chimera {
namespace {

core::ActivityCancellation to_core(const activity::CancellationDetails& why) {
  return {.not_found = why.not_found,
          .cancelled = why.cancel_requested,
          .paused = why.paused,
          .timed_out = why.timed_out,
          .worker_shutdown = why.worker_shutdown,
          .reset = why.reset};
}

void add(activity::CancellationDetails& to, const activity::CancellationDetails& more) {
  to.not_found |= more.not_found;
  to.cancel_requested |= more.cancel_requested;
  to.paused |= more.paused;
  to.timed_out |= more.timed_out;
  to.worker_shutdown |= more.worker_shutdown;
  to.reset |= more.reset;
}

}  // namespace

struct ActivityEnvironment::State {
  absl::Mutex mutex;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;
  bool worker_shutdown ABSL_GUARDED_BY(mutex) = false;
  activity::CancellationDetails why ABSL_GUARDED_BY(mutex);
  std::vector<Details> heartbeats ABSL_GUARDED_BY(mutex);
  std::vector<sdk::ActivityContext*> running ABSL_GUARDED_BY(mutex);
};

class ActivityEnvironment::Handle final : public core::ActivityHandle {
 public:
  Handle(std::shared_ptr<State> state, std::function<void(const Details&)> on_heartbeat)
      : state_(std::move(state)), on_heartbeat_(std::move(on_heartbeat)) {}
  void heartbeat(api::common::v1::Payloads details) override {
    const Details heard(sdk::to_public(details));
    {
      const absl::MutexLock lock(&state_->mutex);
      state_->heartbeats.push_back(heard);
    }
    if (on_heartbeat_) on_heartbeat_(heard);
  }
  void complete(core::ActivityResult) override {}  // run() returns or throws instead.

 private:
  const std::shared_ptr<State> state_;
  const std::function<void(const Details&)> on_heartbeat_;
};

struct ActivityEnvironment::Running::Context {
  Context(std::shared_ptr<const core::ActivityTask> task_in, const activity::Info& info,
          const Interceptors& users)
      : task_queue(info.task_queue),
        interceptors(sdk::with_users(users, {})),
        context(std::make_shared<sdk::ActivityContext>(*task_in, nullptr, nullptr, task_queue,
                                                       core::process_metrics(), interceptors)),
        names_crashes(context->owner()) {
    context->use(info);
    before = sdk::ActivityContext::enter(context.get());
  }
  ~Context() {
    sdk::ActivityContext::enter(before);
    context->end();
  }

  const std::string task_queue;
  const sdk::WorkerInterceptors interceptors;
  const std::shared_ptr<sdk::ActivityContext> context;  // Shared with threads of the code's.
  const sdk::RunningScope names_crashes;
  sdk::ActivityContext* before = nullptr;  // Of an activity whose code runs another environment.
};

ActivityEnvironment::ActivityEnvironment() : state_(std::make_shared<State>()) {
  info.activity_id = "test";
  info.task_queue = "test";
  info.task_token = "test";
  info.workflow_id = "test";
  info.workflow_run_id = "test-run";
  info.workflow_type = "test";
  info.workflow_namespace = "default";
  info.schedule_to_close_timeout = std::chrono::seconds(1);
  info.start_to_close_timeout = std::chrono::seconds(1);
}
ActivityEnvironment::~ActivityEnvironment() = default;

void ActivityEnvironment::cancel(const activity::CancellationDetails& why) {
  const absl::MutexLock lock(&state_->mutex);
  state_->cancelled = true;
  add(state_->why, why);
  for (sdk::ActivityContext* context : state_->running) context->cancel(to_core(why));
}

void ActivityEnvironment::worker_shutdown() {
  const absl::MutexLock lock(&state_->mutex);
  state_->worker_shutdown = true;
  for (sdk::ActivityContext* context : state_->running) context->worker_shutdown().request();
}

std::vector<Details> ActivityEnvironment::heartbeats() const {
  const absl::MutexLock lock(&state_->mutex);
  return state_->heartbeats;
}

namespace {

class Code final : public sdk::ActivityInbound {
 public:
  explicit Code(const std::function<void(const PayloadList&, PayloadSink*)>& code)
      : ActivityInbound(nullptr), code_(code) {}
  void execute(const sdk::ExecuteActivityInput& input, PayloadSink& result) override {
    code_(PayloadList(&input.arguments), &result);
  }

 private:
  const std::function<void(const PayloadList&, PayloadSink*)>& code_;
};

}  // namespace

Payload ActivityEnvironment::intercept(
    std::vector<Payload> arguments,
    const std::function<void(const PayloadList&, PayloadSink*)>& code) {
  const sdk::ProtoPayloads payloads = sdk::to_proto(arguments);
  sdk::ProtoPayload result;
  PayloadSink sink(&result);
  Code last(code);
  const sdk::Chain<sdk::ActivityInbound> chain(sdk::with_users(interceptors, {}), last);
  chain.first().execute({payloads, {}}, sink);
  return sdk::to_public(result);
}

void ActivityEnvironment::refuse_interceptors() {
  throw std::logic_error(
      "ActivityEnvironment::run: a parameter or the result of what is to run has no conversion to "
      "a payload (a generic lambda's have none), which interceptors need; run it without them");
}

namespace {
std::shared_ptr<const core::ActivityTask> task_of(const activity::Info& info,
                                                  std::shared_ptr<core::ActivityHandle> handle) {
  auto message = std::make_shared<api::workflowservice::v1::PollActivityTaskQueueResponse>();
  message->set_activity_id(info.activity_id);
  message->mutable_activity_type()->set_name(info.activity_type);
  message->mutable_workflow_execution()->set_workflow_id(info.workflow_id);
  message->mutable_workflow_type()->set_name(info.workflow_type);
  message->set_workflow_namespace(info.workflow_namespace);
  auto task = std::make_shared<core::ActivityTask>();
  task->message = std::move(message);
  task->handle = std::move(handle);
  task->is_local = info.is_local;
  return task;
}
}  // namespace

ActivityEnvironment::Running::Running(ActivityEnvironment& env, std::string_view activity_type)
    : env_(env), context_([&] {
        activity::Info info = env.info;
        if (info.activity_type.empty())
          info.activity_type = activity_type.empty() ? "unknown" : activity_type;
        sdk::check_interceptors(env.interceptors, "ActivityEnvironment::interceptors");
        return std::make_unique<Context>(
            task_of(info, std::make_shared<Handle>(env.state_, env.on_heartbeat)), info,
            env.interceptors);
      }()) {
  State& state = *env.state_;
  const absl::MutexLock lock(&state.mutex);
  state.running.push_back(context_->context.get());
  if (state.worker_shutdown) context_->context->worker_shutdown().request();
  if (state.cancelled) context_->context->cancel(to_core(state.why));
}

ActivityEnvironment::Running::~Running() {
  State& state = *env_.state_;
  const absl::MutexLock lock(&state.mutex);
  std::erase(state.running, context_->context.get());
}

}  // namespace chimera
