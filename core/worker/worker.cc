#include "core/worker/worker.h"

#include <algorithm>
#include <random>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

#include "core/base/proto_time.h"
#include "core/rpc/connect_error.h"
#include "core/rpc/replaceable_connection.h"
#include "core/telemetry/health.h"
#include "core/telemetry/log.h"
#include "core/worker/activity_rpc.h"
#include "core/worker/lane.h"
#include "core/worker/poller.h"
#include "core/worker/slots.h"
#include "core/worker/watchdog.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using WorkflowTasks =
    TaskSource<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse>;
using ActivityTasks =
    TaskSource<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse>;

// Lanes that do not come to rest within this time hold code that does not yield; the worker then
// ends without them.
constexpr std::chrono::seconds kDrainPatience{15};
// The same for lanes that wait for the server's answers, or for code on a language's own thread.
constexpr std::chrono::seconds kAnswersPatience{60};
// For the server to answer the open polls of a worker that shuts down; then they are cancelled.
constexpr std::chrono::seconds kPollsPatience{5};
constexpr std::chrono::milliseconds kGoodbyeInterval{100};

std::string random_hex() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

// What lanes use for as long as they live: shared with them, because a lane whose code never
// returns outlives the worker.
struct LaneShared {
  WorkerContext context;
  Registry<WorkflowLanguage> workflows{"workflow"};
  std::set<std::string> nondeterminism_fails;
};

// Tells the server that a worker goes, so that it moves the worker's sticky runs to the normal
// queue and answers its open polls; again while polls are open, since the last of them may have
// arrived behind it. Shared by its own callbacks only, which may run after the worker has ended.
// Any thread.
class Goodbye : public std::enable_shared_from_this<Goodbye> {
 public:
  Goodbye(std::shared_ptr<Connection> connection,
          std::shared_ptr<const wf::ShutdownWorkerRequest> request, CallOptions options,
          WorkerEnvironment environment, const std::vector<std::shared_ptr<PollerBase>>& pollers)
      : connection_(std::move(connection)),
        request_(std::move(request)),
        options_(std::move(options)),
        environment_(environment),
        pollers_(pollers.begin(), pollers.end()) {
    options_.timeout = kPollsPatience;
  }

  void say() {
    send<wf::ShutdownWorkerResponse>(
        *connection_, CHIMERA_WORKFLOW_SERVICE(ShutdownWorker),
        std::make_unique<wf::ShutdownWorkerRequest>(*request_), options_,
        [self = shared_from_this()](const auto& reply) { self->said(reply.ok()); });
  }

  void cancel_polls() {
    each_poller([](auto& poller) { poller.cancel(); });
  }

 private:
  void said(bool heard) {
    bool open = false;
    each_poller([&](auto& poller) { open |= !poller.ended(); });
    if (!open) return;
    if (!heard || environment_.clock->steady() - started_ > kPollsPatience) return cancel_polls();
    environment_.timers->after(interval_, [self = shared_from_this()] { self->say(); });
    interval_ = std::min<std::chrono::milliseconds>(2 * interval_, kPollsPatience);
  }

  template <class Do>
  void each_poller(const Do& act) {
    for (const auto& each : pollers_) {
      if (auto poller = each.lock()) act(*poller);
    }
  }

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<const wf::ShutdownWorkerRequest> request_;
  CallOptions options_;
  const WorkerEnvironment environment_;
  const std::vector<std::weak_ptr<PollerBase>> pollers_;
  const base::SteadyTime started_ = environment_.clock->steady();
  // A server that answers, but keeps the polls, is not to be asked all the time.
  std::chrono::milliseconds interval_ = kGoodbyeInterval;
};

class WorkerImpl : public Worker {
 public:
  WorkerImpl(std::shared_ptr<Connection> connection, WorkerOptions options,
             WorkerEnvironment environment) {
    context_.environment = environment;
    connection_ = std::make_shared<ReplaceableConnection>(std::move(connection));
    context_.connection = connection_;
    context_.options = std::move(options);
    Metrics* metrics = context_.connection->options().metrics.get();
    context_.metrics =
        std::make_unique<WorkerMetrics>(metrics ? *metrics : process_metrics(),
                                        context_.options.namespace_, context_.options.task_queue);
    context_.sticky_queue = absl::StrCat(context_.options.identity, "-", random_hex());
    context_.instance_key = random_hex();
  }
  ~WorkerImpl() override = default;

