#include "core/worker/worker.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"

#include "core/base/proto_time.h"
#include "core/rpc/connect_error.h"
#include "core/rpc/replaceable_connection.h"
#include "core/telemetry/health.h"
#include "core/telemetry/log.h"
#include "core/worker/activity_rpc.h"
#include "core/worker/autoscaled_polls.h"
#include "core/worker/custom_slots.h"
#include "core/worker/drain.h"
#include "core/worker/goodbye.h"
#include "core/worker/lane.h"
#include "core/worker/nexus_rpc.h"
#include "core/worker/option_checks.h"
#include "core/worker/poller.h"
#include "core/worker/resource_slots.h"
#include "core/worker/slots.h"
#include "core/worker/watchdog.h"
#include "core/worker/worker_heartbeat.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using WorkflowTasks =
    TaskSource<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse>;
using ActivityTasks =
    TaskSource<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse>;
using NexusTasks = TaskSource<wf::PollNexusTaskQueueRequest, wf::PollNexusTaskQueueResponse>;

std::string random_hex(const WorkerEnvironment& environment) {
  std::string hex;
  for (int i = 0; i < 4; ++i) absl::StrAppendFormat(&hex, "%08x", environment.random());
  return hex;
}

// What lanes use for as long as they live: shared with them, because a lane whose code never
// returns outlives the worker.
struct LaneShared {
  WorkerContext context;
  Registry<WorkflowLanguage> workflows{"workflow"};
  std::set<std::string> nondeterminism_fails;
};

class WorkerImpl : public Worker, private EagerStarts::Taker {
 public:
  WorkerImpl(std::shared_ptr<Connection> connection, WorkerOptions options,
             WorkerEnvironment environment) {
    context_.environment = std::move(environment);
    drain_ = std::make_shared<Drain>(context_.environment);
    connection_ = std::make_shared<ReplaceableConnection>(std::move(connection));
    context_.connection = connection_;
    context_.options = std::move(options);
    Metrics* metrics = context_.connection->options().metrics.get();
    context_.metrics =
        std::make_unique<WorkerMetrics>(metrics ? *metrics : process_metrics(),
                                        context_.options.namespace_, context_.options.task_queue);
    context_.sticky_queue =
        absl::StrCat(context_.options.identity, "-", random_hex(context_.environment));
    context_.instance_key = random_hex(context_.environment);
    deployment_ = context_.deployment();
  }
  ~WorkerImpl() override {
    take_no_starts();
    let_go();
  }

