// WorkerContext, what the parts of one worker share: its connection, options, slots, activities.
// The worker fills it in before its first poll; from then on only `shutting_down` changes. Any
// thread.
#ifndef CHIMERA_CORE_WORKER_CONTEXT_H_
#define CHIMERA_CORE_WORKER_CONTEXT_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "core/activity/activity_manager.h"
#include "core/activity/local_activities.h"
#include "core/base/slot_supplier.h"
#include "core/telemetry/log.h"
#include "core/telemetry/worker_figures.h"
#include "core/worker/registry.h"
#include "core/worker/worker.h"
#include "core/worker/worker_metrics.h"

namespace chimera::core {

struct WorkerContext {
  std::shared_ptr<Connection> connection;
  WorkerOptions options;  // identity filled in.
  std::string sticky_queue;
  std::string instance_key;  // Names this worker to the server, whatever identity it shares.
  std::size_t payload_bytes_max = 0;  // What the server takes of one value; 0: it does not say.
  std::unique_ptr<WorkerMetrics> metrics;
  WorkerEnvironment environment;
  std::shared_ptr<base::SlotSupplier> workflow_slots, activity_slots, local_slots, nexus_slots;
  ActivityManager* activities = nullptr;        // Null in a worker that takes no activity tasks.
  std::shared_ptr<ActivitySink> activity_sink;  // Of their tasks.
  LocalActivities* local_activities = nullptr;  // Null in a worker without workflows.
  std::atomic<bool> shutting_down{false};
  bool server_ends_polls = false;     // Its ShutdownWorker answers this worker's open polls.
  bool server_advises_polls = false;  // How many of them there should be.
  bool server_takes_heartbeats = false;
  bool has_workflows = false, has_nexus_services = false;
  const std::unique_ptr<WorkerFigures> figures = std::make_unique<WorkerFigures>();

  bool caches() const { return options.max_cached_workflows > 0; }
  CallOptions call_options(RetryClass retry = RetryClass::kNormal) const {
    return {.retry = retry,
            .timeout = std::nullopt,
            .metadata = {},
            .namespace_ = options.namespace_,
            .value_bytes_max = payload_bytes_max};
  }

  // What every request of this worker says of it.
  template <class Request>
  void introduce(Request& request) const {
    request.set_namespace_(options.namespace_);
    request.set_identity(options.identity);
  }
  // The same of a poll: which worker it is that asks, and which build.
  template <class Request>
  void introduce_poll(Request& request) const {
    introduce(request);
    request.set_worker_instance_key(instance_key);
    request.mutable_worker_version_capabilities()->set_build_id(options.build_id);
    deploy(request);
  }
  // The same of an answer: which build gives it (legacy stamp and deployment).
  template <class Request>
  void sign(Request& request) const {
    introduce(request);
    request.mutable_worker_version()->set_build_id(options.build_id);
    deploy(request);
  }
  // Of an answer that the server has not taken. Not found: its task timed out or went elsewhere.
  static void log_lost(const char* what, const absl::Status& status) {
    if (status.ok()) return;
    log(absl::IsNotFound(status) ? LogLevel::kDebug : LogLevel::kWarn, "worker",
        absl::StrCat("the server did not take ", what, ": ", status.ToString()));
  }
  // Of which deployment the worker is; of polls and answers.
  template <class Request>
  void deploy(Request& request) const {
    if (!options.deployment_name.empty()) *request.mutable_deployment_options() = deployment();
  }
  // Of no use without a deployment's name.
  api::deployment::v1::WorkerDeploymentOptions deployment() const {
    api::deployment::v1::WorkerDeploymentOptions deployment;
    deployment.set_deployment_name(options.deployment_name);
    deployment.set_build_id(options.build_id);
    deployment.set_worker_versioning_mode(options.use_worker_versioning
                                              ? api::enums::v1::WORKER_VERSIONING_MODE_VERSIONED
                                              : api::enums::v1::WORKER_VERSIONING_MODE_UNVERSIONED);
    return deployment;
  }
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_CONTEXT_H_