  absl::Status add_workflow(std::string type, WorkflowLanguage& language) override {
    return workflows_.add(std::move(type), language);
  }
  absl::Status add_activity(std::string type, ActivityLanguage& language) override {
    return activities_.add(std::move(type), language);
  }
  absl::Status add_dynamic_workflow(WorkflowLanguage& language) override {
    return workflows_.add_dynamic(language);
  }
  absl::Status add_dynamic_activity(ActivityLanguage& language) override {
    return activities_.add_dynamic(language);
  }
  void set_nondeterminism_fails_workflow(std::string type) override {
    shared_->nondeterminism_fails.insert(std::move(type));
  }
  void on_fatal(absl::AnyInvocable<void(absl::Status) &&> callback) override {
    absl::MutexLock lock(&mutex_);
    on_fatal_ = std::move(callback);
  }

  absl::Status start() override;
  void initiate_shutdown() override;
  absl::Status wait() override;

  std::unique_ptr<WorkflowSlot> reserve_workflow_slot() override;
  void replace_connection(std::shared_ptr<Connection> connection) override {
    connection_->replace(std::move(connection));
  }

  const WorkerOptions& options() const override { return context_.options; }
  Connection& connection() override { return *context_.connection; }

 private:
  class ReservedSlot;

  absl::Status validate_namespace();
  // What this worker cannot do, why, and what to check.
  absl::Status cannot(const std::string& what, const absl::Status& failure) const;
  void set_up();
  void stop_polling();
  void start_lanes();
  void start_pollers();
  WorkflowTasks workflow_tasks(bool sticky);
  ActivityTasks activity_tasks();
  template <class Source>
  void start_poller(Source source, std::unique_ptr<PollerBehavior> behavior);
  void take(Shared<wf::PollWorkflowTaskQueueResponse> task, base::SlotSupplier::Permit permit);
  void run(Shared<wf::PollWorkflowTaskQueueResponse> task, base::SlotSupplier::Permit permit);
  void poller_started();
  void poller_ended();
  void fatal(const absl::Status& status);
  void say_goodbye();
  CallOptions poll_options() const;
  // What is wrong with this worker, for the process's health; empty when nothing is.
  std::string not_alive() const;
  std::string not_ready() const;

  const std::shared_ptr<LaneShared> shared_ = std::make_shared<LaneShared>();
  WorkerContext& context_ = shared_->context;
  std::shared_ptr<ReplaceableConnection> connection_;
  Registry<WorkflowLanguage>& workflows_ = shared_->workflows;
  Registry<ActivityLanguage> activities_{"activity"};
  std::unique_ptr<ActivityManager> activity_manager_;
  std::unique_ptr<LocalActivities> local_activities_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Watchdog> watchdog_;
  std::vector<std::shared_ptr<PollerBase>> pollers_;

  absl::Mutex mutex_;
  int health_ = 0;                           // This worker's part of the process's health.
  int polling_ ABSL_GUARDED_BY(mutex_) = 0;  // Pollers that have not ended.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool setting_up_ ABSL_GUARDED_BY(mutex_) = false;  // Lanes and pollers are being made.
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status fatal_ ABSL_GUARDED_BY(mutex_);
  absl::AnyInvocable<void(absl::Status) &&> on_fatal_ ABSL_GUARDED_BY(mutex_);
};

absl::Status WorkerImpl::start() {
  absl::Status valid = validate_namespace();
  if (!valid.ok()) return valid;
  {
    absl::MutexLock lock(&mutex_);
    if (started_) return absl::FailedPreconditionError("the worker was started already");
    started_ = true;
    if (shutdown_) return absl::OkStatus();
    setting_up_ = true;
  }
  set_up();
  {
    absl::MutexLock lock(&mutex_);
    if (!shutdown_) {
      setting_up_ = false;
      return absl::OkStatus();
    }
  }
  stop_polling();  // A shutdown came meanwhile and left it to this thread.
  absl::MutexLock lock(&mutex_);
  setting_up_ = false;
  return absl::OkStatus();
}