  absl::Status add_workflow(std::string type, WorkflowLanguage& language) override {
    return workflows_.add(std::move(type), language);
  }
  absl::Status add_activity(std::string type, ActivityLanguage& language) override {
    return activities_.add(std::move(type), language);
  }
  absl::Status add_nexus_service(std::string service, NexusLanguage& language) override {
    return nexus_services_.add(std::move(service), language);
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
  void start_async(Started done) override;
  void initiate_shutdown() override;
  absl::Status wait() override;
  void when_ended(Ended done) override;

  void announce() override { take_starts(/*up=*/false); }
  void replace_connection(std::shared_ptr<Connection> connection) override;

  const WorkerOptions& options() const override { return context_.options; }
  Connection& connection() override { return *context_.connection; }

 private:
  class ReservedSlot;

  WorkflowSlotPtr reserve_workflow_slot() override;
  void take_starts(bool up);
  void take_no_starts();
  absl::Status validated(const absl::StatusOr<Shared<wf::DescribeNamespaceResponse>>& reply);
  absl::Status start_validated();
  // What this worker cannot do, why, and what to check.
  absl::Status cannot(const std::string& what, const absl::Status& failure) const;
  void set_up();
  void make_slots();
  void stop_polling();
  void start_lanes();
  void start_pollers();
  void start_workflow_pollers();
  // At most as many as there are slots.
  std::unique_ptr<PollerBehavior> polls(const std::optional<PollerAutoscaling>& scaling, int fixed,
                                        int slots, double per_second = 0) const;
  WorkflowTasks workflow_tasks(bool sticky);
  ActivityTasks activity_tasks();
  NexusTasks nexus_tasks();
  // What of a poll is the same for all that have no sticky queue.
  template <class Request>
  std::unique_ptr<Request> poll_request() const;
  template <class Source>
  void start_poller(Source source, std::unique_ptr<PollerBehavior> behavior);
  void take(Shared<wf::PollWorkflowTaskQueueResponse> task, base::SlotSupplier::Permit permit,
            bool sticky);
  void run(Shared<wf::PollWorkflowTaskQueueResponse> task, base::SlotSupplier::Permit permit,
           bool sticky);
  void fatal(const absl::Status& status);
  void say_goodbye();
  CallOptions poll_options() const;
  void succeeded(PollFigures& polls) const {
    polls.last_success.store(context_.environment.clock->now().time_since_epoch().count(),
                             std::memory_order_relaxed);
  }
  // What is wrong with this worker, for the process's health; empty when nothing is.
  std::string not_alive() const;
  std::string not_ready() const;
  absl::Status end_status(bool clean);
  void let_go();

  const std::shared_ptr<LaneShared> shared_ = std::make_shared<LaneShared>();
  WorkerContext& context_ = shared_->context;
  std::shared_ptr<ReplaceableConnection> connection_;
  Registry<WorkflowLanguage>& workflows_ = shared_->workflows;
  Registry<ActivityLanguage> activities_{"activity"};
  Registry<NexusLanguage> nexus_services_{"Nexus service"};
  std::unique_ptr<ActivityManager> activity_manager_;
  std::unique_ptr<LocalActivities> local_activities_;
  std::unique_ptr<NexusManager> nexus_;  // Null in a worker without services.
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::shared_ptr<Watchdog> watchdog_;
  std::vector<std::shared_ptr<PollerBase>> pollers_;
  std::shared_ptr<WorkerHeartbeat> heartbeat_;  // Null: the server takes none.

  std::shared_ptr<Drain> drain_;
  api::deployment::v1::WorkerDeploymentOptions deployment_;  // Empty when of none.

  absl::Mutex starts_mutex_;                                            // Before mutex_.
  std::shared_ptr<EagerStarts> starts_ ABSL_GUARDED_BY(starts_mutex_);  // Which know this worker.
  bool starts_up_ ABSL_GUARDED_BY(starts_mutex_) = false;

  absl::Mutex mutex_;
  int health_ = 0;                           // This worker's part of the process's health.
  bool up_ ABSL_GUARDED_BY(mutex_) = false;  // Lanes and pollers have been made.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool setting_up_ ABSL_GUARDED_BY(mutex_) = false;  // Lanes and pollers are being made.
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status fatal_ ABSL_GUARDED_BY(mutex_);
  absl::AnyInvocable<void(absl::Status) &&> on_fatal_ ABSL_GUARDED_BY(mutex_);
};

absl::Status WorkerImpl::start() {
  absl::Notification ready;
  absl::Status result;
  start_async([&](absl::Status status) {
    result = std::move(status);
    ready.Notify();
  });
  ready.WaitForNotification();
  return result;
}

void WorkerImpl::start_async(Started done) {
  auto request = std::make_unique<wf::DescribeNamespaceRequest>();
  request->set_namespace_(context_.options.namespace_);
  send<wf::DescribeNamespaceResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), std::move(request),
      context_.call_options(),
      [this, done = std::move(done)](
          absl::StatusOr<Shared<wf::DescribeNamespaceResponse>> reply) mutable {
        absl::Status status = validated(reply);
        if (!status.ok()) take_no_starts();
        std::move(done)(status.ok() ? start_validated() : std::move(status));
      });
}

absl::Status WorkerImpl::start_validated() {
  {
    absl::MutexLock lock(&mutex_);
    if (started_) return absl::FailedPreconditionError("the worker was started already");
    started_ = true;
    if (shutdown_) return absl::OkStatus();
    setting_up_ = true;
  }
  const auto drain = drain_;
  drain->hold();
  set_up();
  bool shut_down = false;
  {
    absl::MutexLock lock(&mutex_);
    setting_up_ = false;
    shut_down = shutdown_;
    up_ = true;
  }
  if (shut_down) {
    stop_polling();  // It came meanwhile and was left to this thread.
  } else {
    lanes_.empty() ? take_no_starts() : take_starts(/*up=*/true);
  }
  drain->release();
  return absl::OkStatus();
}

