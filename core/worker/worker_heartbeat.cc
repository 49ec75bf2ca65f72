#include "core/worker/worker_heartbeat.h"

#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "core/base/proto_time.h"
#include "core/worker/rpc_call.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
namespace wf = api::workflowservice::v1;
namespace workerpb = api::worker::v1;
using Environment = workerpb::EnvironmentInfo;
using Hosting = Environment::HostingEnvironment;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// The same for all workers of this process that share a connection and a namespace.
std::string grouping_key(const std::string& target, const std::string& namespace_) {
  static const std::uint64_t process = std::random_device()() * 0x100000001ull;
  return absl::StrFormat("%016x", process ^ std::hash<std::string>{}(target + "\n" + namespace_));
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

void add(Environment& info, Hosting::HostingEnvironmentType type) {
  info.add_hosting_environments()->set_type(type);
}

void describe_hosting(Environment& info) {
  struct stat found{};
  if (stat("/.dockerenv", &found) == 0) add(info, Hosting::HOSTING_ENVIRONMENT_TYPE_DOCKER);
  constexpr std::pair<const char*, Hosting::HostingEnvironmentType> kVariables[] = {
      {"KUBERNETES_SERVICE_HOST", Hosting::HOSTING_ENVIRONMENT_TYPE_K8S},
      {"AWS_LAMBDA_FUNCTION_NAME", Hosting::HOSTING_ENVIRONMENT_TYPE_AWS_LAMBDA},
      {"K_SERVICE", Hosting::HOSTING_ENVIRONMENT_TYPE_GOOGLE_CLOUD_RUN},
      {"GAE_SERVICE", Hosting::HOSTING_ENVIRONMENT_TYPE_GOOGLE_APP_ENGINE},
      {"WEBSITE_SITE_NAME", Hosting::HOSTING_ENVIRONMENT_TYPE_AZURE_APP_SERVICE},
      {"FUNCTIONS_EXTENSION_VERSION", Hosting::HOSTING_ENVIRONMENT_TYPE_AZURE_FUNCTIONS},
      {"CONTAINER_APP_NAME", Hosting::HOSTING_ENVIRONMENT_TYPE_AZURE_CONTAINER_APPS},
  };
  for (const auto& [variable, type] : kVariables) {
    if (is_set(variable)) add(info, type);
  }
  if (is_set("ECS_CONTAINER_METADATA_URI_V4") || is_set("ECS_CONTAINER_METADATA_URI"))
    add(info, Hosting::HOSTING_ENVIRONMENT_TYPE_AWS_ECS);
}

}  // namespace

workerpb::EnvironmentInfo environment_info(const std::string& runtime) {
  Environment info;
  const std::size_t space = runtime.find(' ');
  if (runtime.substr(0, space) == "CPython") {
    auto& python = *info.add_runtimes();
    python.set_type(Environment::Runtime::RUNTIME_TYPE_CPYTHON);
    if (space != std::string::npos) python.set_version(runtime.substr(space + 1));
  }
  info.add_runtimes()->set_type(Environment::Runtime::RUNTIME_TYPE_NATIVE);
  describe_hosting(info);
  auto& linux_platform = *info.mutable_platform()->mutable_linux();
  struct utsname system{};
  if (uname(&system) == 0) {
    linux_platform.set_version(system.release);
    const std::string machine = system.machine;
    if (machine == "x86_64") linux_platform.set_architecture(Environment::ARCHITECTURE_AMD64);
    if (machine == "aarch64") linux_platform.set_architecture(Environment::ARCHITECTURE_ARM64);
  }
#if defined(__GLIBC__)
  linux_platform.set_libc(Environment::LinuxPlatform::LIBC_GLIBC);
#else
  linux_platform.set_libc(Environment::LinuxPlatform::LIBC_MUSL);
#endif
  return info;
}

WorkerHeartbeat::WorkerHeartbeat(const WorkerContext& context, std::unique_ptr<LoadMeter> meter)
    : context_(context), meter_(std::move(meter)), began_(context.environment.clock->now()) {}

void WorkerHeartbeat::start() { beat(); }

void WorkerHeartbeat::beat() {
  auto request = std::make_unique<wf::RecordWorkerHeartbeatRequest>();
  std::shared_ptr<Connection> connection;
  CallOptions call;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return;
    context_.introduce(*request);
    *request->add_worker_heartbeat() = make(enums::WORKER_STATUS_RUNNING);
    connection = context_.connection;
    call = context_.call_options(RetryClass::kNone);
    timer_ = context_.environment.timers->after(context_.options.worker_heartbeat_interval,
                                                [weak = weak_from_this()] {
                                                  if (const auto self = weak.lock()) self->beat();
                                                });
  }
  send<wf::RecordWorkerHeartbeatResponse>(
      *connection, CHIMERA_WORKFLOW_SERVICE(RecordWorkerHeartbeat), std::move(request),
      std::move(call),
      [weak = weak_from_this()](
          const absl::StatusOr<Shared<wf::RecordWorkerHeartbeatResponse>>& reply) {
        const auto self = weak.lock();
        // A server that does not know heartbeats will not learn them; other failures are the next
        // one's.
        if (self && absl::IsUnimplemented(reply.status())) self->stop();
      });
}

