// Task queues: what they hold and who polls them, and how they are configured.
#include <set>

#include "server/base/errors.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/matched/queue_config.h"
#include "server/engine/rules/limits.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/queue_names.h"

namespace chimera::server {
namespace {

constexpr Nanos kPollerMemory = std::chrono::minutes{5};

template <class Pollers>
void fill_pollers(const TaskQueue& queue, WallTime now, Pollers& pollers) {
  for (const auto& [identity, seen] : queue.seen) {
    if (now - seen.last > kPollerMemory) continue;
    auto& info = *pollers.Add();
    info.set_identity(identity);
    set(info.mutable_last_access_time(), seen.last);
    info.set_rate_per_second(seen.max_tasks_per_second);
    if (seen.capabilities) *info.mutable_worker_version_capabilities() = *seen.capabilities;
    if (seen.deployment) *info.mutable_deployment_options() = *seen.deployment;
  }
}

void fill(const QueueStats& from, taskqueue::TaskQueueStats& stats) {
  stats.set_approximate_backlog_count(from.backlog);
  set(stats.mutable_approximate_backlog_age(), from.age);
  stats.set_tasks_add_rate(from.added_per_second);
  stats.set_tasks_dispatch_rate(from.dispatched_per_second);
}

// --- The deprecated form, by build id: that of a deployment's version is its text; unversioned
// workers are of the build "", others of none.

absl::Status check_versions(const wf::DescribeTaskQueueRequest& request) {
  constexpr int kBuildsMax = 5;
  if (request.report_task_reachability() && request.versions().build_ids_size() > kBuildsMax) {
    return invalid(absl::StrCat(
        "Too many build ids queried at once with ReportTaskReachability==true, limit: ",
        kBuildsMax));
  }
  return absl::OkStatus();
}

void fill_type(Engine& engine, const wf::DescribeTaskQueueRequest& request, const QueueKey& key,
               taskqueue::TaskQueueTypeInfo& info) {
  const TaskQueue* queue = engine.matching().find(key);
  if (request.report_pollers() && queue != nullptr)
    fill_pollers(*queue, engine.loop().real_now(), *info.mutable_pollers());
  if (request.report_stats()) fill(engine.matching().stats(key), *info.mutable_stats());
}

absl::Status describe_versions(Engine& engine, const Namespace& ns,
                               wf::DescribeTaskQueueRequest& request,
                               wf::DescribeTaskQueueResponse& response) {
  if (request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY) {
    return invalid(
        "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a "
        "normal queue.");
  }
  std::set<std::string> builds;
  for (const std::string& build : request.versions().build_ids()) {
    const auto version = parse_version(build);
    builds.insert(version.ok() ? version->text() : build);
  }
  if (!request.has_versions() || request.versions().unversioned()) builds.insert("");
  if (request.task_queue_types().empty()) {
    request.add_task_queue_types(enums::TASK_QUEUE_TYPE_WORKFLOW);
    request.add_task_queue_types(enums::TASK_QUEUE_TYPE_ACTIVITY);
  }
  for (const std::string& build : builds) {
    auto& version = (*response.mutable_versions_info())[build];
    for (const int type : request.task_queue_types()) {
      const QueueKey key{ns.id, request.task_queue().name(),
                         static_cast<enums::TaskQueueType>(type), build};
      fill_type(engine, request, key, (*version.mutable_types_info())[type]);
    }
    if (request.report_task_reachability()) {
      version.set_task_reachability(build.empty() ? enums::BUILD_ID_TASK_REACHABILITY_REACHABLE
                                                  : enums::BUILD_ID_TASK_REACHABILITY_UNREACHABLE);
    }
  }
  return absl::OkStatus();
}

// --- The other form, of one type.

void describe_limit(const QueueLimits::Effective& effective,
                    wf::DescribeTaskQueueResponse& response) {
  response.mutable_effective_rate_limit()->set_requests_per_second(
      static_cast<float>(effective.per_second));
  response.mutable_effective_rate_limit()->set_rate_limit_source(effective.source);
}

using Queues = std::vector<const TaskQueue*>;  // One for each version that is in use.

void describe_stats(const Queues& queues, WallTime now, wf::DescribeTaskQueueResponse& response) {
  std::map<int, QueueStats> by_priority{{kDefaultPriority, QueueStats()}};
  QueueStats all;
  for (const TaskQueue* queue : queues) {
    for (const auto& [priority, stats] : queue->stats(now)) {
      by_priority[priority].add(stats);
      all.add(stats);
    }
  }
  for (const auto& [priority, stats] : by_priority)
    fill(stats, (*response.mutable_stats_by_priority_key())[priority]);
  fill(all, *response.mutable_stats());
}

void describe_versions(const QueueRouting& routing, taskqueue::TaskQueueVersioningInfo& info) {
  info.set_current_version(routing.current.version.old_text());
  if (!routing.current.version.unversioned())
    *info.mutable_current_deployment_version() = message_of(routing.current.version);
  WallTime changed = routing.current.changed;
  if (routing.is_ramping) {
    info.set_ramping_version_percentage(routing.percentage);
    info.set_ramping_version(routing.ramping.version.old_text());
    if (!routing.ramping.version.unversioned())
      *info.mutable_ramping_deployment_version() = message_of(routing.ramping.version);
    changed = std::max(changed, routing.ramping.changed);
  }
  if (changed != kUnset) set(info.mutable_update_time(), changed);
}

absl::Status describe_type(Engine& engine, const Namespace& ns,
                           const wf::DescribeTaskQueueRequest& request,
                           wf::DescribeTaskQueueResponse& response) {
  auto type = request.task_queue_type();
  if (type == enums::TASK_QUEUE_TYPE_UNSPECIFIED) type = enums::TASK_QUEUE_TYPE_WORKFLOW;
  const QueueKey key{ns.id, request.task_queue().name(), type};
  const WallTime now = engine.loop().real_now();
  Queues queues;
  std::int64_t backlog = 0;
  for (const QueueKey& each : engine.matching().versions_of(key)) {
    const TaskQueue* queue = engine.matching().find(each);
    if (queue == nullptr) continue;
    queues.push_back(queue);
    backlog += engine.matching().stats(each).backlog;
    fill_pollers(*queue, now, *response.mutable_pollers());
  }
  const bool sticky = request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY;
  if (!sticky)
    describe_versions(engine.deployments->routing(key), *response.mutable_versioning_info());
  if (request.report_stats()) {
    if (sticky) return invalid("DescribeTaskQueue stats are only supported for the root partition");
    describe_stats(queues, now, response);
  }
  const taskqueue::TaskQueueConfig* config = engine.matching().config(key);
  if (request.report_config() && config != nullptr) *response.mutable_config() = *config;
  const QueueLimits::Effective limit = engine.matching().limit(key);
  describe_limit(limit, response);
  if (request.include_task_queue_status()) {
    auto& status = *response.mutable_task_queue_status();
    status.set_backlog_count_hint(backlog);
    status.set_rate_per_second(limit.per_second);
  }
  return absl::OkStatus();
}

absl::Status describe_queue(Engine& engine, wf::DescribeTaskQueueRequest& request,
                            wf::DescribeTaskQueueResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const bool by_version = request.api_mode() == enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
  const std::string& name = request.task_queue().name();
  const bool partition = is_partition(name);
  if (!by_version && partition && !is_partition_of_a_queue(name))
    return invalid(absl::StrCat("invalid task queue partition name ", name));
  // Of a partition that is not there nothing is known, as of any queue that nobody has used.
  if (by_version || !partition) {
    if (absl::Status s = check_queue(request); !s.ok()) return s;
  }
  if (absl::Status s = check_versions(request); !s.ok()) return s;
  return by_version ? describe_versions(engine, **ns, request, response)
                    : describe_type(engine, **ns, request, response);
}

absl::Status list_partitions(Engine& engine, wf::ListTaskQueuePartitionsRequest& request,
                             wf::ListTaskQueuePartitionsResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check_queue(request); !s.ok()) return s;
  response.add_activity_task_queue_partitions()->set_key(request.task_queue().name());
  response.add_workflow_task_queue_partitions()->set_key(request.task_queue().name());
  return absl::OkStatus();
}

// --- Configuration.

using RateUpdate = wf::UpdateTaskQueueConfigRequest::RateLimitUpdate;
constexpr std::size_t kReasonMax = 1000;
constexpr int kWeightsMax = 1000;

absl::Status check_text(const std::string& field, const std::string& text, std::size_t max) {
  if (text.size() <= max) return absl::OkStatus();
  return invalid(absl::StrCat(field, " field too long (max ", max, " characters)."));
}

absl::Status check_rate(const wf::UpdateTaskQueueConfigRequest& request, const RateUpdate& update,
                        const std::string& field) {
  if (!update.has_rate_limit()) return absl::OkStatus();
  if (request.task_queue_type() == enums::TASK_QUEUE_TYPE_WORKFLOW)
    return invalid("Setting rate limit on workflow task queues is not allowed.");
  if (!(update.rate_limit().requests_per_second() >= 0)) {
    return invalid(
        absl::StrCat("RequestsPerSecond for ", field, " rate limit must be non-negative."));
  }
  return check_text(field + ".Reason", update.reason(), kReasonMax);
}

absl::Status check_key(const std::string& key) {
  if (key.empty()) return invalid("fairness weight override key must not be empty");
  if (key.size() > kFairnessKeyMax) return invalid("fairness key length exceeds limit");
  return absl::OkStatus();
}

absl::Status check_weights(const wf::UpdateTaskQueueConfigRequest& request) {
  const auto& to_set = request.set_fairness_weight_overrides();
  const auto& to_unset = request.unset_fairness_weight_overrides();
  const int count = static_cast<int>(to_set.size()) + to_unset.size();
  if (count > kWeightsMax) {
    return invalid(absl::StrCat("too many fairness weight overrides in request: got ", count,
                                ", maximum ", kWeightsMax));
  }
  for (const auto& [key, weight] : to_set) {
    if (absl::Status s = check_key(key); !s.ok()) return s;
    if (!(weight > 0)) {
      return invalid(absl::StrCat("invalid fairness weight weight for key \"", key,
                                  "\": must be greater than zero"));
    }
  }
  for (const std::string& key : to_unset) {
    if (absl::Status s = check_key(key); !s.ok()) return s;
    if (to_set.contains(key)) {
      return invalid(absl::StrCat("fairness weight override key \"", key,
                                  "\" present in both set and unset lists"));
    }
  }
  return absl::OkStatus();
}

absl::Status check(const wf::UpdateTaskQueueConfigRequest& request) {
  if (is_partition(request.task_queue())) {
    return invalid(
        absl::StrCat("task queue family name cannot have prefix /_sys/ ", request.task_queue()));
  }
  if (absl::Status s = check_queue_name(request.task_queue()); !s.ok()) return s;
  if (request.task_queue_type() == enums::TASK_QUEUE_TYPE_UNSPECIFIED ||
      !enums::TaskQueueType_IsValid(request.task_queue_type()))
    return invalid("TaskQueueType is not set on request: it is workflow, activity or nexus.");
  if (absl::Status s =
          check_rate(request, request.update_queue_rate_limit(), "UpdateQueueRateLimit");
      !s.ok())
    return s;
  if (absl::Status s = check_rate(request, request.update_fairness_key_rate_limit_default(),
                                  "UpdateFairnessKeyRateLimitDefault");
      !s.ok())
    return s;
  if (absl::Status s = check_text("Identity", request.identity(), kIdMax); !s.ok()) return s;
  return check_weights(request);
}

// Without a rate there is no limit, and the reason says why.
void update_rate(const RateUpdate& update, const std::string& identity, WallTime now,
                 taskqueue::RateLimitConfig& config) {
  config.Clear();
  if (update.has_rate_limit()) *config.mutable_rate_limit() = update.rate_limit();
  config.mutable_metadata()->set_reason(update.reason());
  config.mutable_metadata()->set_update_identity(identity);
  set(config.mutable_metadata()->mutable_update_time(), now);
}

absl::Status update_config(Engine& engine, wf::UpdateTaskQueueConfigRequest& request,
                           wf::UpdateTaskQueueConfigResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check(request); !s.ok()) return s;
  const QueueKey key{(*ns)->id, request.task_queue(), request.task_queue_type()};
  taskqueue::TaskQueueConfig config;
  if (const auto* before = engine.matching().config(key)) config = *before;
  if (request.has_update_queue_rate_limit()) {
    update_rate(request.update_queue_rate_limit(), request.identity(), engine.loop().real_now(),
                *config.mutable_queue_rate_limit());
  }
  if (request.has_update_fairness_key_rate_limit_default()) {
    update_rate(request.update_fairness_key_rate_limit_default(), request.identity(),
                engine.loop().real_now(), *config.mutable_fairness_keys_rate_limit_default());
  }
  auto& weights = *config.mutable_fairness_weight_overrides();
  for (const std::string& gone : request.unset_fairness_weight_overrides()) weights.erase(gone);
  for (const auto& [name, weight] : request.set_fairness_weight_overrides()) weights[name] = weight;
  if (weights.size() > kWeightsMax)
    return invalid("fairness weight overrides update rejected: exceeding maximum key size");
  *response.mutable_config() = config;
  configure_queue(engine, key, std::move(config));
  return absl::OkStatus();
}

}  // namespace

void register_queues(MethodTable& table) {
  table.add("DescribeTaskQueue", describe_queue);
  table.add("ListTaskQueuePartitions", list_partitions);
  table.add("UpdateTaskQueueConfig", update_config);
}

}  // namespace chimera::server