void WorkerImpl::make_slots() {
  const WorkerOptions& options = context_.options;
  WorkerMetrics& metrics = *context_.metrics;
  const base::Clock& clock = *context_.environment.clock;
  const ResourceTuner tuner = options.resource_tuner.value_or(ResourceTuner{});
  std::shared_ptr<ResourceController> controller;
  if (options.resource_tuner) {
    controller =
        std::make_shared<ResourceController>(tuner.targets, std::make_unique<MachineLoad>(clock));
  }
  base::Timers& timers = *context_.environment.timers;
  const auto slots = [&](SlotKind kind, const std::shared_ptr<CustomSlotSupplier>& custom,
                         const std::optional<ResourceSlotLimits>& limits, int fixed,
                         Gauge& available, Gauge& used) -> std::shared_ptr<base::SlotSupplier> {
    if (custom) return std::make_shared<CustomSlots>(kind, custom, options, timers, &used);
    if (!limits) return std::make_shared<Slots>(fixed, &available, &used);
    return std::make_shared<ResourceSlots>(*limits, controller, timers, &used);
  };
  // With a cache, one slot each for the sticky and the normal queue, or the one starves the other.
  const int least = context_.caches() ? 2 : 1;
  context_.workflow_slots = slots(SlotKind::kWorkflow, options.workflow_slots, tuner.workflow,
                                  std::max(options.max_concurrent_workflow_tasks, least),
                                  metrics.workflow_slots_available, metrics.workflow_slots_used);
  context_.activity_slots = slots(SlotKind::kActivity, options.activity_slots, tuner.activity,
                                  std::max(options.max_concurrent_activities, 1),
                                  metrics.activity_slots_available, metrics.activity_slots_used);
  context_.local_slots =
      slots(SlotKind::kLocalActivity, options.local_activity_slots, tuner.local_activity,
            std::max(options.max_concurrent_local_activities, 1),
            metrics.local_activity_slots_available, metrics.local_activity_slots_used);
  context_.nexus_slots = slots(SlotKind::kNexus, options.nexus_slots, tuner.nexus,
                               std::max(options.max_concurrent_nexus_tasks, 1),
                               metrics.nexus_slots_available, metrics.nexus_slots_used);
}

void WorkerImpl::set_up() {
  const WorkerOptions& options = context_.options;
  make_slots();
  activity_manager_ = std::make_unique<ActivityManager>(
      ActivityManagerOptions{
          .max_heartbeat_throttle_interval = options.max_heartbeat_throttle_interval,
          .default_heartbeat_throttle_interval = options.default_heartbeat_throttle_interval,
          .language_of = [this](const std::string& type) { return activities_.find(type); },
          .known_types = activities_.types(),
          .metrics = &context_.metrics->sdk,
          .figures = &context_.figures->activities,
          .local_figures = &context_.figures->local_activities},
      *context_.environment.timers, *context_.environment.clock);
  if (!activities_.empty()) {
    context_.activity_sink = std::make_shared<ActivityRpc>(context_);
    context_.activities = activity_manager_.get();
  }
  context_.has_nexus_services = !nexus_services_.empty();
  if (!nexus_services_.empty()) {
    nexus_ = std::make_unique<NexusManager>(
        NexusManagerOptions{
            .language_of = [this](const std::string& name) { return nexus_services_.find(name); },
            .known_services = nexus_services_.types(),
            .metrics = &context_.metrics->sdk,
            .figures = &context_.figures->nexus_tasks},
        std::make_shared<NexusRpc>(context_), *context_.environment.timers,
        *context_.environment.clock);
  }
  context_.has_workflows = !workflows_.empty();
  if (!workflows_.empty()) {
    local_activities_ = std::make_unique<LocalActivities>(*activity_manager_, context_.local_slots,
                                                          *context_.environment.timers,
                                                          *context_.environment.clock);
    context_.local_activities = local_activities_.get();
  }
  start_lanes();
  Drain::Parts parts{.local_activities = local_activities_.get(),
                     .activities = activity_manager_.get(),
                     .nexus = nexus_.get(),
                     .no_more_tasks = [this] { process_health().remove(health_); }};
  for (const auto& lane : lanes_) parts.lanes.push_back(lane.get());
  drain_->set(std::move(parts));
  start_pollers();
  if (context_.server_takes_heartbeats && options.worker_heartbeat_interval.count() > 0) {
    heartbeat_ = std::make_shared<WorkerHeartbeat>(
        context_, std::make_unique<MachineLoad>(*context_.environment.clock));
    heartbeat_->start();
  }
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

absl::Status WorkerImpl::validated(
    const absl::StatusOr<Shared<wf::DescribeNamespaceResponse>>& reply) {
  if (!reply.ok())
    return cannot("use namespace " + context_.options.namespace_ + " at", reply.status());
  const auto& info = (*reply)->namespace_info();
  if (!context_.options.disable_payload_error_limit)
    context_.payload_bytes_max =
        static_cast<std::size_t>(std::max<std::int64_t>(info.limits().blob_size_limit_error(), 0));
  context_.server_ends_polls = info.capabilities().worker_poll_complete_on_shutdown();
  context_.server_takes_heartbeats = info.capabilities().worker_heartbeats();
  context_.server_advises_polls = info.capabilities().poller_autoscaling();
  return absl::OkStatus();
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
    options.values_are_stored = [context] { return context->connection->stores_values(); };
    lanes_.push_back(
        std::make_unique<Lane>(context, std::move(options), [weak = std::weak_ptr<Drain>(drain_)] {
          if (const auto drain = weak.lock()) drain->lane_drained();
        }));
  }
  if (context_.options.deadlock_timeout.count() > 0) {
    watchdog_ = std::make_shared<Watchdog>(context_, lanes_);
    watchdog_->start();
  }
}

