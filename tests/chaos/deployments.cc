#include "temporal/api/deployment/v1/message.pb.h"

#include "tests/chaos/load.h"

namespace chimera::chaos {
namespace {

// Of a version that no worker has polled for yet.
bool not_known_yet(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

// --- Workers ---

void Load::work_as(const std::string& build) {
  wf::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_(kNamespace);
  poll.mutable_task_queue()->set_name(kVersionedQueue);
  poll.set_identity("worker-" + build);
  *poll.mutable_deployment_options() = deployment_options(build);
  for (;;) {
    auto task = caller_.once<wf::PollWorkflowTaskQueueResponse>(poll);
    if (absl::IsAborted(task.status())) return;
    if (task.ok() && !task->task_token().empty()) run_task(*task, build);
  }
}

api::deployment::v1::WorkerDeploymentOptions Load::deployment_options(const std::string& build) {
  api::deployment::v1::WorkerDeploymentOptions options;
  options.set_deployment_name(kDeployment);
  options.set_build_id(build);
  options.set_worker_versioning_mode(enums::WORKER_VERSIONING_MODE_VERSIONED);
  return options;
}

// --- Client ---

bool Load::make_current(const std::string& build) {
  wf::SetWorkerDeploymentCurrentVersionRequest request;
  request.set_namespace_(kNamespace);
  request.set_deployment_name(kDeployment);
  request.set_build_id(build);
  request.set_identity("load");
  for (;;) {
    const absl::Status done =
        caller_.until_answered<wf::SetWorkerDeploymentCurrentVersionResponse>(request).status();
    if (not_known_yet(done)) continue;
    if (!went("make current " + build, done)) return false;
    // What was ramping and becomes current ramps no more.
    ledger_.note([&](Acknowledged& all) { all.current = build, all.ramping.clear(); });
    return true;
  }
}

bool Load::ramp(const std::string& build) {
  wf::SetWorkerDeploymentRampingVersionRequest request;
  request.set_namespace_(kNamespace);
  request.set_deployment_name(kDeployment);
  request.set_build_id(build);
  request.set_percentage(100);
  request.set_identity("load");
  for (;;) {
    const absl::Status done =
        caller_.until_answered<wf::SetWorkerDeploymentRampingVersionResponse>(request).status();
    if (not_known_yet(done)) continue;
    if (!went("ramp " + build, done)) return false;
    ledger_.note([&](Acknowledged& all) { all.ramping = build; });
    return true;
  }
}

bool Load::write_on(const std::string& build, const std::string& text) {
  wf::UpdateWorkerDeploymentVersionMetadataRequest request;
  request.set_namespace_(kNamespace);
  request.mutable_deployment_version()->set_deployment_name(kDeployment);
  request.mutable_deployment_version()->set_build_id(build);
  request.set_identity("load");
  (*request.mutable_upsert_entries())["note"] = text_payload(text).payloads(0);
  if (!went("write on " + build,
            caller_.until_answered<wf::UpdateWorkerDeploymentVersionMetadataResponse>(request)
                .status()))
    return false;
  ledger_.note([&](Acknowledged& all) { all.written[build] = text; });
  return true;
}

// Starts one that stays with the version of its first task. Empty: it did not start.
std::string Load::start_pinned(const std::string& id, const std::string& expected) {
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_(kNamespace);
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name("Pinned");
  request.mutable_task_queue()->set_name(kVersionedQueue);
  request.mutable_workflow_task_timeout()->set_seconds(1);
  request.set_request_id("start-" + id);
  const auto started = caller_.until_answered<wf::StartWorkflowExecutionResponse>(request);
  if (!went("start " + id, started.status())) return {};
  ledger_.note([&](Acknowledged& all) { all.pinned[id] = {started->run_id(), expected}; });
  return started->run_id();
}

// The version of a run is known if nothing changes until it ends.
bool Load::run_pinned(const std::string& id, const std::string& build) {
  const std::string run_id = start_pinned(id, build);
  return !run_id.empty() && !result_of(id, run_id).empty();
}

bool Load::roll_out() {
  int number = 0;
  do {
    const std::string build = kBuilds[number % 2], next = kBuilds[(number + 1) % 2];
    const std::string id = absl::StrCat("pinned-", number);
    if (!make_current(build) || !run_pinned(id, build)) return false;
    // One that is under way when the versions change.
    const std::string crossing = id + "-crossing", run_id = start_pinned(crossing, {});
    if (run_id.empty() || !ramp(next) || !run_pinned(id + "-ramped", next)) return false;
    if (!write_on(next, id)) return false;
    if (result_of(crossing, run_id).empty()) return false;
    ++number;
  } while (starting_);
  return true;
}

void Load::drive_deployments() {
  roll_out();
  std::lock_guard lock(mutex_);
  --driving_;
  idle_.notify_all();
}

}  // namespace chimera::chaos