void WorkerImpl::set_up() {
  const WorkerOptions& options = context_.options;
  // With a cache, one slot each for the sticky and the normal queue, or the one starves the other.
  int least = context_.caches() ? 2 : 1;
  context_.workflow_slots = std::make_shared<Slots>(
      std::max(options.max_concurrent_workflow_tasks, least),
      &context_.metrics->workflow_slots_available, &context_.metrics->workflow_slots_used);
  context_.activity_slots = std::make_shared<Slots>(std::max(options.max_concurrent_activities, 1),
                                                    &context_.metrics->activity_slots_available,
                                                    &context_.metrics->activity_slots_used);
  context_.local_slots =
      std::make_shared<Slots>(std::max(options.max_concurrent_local_activities, 1),
                              &context_.metrics->local_activity_slots_available,
                              &context_.metrics->local_activity_slots_used);
  activity_manager_ = std::make_unique<ActivityManager>(
      ActivityManagerOptions{
          .max_heartbeat_throttle_interval = options.max_heartbeat_throttle_interval,
          .default_heartbeat_throttle_interval = options.default_heartbeat_throttle_interval,
          .language_of = [this](const std::string& type) { return activities_.find(type); },
          .known_types = activities_.types(),
          .metrics = &context_.metrics->sdk},
      *context_.environment.timers);
  if (!activities_.empty()) {
    context_.activity_sink = std::make_shared<ActivityRpc>(context_);
    context_.activities = activity_manager_.get();
  }
  if (!workflows_.empty()) {
    local_activities_ = std::make_unique<LocalActivities>(*activity_manager_, context_.local_slots,
                                                          *context_.environment.timers,
                                                          *context_.environment.clock);
    context_.local_activities = local_activities_.get();
  }
  start_lanes();
  start_pollers();
  context_.metrics->worker_start.add();
  health_ = process_health().add(
      absl::StrCat("worker ", options.task_queue), [this] { return not_alive(); },
      [this] { return not_ready(); });
}

std::string WorkerImpl::not_alive() const {
  for (const auto& lane : lanes_) {
    if (!lane->quarantined()) return "";
  }
  if (lanes_.empty()) return "";
  return absl::StrCat("all ", lanes_.size(), " lanes run workflow code that does not yield");
}

std::string WorkerImpl::not_ready() const {
  if (context_.shutting_down.load()) return "draining";
  if (!context_.connection->reachable())
    return absl::StrCat("no server at ", context_.connection->options().target_host);
  return not_alive();
}

absl::Status WorkerImpl::validate_namespace() {
  wf::DescribeNamespaceRequest request;
  request.set_namespace_(context_.options.namespace_);
  wf::DescribeNamespaceResponse reply;
  absl::Status status = context_.connection->call_blocking(
      CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), request, reply, context_.call_options());
  if (!context_.options.disable_payload_error_limit)
    context_.payload_bytes_max = static_cast<std::size_t>(
        std::max<std::int64_t>(reply.namespace_info().limits().blob_size_limit_error(), 0));
  context_.server_ends_polls =
      reply.namespace_info().capabilities().worker_poll_complete_on_shutdown();
  if (status.ok()) return status;
  return cannot("use namespace " + context_.options.namespace_ + " at", status);
}

absl::Status WorkerImpl::cannot(const std::string& what, const absl::Status& failure) const {
  const ConnectionOptions& connection = context_.connection->options();
  return absl::Status(
      failure.code(),
      absl::StrCat("worker for task queue ", context_.options.task_queue, " cannot ", what, " ",
                   connection.target_host, ": ", absl::StatusCodeToString(failure.code()), ": ",
                   failure.message(), absl::EndsWith(failure.message(), ".") ? " " : ". ",
                   absl::IsNotFound(failure) ? "Register the namespace, or name another."
                                             : connection_advice(connection, failure)));
}

CallOptions WorkerImpl::poll_options() const {
  CallOptions options = context_.call_options(RetryClass::kTaskPoll);
  options.tolerate_fatal_until =
      context_.environment.clock->steady() + context_.options.fatal_poll_tolerance;
  return options;
}