void WorkerImpl::start_pollers() {
  const WorkerOptions& options = context_.options;
  if (!workflows_.empty()) start_workflow_pollers();
  if (!activities_.empty() && !options.no_remote_activities) {
    start_poller(activity_tasks(),
                 polls(options.activity_poll_autoscaling,
                       std::max(1, options.max_concurrent_activity_task_polls),
                       context_.activity_slots->count(), options.max_activities_per_second));
  }
  if (nexus_) {
    start_poller(nexus_tasks(), polls(options.nexus_poll_autoscaling,
                                      std::max(1, options.max_concurrent_nexus_task_polls),
                                      context_.nexus_slots->count()));
  }
}

void WorkerImpl::start_workflow_pollers() {
  const WorkerOptions& options = context_.options;
  const auto& scaling = options.workflow_poll_autoscaling;
  const int most = std::max(1, options.max_concurrent_workflow_task_polls);
  const int slots = context_.workflow_slots->count();
  int normal = most, sticky = 0;
  if (context_.caches()) {
    normal = std::max(1, static_cast<int>(most * options.nonsticky_to_sticky_poll_ratio));
    sticky = std::max(1, most - normal);
  }
  // Neither kind may hold all slots while it waits.
  int normal_slots = context_.caches() ? slots - 1 : slots;
  if (context_.caches() && scaling) normal_slots = std::max(1, slots / 2);
  normal = std::min(normal, normal_slots);
  const int sticky_slots = slots - (scaling ? normal_slots : normal);
  start_poller(workflow_tasks(/*sticky=*/false), polls(scaling, normal, normal_slots));
  if (sticky > 0)
    start_poller(workflow_tasks(/*sticky=*/true), polls(scaling, sticky, sticky_slots));
}

std::unique_ptr<PollerBehavior> WorkerImpl::polls(const std::optional<PollerAutoscaling>& scaling,
                                                  int fixed, int slots, double per_second) const {
  if (!scaling) return std::make_unique<FixedPolls>(std::min(fixed, slots), per_second);
  PollerAutoscaling limits = *scaling;
  for (int* limit : {&limits.minimum, &limits.initial, &limits.maximum})
    *limit = std::min(*limit, slots);
  return std::make_unique<AutoscaledPolls>(limits, *context_.environment.clock,
                                           context_.server_advises_polls, per_second);
}

template <class Source>
void WorkerImpl::start_poller(Source source, std::unique_ptr<PollerBehavior> behavior) {
  auto poller = std::make_shared<Poller<Source>>(
      context_.connection, *context_.environment.timers, std::move(source), std::move(behavior),
      PollerBase::Events{.fatal = [this](const absl::Status& status) { fatal(status); },
                         .ended = [drain = drain_] { drain->release(); }});
  drain_->hold();
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
  source.figures = sticky ? &context_.figures->sticky_polls : &context_.figures->workflow_polls;
  source.task = [this, sticky, figures = source.figures](auto task,
                                                         base::SlotSupplier::Permit permit) {
    succeeded(*figures);
    take(std::move(task), std::move(permit), sticky);
  };
  source.empty = &context_.metrics->workflow_poll_empty;
  source.under_way =
      sticky ? &context_.metrics->sticky_pollers : &context_.metrics->workflow_pollers;
  return source;
}