workerpb::WorkerHeartbeat WorkerHeartbeat::last() {
  stop();
  absl::MutexLock lock(&mutex_);
  return make(enums::WORKER_STATUS_SHUTTING_DOWN);
}

void WorkerHeartbeat::stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (timer_ != 0) context_.environment.timers->cancel(std::exchange(timer_, 0));
}

workerpb::WorkerHeartbeat WorkerHeartbeat::make(enums::WorkerStatus status) {
  const WorkerOptions& options = context_.options;
  const WorkerFigures& figures = *context_.figures;
  const base::WallTime now = context_.environment.clock->now();
  workerpb::WorkerHeartbeat out;
  out.set_worker_instance_key(context_.instance_key);
  out.set_worker_identity(options.identity);
  describe_host(*out.mutable_host_info());
  out.set_task_queue(options.task_queue);
  if (!options.deployment_name.empty()) {
    out.mutable_deployment_version()->set_deployment_name(options.deployment_name);
    out.mutable_deployment_version()->set_build_id(options.build_id);
  }
  out.set_sdk_name(context_.connection->options().client_name);
  out.set_sdk_version(context_.connection->options().client_version);
  out.set_status(status);
  base::set_timestamp(began_, *out.mutable_start_time());
  base::set_timestamp(now, *out.mutable_heartbeat_time());
  if (last_beat_)
    base::set_duration(now - *last_beat_, *out.mutable_elapsed_since_last_heartbeat());
  last_beat_ = now;

  if (context_.has_workflows) {
    describe(*context_.workflow_slots, figures.workflow_tasks, workflow_tasks_,
             *out.mutable_workflow_task_slots_info());
    describe(*context_.local_slots, figures.local_activities, local_activities_,
             *out.mutable_local_activity_slots_info());
    const bool scaled = options.workflow_poll_autoscaling.has_value();
    describe(figures.workflow_polls, scaled, *out.mutable_workflow_poller_info());
    if (context_.caches())
      describe(figures.sticky_polls, scaled, *out.mutable_workflow_sticky_poller_info());
  }
  if (context_.activities != nullptr) {
    describe(*context_.activity_slots, figures.activities, activities_,
             *out.mutable_activity_task_slots_info());
    describe(figures.activity_polls, options.activity_poll_autoscaling.has_value(),
             *out.mutable_activity_poller_info());
  }
  if (context_.has_nexus_services) {
    describe(*context_.nexus_slots, figures.nexus_tasks, nexus_tasks_,
             *out.mutable_nexus_task_slots_info());
    describe(figures.nexus_polls, options.nexus_poll_autoscaling.has_value(),
             *out.mutable_nexus_poller_info());
  }
  out.set_total_sticky_cache_hit(figures.cache_hits.load(std::memory_order_relaxed));
  out.set_total_sticky_cache_miss(figures.cache_misses.load(std::memory_order_relaxed));
  out.set_current_sticky_cache_size(figures.cached_runs.load(std::memory_order_relaxed));
  for (const std::string& plugin : options.plugins) out.add_plugins()->set_name(plugin);
  for (const std::string& driver : options.storage_drivers) out.add_drivers()->set_type(driver);
  if (!options.disable_environment_info)
    *out.mutable_environment() = environment_info(options.language_runtime);
  return out;
}

void WorkerHeartbeat::describe_host(workerpb::WorkerHostInfo& host) {
  host.set_host_name(host_name());
  host.set_worker_grouping_key(
      grouping_key(context_.connection->options().target_host, context_.options.namespace_));
  host.set_process_id(absl::StrCat(getpid()));
  const Load load = meter_->load();
  host.set_current_host_cpu_usage(static_cast<float>(load.cpu));
  host.set_current_host_mem_usage(static_cast<float>(load.memory));
}

void WorkerHeartbeat::describe(const base::SlotSupplier& slots, const TaskFigures& tasks,
                               Before& before, workerpb::WorkerSlotsInfo& info) {
  const base::SlotUsage usage = slots.usage();
  info.set_current_available_slots(usage.available);
  info.set_current_used_slots(usage.used);
  info.set_slot_supplier_kind(usage.kind);
  const std::int32_t processed = tasks.processed.load(std::memory_order_relaxed);
  const std::int32_t failed = tasks.failed.load(std::memory_order_relaxed);
  info.set_total_processed_tasks(processed);
  info.set_total_failed_tasks(failed);
  info.set_last_interval_processed_tasks(processed - std::exchange(before.processed, processed));
  info.set_last_interval_failure_tasks(failed - std::exchange(before.failed, failed));
}

void WorkerHeartbeat::describe(const PollFigures& polls, bool autoscaling,
                               workerpb::WorkerPollerInfo& info) {
  info.set_current_pollers(polls.under_way.load(std::memory_order_relaxed));
  info.set_is_autoscaling(autoscaling);
  const std::int64_t last = polls.last_success.load(std::memory_order_relaxed);
  if (last > 0) {
    base::set_timestamp(base::WallTime(std::chrono::nanoseconds(last)),
                        *info.mutable_last_successful_poll_time());
  }
}

}  // namespace chimera::core