void WorkerImpl::start_lanes() {
  if (workflows_.empty()) return;
  int count = context_.options.lanes;
  if (count <= 0) count = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  auto share = [&](std::size_t total) {
    return total == 0 ? 0 : std::max<std::size_t>(1, total / count);
  };
  const std::shared_ptr<const WorkerContext> context(shared_, &context_);
  for (int i = 0; i < count; ++i) {
    TaskHandlerOptions options;
    options.cached_runs_max = share(context_.options.max_cached_workflows);
    options.cached_bytes_max = share(context_.options.max_cached_bytes);
    options.namespace_ = context_.options.namespace_;
    options.task_queue = context_.options.task_queue;
    options.sdk_metadata = context_.connection->capabilities().sdk_metadata();
    if (!context_.options.build_id.empty()) {
      auto& own = options.own_deployment_version.emplace();
      own.set_deployment_name(context_.options.deployment_name);
      own.set_build_id(context_.options.build_id);
    }
    options.language_of = [shared = shared_.get()](const std::string& type) {
      return shared->workflows.find(type);
    };
    options.nondeterminism_fails_workflow = [shared = shared_.get()](const std::string& type) {
      return shared->nondeterminism_fails.count(type) > 0 ||
             shared->nondeterminism_fails.count("") > 0;
    };
    options.known_types = workflows_.types();
    options.payload_bytes_max = context_.payload_bytes_max;
    lanes_.push_back(std::make_unique<Lane>(context, std::move(options)));
    lanes_.back()->start();
  }
  if (context_.options.deadlock_timeout.count() > 0)
    watchdog_ = std::make_unique<Watchdog>(context_, lanes_);
}

void WorkerImpl::start_pollers() {
  const WorkerOptions& options = context_.options;
  if (!workflows_.empty()) {
    int polls = std::max(1, options.max_concurrent_workflow_task_polls);
    int slots = context_.workflow_slots->count();
    int normal = polls, sticky = 0;
    if (context_.caches()) {
      normal = std::max(1, static_cast<int>(polls * options.nonsticky_to_sticky_poll_ratio));
      sticky = std::max(1, polls - normal);
    }
    // Neither kind may hold all slots while it waits.
    normal = std::min(normal, context_.caches() ? slots - 1 : slots);
    sticky = std::min(sticky, slots - normal);
    start_poller(workflow_tasks(/*sticky=*/false), std::make_unique<FixedPolls>(normal));
    if (sticky > 0)
      start_poller(workflow_tasks(/*sticky=*/true), std::make_unique<FixedPolls>(sticky));
  }
  if (!activities_.empty() && !options.no_remote_activities) {
    const int polls = std::min(std::max(1, options.max_concurrent_activity_task_polls),
                               context_.activity_slots->count());
    start_poller(activity_tasks(),
                 std::make_unique<FixedPolls>(polls, options.max_activities_per_second));
  }
}

template <class Source>
void WorkerImpl::start_poller(Source source, std::unique_ptr<PollerBehavior> behavior) {
  auto poller = std::make_shared<Poller<Source>>(
      context_.connection, *context_.environment.timers, std::move(source), std::move(behavior),
      PollerBase::Events{.fatal = [this](const absl::Status& status) { fatal(status); },
                         .ended = [this] { poller_ended(); }});
  poller_started();
  pollers_.push_back(poller);
  poller->start();
}

WorkflowTasks WorkerImpl::workflow_tasks(bool sticky) {
  WorkflowTasks source;
  source.method = CHIMERA_WORKFLOW_SERVICE(PollWorkflowTaskQueue);
  source.call = poll_options();
  source.request = [this, sticky] {
    auto request = std::make_unique<wf::PollWorkflowTaskQueueRequest>();
    context_.introduce_poll(*request);
    auto* queue = request->mutable_task_queue();
    queue->set_name(sticky ? context_.sticky_queue : context_.options.task_queue);
    queue->set_kind(sticky ? enums::TASK_QUEUE_KIND_STICKY : enums::TASK_QUEUE_KIND_NORMAL);
    if (sticky) queue->set_normal_name(context_.options.task_queue);
    return request;
  };
  source.slots = context_.workflow_slots;
  source.slot.sticky = sticky;
  source.task = [this](auto task, base::SlotSupplier::Permit permit) {
    take(std::move(task), std::move(permit));
  };
  source.empty = &context_.metrics->workflow_poll_empty;
  source.under_way =
      sticky ? &context_.metrics->sticky_pollers : &context_.metrics->workflow_pollers;
  return source;
}