template <class Request>
std::unique_ptr<Request> WorkerImpl::poll_request() const {
  auto request = std::make_unique<Request>();
  context_.introduce_poll(*request);
  request->mutable_task_queue()->set_name(context_.options.task_queue);
  request->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  return request;
}

NexusTasks WorkerImpl::nexus_tasks() {
  NexusTasks source;
  source.method = CHIMERA_WORKFLOW_SERVICE(PollNexusTaskQueue);
  source.call = poll_options();
  source.request = [this] { return poll_request<wf::PollNexusTaskQueueRequest>(); };
  source.slots = context_.nexus_slots;
  source.figures = &context_.figures->nexus_polls;
  source.task = [this](auto task, base::SlotSupplier::Permit permit) {
    succeeded(context_.figures->nexus_polls);
    const NexusTarget target = target_of(task->request());
    context_.nexus_slots->use(
        permit, {.type = target.service, .sticky = false, .operation = target.operation});
    nexus_->start(task, std::move(permit));
  };
  source.empty = &context_.metrics->nexus_poll_no_task;
  source.under_way = &context_.metrics->nexus_pollers;
  return source;
}

ActivityTasks WorkerImpl::activity_tasks() {
  ActivityTasks source;
  source.method = CHIMERA_WORKFLOW_SERVICE(PollActivityTaskQueue);
  source.call = poll_options();
  source.request = [this] {
    auto request = poll_request<wf::PollActivityTaskQueueRequest>();
    const double rate = context_.options.max_task_queue_activities_per_second;
    if (rate > 0)
      request->mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(rate);
    return request;
  };
  source.slots = context_.activity_slots;
  source.figures = &context_.figures->activity_polls;
  source.task = [this](auto task, base::SlotSupplier::Permit permit) {
    succeeded(context_.figures->activity_polls);
    context_.activity_slots->use(permit, {task->activity_type().name()});
    activity_manager_->start(std::move(task), std::move(permit), context_.activity_sink);
  };
  source.empty = &context_.metrics->activity_poll_no_task;
  source.under_way = &context_.metrics->activity_pollers;
  return source;
}

void WorkerImpl::take(Shared<wf::PollWorkflowTaskQueueResponse> task,
                      base::SlotSupplier::Permit permit, bool sticky) {
  WorkerMetrics& metrics = *context_.metrics;
  metrics.workflow_poll_succeed.add();
  metrics.workflow_schedule_to_start.record(base::to_wall_time(task->started_time()) -
                                            base::to_wall_time(task->scheduled_time()));
  run(std::move(task), std::move(permit), sticky);
}

void WorkerImpl::run(Shared<wf::PollWorkflowTaskQueueResponse> task,
                     base::SlotSupplier::Permit permit, bool sticky) {
  context_.workflow_slots->use(permit, {task->workflow_type().name(), sticky});
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
      : worker_(worker), drain_(worker.drain_), permit_(std::move(permit)) {}
  ~ReservedSlot() override {
    permit_.reset();
    drain_->release();
  }
  const api::deployment::v1::WorkerDeploymentOptions* deployment() const override {
    return worker_.context_.options.deployment_name.empty() ? nullptr : &worker_.deployment_;
  }
  void run(Shared<wf::PollWorkflowTaskQueueResponse> task) override {
    worker_.run(std::move(task), std::move(permit_), /*sticky=*/false);
  }

 private:
  WorkerImpl& worker_;
  const std::shared_ptr<Drain> drain_;
  base::SlotSupplier::Permit permit_;
};

WorkflowSlotPtr WorkerImpl::reserve_workflow_slot() {
  const auto takes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return up_ && !shutdown_ && !lanes_.empty();
  };
  {
    absl::MutexLock lock(&mutex_);
    if (!takes()) return nullptr;
  }
  base::SlotSupplier::Permit permit = context_.workflow_slots->try_take({});
  if (!permit) return nullptr;
  absl::MutexLock lock(&mutex_);
  if (!takes()) return nullptr;  // The permit goes back after the lock.
  drain_->hold();
  return std::make_unique<ReservedSlot>(*this, std::move(permit));
}

void WorkerImpl::take_starts(bool up) {
  absl::MutexLock starts_lock(&starts_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    if (shutdown_) return;
  }
  starts_up_ = up;
  starts_ = connection_->eager_starts();
  starts_->add(context_.options.namespace_, context_.options.task_queue, *this, up);
}

