// Task queues and the workers at them.
#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

static_assert(enums::TASK_QUEUE_TYPE_WORKFLOW == 1 && enums::TASK_QUEUE_TYPE_NEXUS == 3 &&
              enums::TaskQueueType_MAX == 3);  // All of them are described in one loop.
constexpr double kRatePerSecond = 100000;
constexpr float kWindowSeconds = 30;
constexpr Nanos kPollerMemory = std::chrono::minutes{5};

template <class Pollers>
void fill_pollers(const TaskQueue& queue, WallTime now, Pollers& pollers) {
  for (const auto& [identity, seen] : queue.seen) {
    if (now - seen > kPollerMemory) continue;
    auto& info = *pollers.Add();
    info.set_identity(identity);
    set(info.mutable_last_access_time(), seen);
    info.set_rate_per_second(kRatePerSecond);
  }
}

void fill_stats(const TaskQueue& queue, const Backlog& backlog, WallTime now,
                taskqueue::TaskQueueStats& stats) {
  stats.set_approximate_backlog_count(backlog.count);
  set(stats.mutable_approximate_backlog_age(), now - std::min(now, backlog.oldest));
  const auto rate = [now](const std::deque<WallTime>& times) {
    const auto recent = std::count_if(times.begin(), times.end(), [now](WallTime time) {
      return now - time <= seconds{static_cast<int>(kWindowSeconds)};
    });
    return static_cast<float>(recent) / kWindowSeconds;
  };
  stats.set_tasks_add_rate(rate(queue.added));
  stats.set_tasks_dispatch_rate(rate(queue.dispatched));
}

absl::Status describe_queue(Engine& engine, wf::DescribeTaskQueueRequest& request,
                            wf::DescribeTaskQueueResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.task_queue().name();
  if (name.empty()) return invalid("taskQueue is not set");
  if (request.api_mode() == enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED) {
    auto& types = *(*response.mutable_versions_info())[""].mutable_types_info();
    for (int type = enums::TASK_QUEUE_TYPE_WORKFLOW; type <= enums::TASK_QUEUE_TYPE_NEXUS; ++type) {
      auto& info = types[type];
      info.mutable_stats();
      const QueueKey key{(*ns)->id, name, static_cast<enums::TaskQueueType>(type)};
      const TaskQueue* queue = engine.matching().find(key);
      if (queue == nullptr) continue;
      fill_pollers(*queue, engine.now(), *info.mutable_pollers());
      fill_stats(*queue, engine.matching().backlog(key), engine.now(), *info.mutable_stats());
    }
    return absl::OkStatus();
  }
  auto type = request.task_queue_type();
  if (type == enums::TASK_QUEUE_TYPE_UNSPECIFIED) type = enums::TASK_QUEUE_TYPE_WORKFLOW;
  response.mutable_versioning_info()->set_current_version("__unversioned__");
  response.mutable_effective_rate_limit()->set_requests_per_second(kRatePerSecond);
  response.mutable_effective_rate_limit()->set_rate_limit_source(enums::RATE_LIMIT_SOURCE_SYSTEM);
  if (request.report_stats()) response.mutable_stats();
  const QueueKey key{(*ns)->id, name, type};
  const TaskQueue* queue = engine.matching().find(key);
  if (queue == nullptr) return absl::OkStatus();
  fill_pollers(*queue, engine.now(), *response.mutable_pollers());
  const Backlog backlog = engine.matching().backlog(key);
  if (request.report_stats()) fill_stats(*queue, backlog, engine.now(), *response.mutable_stats());
  if (request.include_task_queue_status())
    response.mutable_task_queue_status()->set_backlog_count_hint(backlog.count);
  return absl::OkStatus();
}

absl::Status list_partitions(Engine& engine, wf::ListTaskQueuePartitionsRequest& request,
                             wf::ListTaskQueuePartitionsResponse& response) {
  if (request.task_queue().name().empty()) return invalid("taskQueue is not set");
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  response.add_activity_task_queue_partitions()->set_key(request.task_queue().name());
  response.add_workflow_task_queue_partitions()->set_key(request.task_queue().name());
  return absl::OkStatus();
}

absl::Status list_workers(Engine& engine, wf::ListWorkersRequest& request,
                          wf::ListWorkersResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (!request.query().empty()) {
    return absl::UnimplementedError("ListWorkers with a query is not available in this server.");
  }
  engine.workers().expire(engine.now());
  for (const auto& [key, entry] : engine.workers().entries()) {
    if (key.first == (*ns)->id)
      *response.add_workers_info()->mutable_worker_heartbeat() = entry.heartbeat;
  }
  return absl::OkStatus();
}

absl::Status describe_worker(Engine& engine, wf::DescribeWorkerRequest& request,
                             wf::DescribeWorkerResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  engine.workers().expire(engine.now());
  auto it = engine.workers().entries().find({(*ns)->id, request.worker_instance_key()});
  if (it == engine.workers().entries().end()) return not_found("worker not found");
  *response.mutable_worker_info()->mutable_worker_heartbeat() = it->second.heartbeat;
  return absl::OkStatus();
}

}  // namespace

void register_queues(MethodTable& table) {
  table.add("DescribeTaskQueue", describe_queue);
  table.add("ListTaskQueuePartitions", list_partitions);
  table.add("ListWorkers", list_workers);
  table.add("DescribeWorker", describe_worker);
}

}  // namespace chimera::server