ActivityTasks WorkerImpl::activity_tasks() {
  ActivityTasks source;
  source.method = CHIMERA_WORKFLOW_SERVICE(PollActivityTaskQueue);
  source.call = poll_options();
  source.request = [this] {
    auto request = std::make_unique<wf::PollActivityTaskQueueRequest>();
    context_.introduce_poll(*request);
    request->mutable_task_queue()->set_name(context_.options.task_queue);
    request->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    const double rate = context_.options.max_task_queue_activities_per_second;
    if (rate > 0)
      request->mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(rate);
    return request;
  };
  source.slots = context_.activity_slots;
  source.task = [this](auto task, base::SlotSupplier::Permit permit) {
    activity_manager_->start(std::move(task), std::move(permit), context_.activity_sink);
  };
  source.empty = &context_.metrics->activity_poll_no_task;
  source.under_way = &context_.metrics->activity_pollers;
  return source;
}

void WorkerImpl::take(Shared<wf::PollWorkflowTaskQueueResponse> task,
                      base::SlotSupplier::Permit permit) {
  WorkerMetrics& metrics = *context_.metrics;
  metrics.workflow_poll_succeed.add();
  metrics.workflow_schedule_to_start.record(base::to_wall_time(task->started_time()) -
                                            base::to_wall_time(task->scheduled_time()));
  run(std::move(task), std::move(permit));
}

void WorkerImpl::run(Shared<wf::PollWorkflowTaskQueueResponse> task,
                     base::SlotSupplier::Permit permit) {
  const std::string& run_id = task->workflow_execution().run_id();
  std::size_t home = std::hash<std::string>{}(run_id) % lanes_.size();
  std::size_t lane = home;
  // Code that does not yield holds up its own lane only: another replays the run from its history.
  while (lanes_[lane]->quarantined()) {
    // Unless it is that very run: it would take the next lane, too. The server asks again when the
    // task has timed out.
    if (lanes_[lane]->executes(run_id)) return;
    lane = (lane + 1) % lanes_.size();
    if (lane == home) break;
  }
  lanes_[lane]->enqueue({.message = std::move(task), .permit = std::move(permit)});
}

// Counts as a poll while it lives, so that the lanes still run when its task comes.
class WorkerImpl::ReservedSlot : public WorkflowSlot {
 public:
  ReservedSlot(WorkerImpl& worker, base::SlotSupplier::Permit permit)
      : worker_(worker), permit_(std::move(permit)) {}
  ~ReservedSlot() override {
    permit_.reset();
    worker_.poller_ended();
  }
  void run(Shared<wf::PollWorkflowTaskQueueResponse> task) override {
    worker_.run(std::move(task), std::move(permit_));
  }

 private:
  WorkerImpl& worker_;
  base::SlotSupplier::Permit permit_;
};

std::unique_ptr<WorkflowSlot> WorkerImpl::reserve_workflow_slot() {
  {
    absl::MutexLock lock(&mutex_);
    // Without polls the worker is not up yet, or has no workflows.
    if (shutdown_ || polling_ == 0 || lanes_.empty()) return nullptr;
    ++polling_;
  }
  if (base::SlotSupplier::Permit permit = context_.workflow_slots->try_take({}))
    return std::make_unique<ReservedSlot>(*this, std::move(permit));
  poller_ended();
  return nullptr;
}

void WorkerImpl::poller_started() {
  absl::MutexLock lock(&mutex_);
  ++polling_;
}

void WorkerImpl::poller_ended() {
  absl::MutexLock lock(&mutex_);
  --polling_;
}

void WorkerImpl::fatal(const absl::Status& status) {
  absl::AnyInvocable<void(absl::Status) &&> tell;
  absl::Status told = cannot("poll", status);
  {
    absl::MutexLock lock(&mutex_);
    if (!fatal_.ok()) return;
    fatal_ = told;
    tell = std::move(on_fatal_);
  }
  log(LogLevel::kError, "worker", absl::StrCat(told.message(), " The worker ends."));
  initiate_shutdown();
  if (tell) std::move(tell)(std::move(told));
}

void WorkerImpl::initiate_shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(shutdown_, true)) return;
    if (!started_ || setting_up_) return;
  }
  stop_polling();
}

void WorkerImpl::stop_polling() {
  context_.shutting_down.store(true);
  for (auto& poller : pollers_) poller->stop();
  say_goodbye();
  if (local_activities_) local_activities_->begin_shutdown();
  if (activity_manager_)
    activity_manager_->begin_shutdown(context_.options.graceful_shutdown_timeout);
}