void WorkerImpl::take_no_starts() {
  absl::MutexLock lock(&starts_mutex_);
  if (auto starts = std::exchange(starts_, nullptr)) starts->remove(*this);
}

void WorkerImpl::replace_connection(std::shared_ptr<Connection> connection) {
  absl::MutexLock lock(&starts_mutex_);
  const auto before = starts_;
  connection_->replace(std::move(connection));
  if (!before || before == connection_->eager_starts()) return;
  before->remove(*this);
  starts_ = connection_->eager_starts();
  starts_->add(context_.options.namespace_, context_.options.task_queue, *this, starts_up_);
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
  const auto drain = drain_;
  bool polls = false;
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(shutdown_, true)) return;
    if (setting_up_) return;
    polls = started_;
    drain->hold();  // The worker must not end before this has.
  }
  if (polls) {
    stop_polling();
  } else {
    take_no_starts();
    drain->begin();
  }
  drain->release();
}

void WorkerImpl::stop_polling() {
  take_no_starts();
  context_.shutting_down.store(true);
  for (auto& poller : pollers_) poller->stop();
  say_goodbye();
  for (ActivityLanguage* language : activities_.languages()) language->begin_shutdown();
  for (NexusLanguage* language : nexus_services_.languages()) language->begin_shutdown();
  if (local_activities_) local_activities_->begin_shutdown();
  if (activity_manager_)
    activity_manager_->begin_shutdown(context_.options.graceful_shutdown_timeout);
  if (nexus_) nexus_->begin_shutdown(context_.options.graceful_shutdown_timeout);
  drain_->begin();
}

void WorkerImpl::say_goodbye() {
  auto request = std::make_shared<wf::ShutdownWorkerRequest>();
  context_.introduce(*request);
  request->set_worker_instance_key(context_.instance_key);
  request->set_task_queue(context_.options.task_queue);
  if (!workflows_.empty()) request->add_task_queue_types(enums::TASK_QUEUE_TYPE_WORKFLOW);
  if (!activities_.empty() && !context_.options.no_remote_activities)
    request->add_task_queue_types(enums::TASK_QUEUE_TYPE_ACTIVITY);
  if (nexus_) request->add_task_queue_types(enums::TASK_QUEUE_TYPE_NEXUS);
  if (context_.caches()) request->set_sticky_task_queue(context_.sticky_queue);
  request->set_reason("graceful shutdown");
  if (heartbeat_) *request->mutable_worker_heartbeat() = heartbeat_->last();
  auto goodbye = std::make_shared<Goodbye>(context_.connection, std::move(request),
                                           context_.call_options(RetryClass::kNone),
                                           context_.environment, pollers_);
  goodbye->say();
  if (!context_.server_ends_polls) goodbye->cancel_polls();
}

absl::Status WorkerImpl::wait() {
  absl::Notification ended;
  absl::Status result;
  when_ended([&](absl::Status status) {
    result = std::move(status);
    ended.Notify();
  });
  ended.WaitForNotification();
  let_go();
  return result;
}

void WorkerImpl::when_ended(Ended done) {
  drain_->when_over(
      [this, done = std::move(done)](bool clean) mutable { std::move(done)(end_status(clean)); });
}

absl::Status WorkerImpl::end_status(bool clean) {
  absl::MutexLock lock(&mutex_);
  if (clean) return fatal_;
  return absl::DeadlineExceededError(
      absl::StrCat("worker for task queue ", context_.options.task_queue,
                   " stopped, but some workflow code neither returned nor reacted to its eviction; "
                   "its thread is left behind",
                   fatal_.ok() ? "" : absl::StrCat(". It stopped because of: ", fatal_.message())));
}

// Of what a worker that has ended still has.
void WorkerImpl::let_go() {
  if (watchdog_) std::exchange(watchdog_, nullptr)->stop();
  for (auto& lane : lanes_) {
    // Its thread is inside user code that never returns; joining it would hang for ever.
    if (!lane->drained()) static_cast<void>(lane.release());
  }
  lanes_.clear();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::create(std::shared_ptr<Connection> connection,
                                                       WorkerOptions options,
                                                       WorkerEnvironment environment) {
  absl::Status valid = check(options);
  if (!valid.ok()) return valid;
  if (options.identity.empty()) options.identity = connection->options().identity;
  return std::make_unique<WorkerImpl>(std::move(connection), std::move(options),
                                      std::move(environment));
}

}  // namespace chimera::core