void WorkerImpl::say_goodbye() {
  auto request = std::make_shared<wf::ShutdownWorkerRequest>();
  context_.introduce(*request);
  request->set_worker_instance_key(context_.instance_key);
  request->set_task_queue(context_.options.task_queue);
  if (!workflows_.empty()) request->add_task_queue_types(enums::TASK_QUEUE_TYPE_WORKFLOW);
  if (!activities_.empty() && !context_.options.no_remote_activities)
    request->add_task_queue_types(enums::TASK_QUEUE_TYPE_ACTIVITY);
  if (context_.caches()) request->set_sticky_task_queue(context_.sticky_queue);
  request->set_reason("graceful shutdown");
  auto goodbye = std::make_shared<Goodbye>(context_.connection, std::move(request),
                                           context_.call_options(RetryClass::kNone),
                                           context_.environment, pollers_);
  goodbye->say();
  if (!context_.server_ends_polls) goodbye->cancel_polls();
}

absl::Status WorkerImpl::wait() {
  auto polls_ended = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return shutdown_ && !setting_up_ && polling_ == 0;
  };
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&polls_ended));
  }
  process_health().remove(std::exchange(health_, 0));
  bool clean = true;
  for (auto& lane : lanes_) lane->begin_drain();
  const base::SteadyTime begun = base::system_clock().steady();
  for (auto& lane : lanes_) {
    // A lane whose code has returned waits for the server's answers, which come or time out.
    while (!lane->drained().WaitForNotificationWithTimeout(absl::Milliseconds(100))) {
      const auto waited = base::system_clock().steady() - begun;
      if (waited < (lane->executes() ? kDrainPatience : kAnswersPatience)) continue;
      // Local activities are waited for, as other activities are.
      if (!lane->executes() && local_activities_ && local_activities_->under_way() > 0) continue;
      clean = false;
      break;
    }
  }
  watchdog_.reset();
  // After the lanes: the reply to a lane's last task may have started activities.
  if (activity_manager_) {
    while (!activity_manager_->wait_idle(std::chrono::seconds(1))) {
    }
  }
  if (!clean) {
    // Their threads are inside user code that never returns; joining them would hang for ever.
    for (auto& lane : lanes_) {
      if (!lane->drained().HasBeenNotified()) static_cast<void>(lane.release());
    }
  }
  lanes_.clear();
  absl::MutexLock lock(&mutex_);
  if (clean) return fatal_;
  return absl::DeadlineExceededError(
      absl::StrCat("worker for task queue ", context_.options.task_queue,
                   " stopped, but some workflow code neither returned nor reacted to its eviction; "
                   "its thread is left behind",
                   fatal_.ok() ? "" : absl::StrCat(". It stopped because of: ", fatal_.message())));
}

absl::Status check(const WorkerOptions& options) {
  auto wrong = [](const char* option, const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("worker option ", option, " ", why));
  };
  if (options.task_queue.empty()) return wrong("task_queue", "is empty");
  if (options.namespace_.empty()) return wrong("namespace", "is empty");
  if (options.max_concurrent_workflow_tasks < 1)
    return wrong("max_concurrent_workflow_tasks", "must be at least 1");
  if (options.max_concurrent_activities < 1)
    return wrong("max_concurrent_activities", "must be at least 1");
  if (options.max_concurrent_local_activities < 1)
    return wrong("max_concurrent_local_activities", "must be at least 1");
  if (options.max_concurrent_workflow_task_polls < 1)
    return wrong("max_concurrent_workflow_task_polls", "must be at least 1");
  if (options.max_concurrent_activity_task_polls < 1)
    return wrong("max_concurrent_activity_task_polls", "must be at least 1");
  if (options.use_worker_versioning && options.deployment_name.empty())
    return wrong("use_worker_versioning", "needs a deployment_name");
  if (!options.deployment_name.empty() && options.build_id.empty())
    return wrong("deployment_name", "needs a build_id");
  if (options.nonsticky_to_sticky_poll_ratio < 0 || options.nonsticky_to_sticky_poll_ratio > 1)
    return wrong("nonsticky_to_sticky_poll_ratio", "must be between 0 and 1");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::create(std::shared_ptr<Connection> connection,
                                                       WorkerOptions options,
                                                       WorkerEnvironment environment) {
  absl::Status valid = check(options);
  if (!valid.ok()) return valid;
  if (options.identity.empty()) options.identity = connection->options().identity;
  return std::make_unique<WorkerImpl>(std::move(connection), std::move(options), environment);
}

}  // namespace chimera::core
