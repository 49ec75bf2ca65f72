// Versions, the fixture of tests about worker deployments: workers of several versions of one
// deployment of the test's own, beside each other on its task queue. The test's thread.
#ifndef CHIMERA_TESTS_LIVE_VERSIONS_H_
#define CHIMERA_TESTS_LIVE_VERSIONS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "tests/live/live.h"

namespace chimera::live {

// Ends with the build of the worker that ends it.
template <VersioningBehavior kBehavior>
struct Waits {
  bool done = false;
  void finish() { done = true; }
  void finish_by_update() { done = true; }
  std::string run() {
    workflow::wait_condition([this] { return done; });
    return workflow::info().current_deployment_version->build_id;
  }
};
template <VersioningBehavior kBehavior>
const auto kWaits = define_workflow<&Waits<kBehavior>::run>("Waits")
                        .template signal<&Waits<kBehavior>::finish>("finish")
                        .template update<&Waits<kBehavior>::finish_by_update>("finish_by_update")
                        .versioning_behavior(kBehavior);

class Versions : public Live {
 protected:
  void SetUp() override { do_not_replay(); }  // The answers are the worker's, not the history's.

  // Its name has no dots.
  WorkerDeploymentHandle deployment() {
    return client().get_worker_deployment_handle(absl::StrReplaceAll(queue(), {{".", "-"}}));
  }
  WorkerDeploymentVersion version(const std::string& build) {
    return {.deployment_name = deployment().name(), .build_id = build};
  }
  template <auto Run, class T>
  std::unique_ptr<Worker> worker_of(const std::string& build,
                                    const WorkflowDefinition<Run, T>& definition) {
    WorkerOptions options{.task_queue = queue(),
                          .deployment = WorkerDeploymentConfig{.version = version(build)}};
    options.max_cached_workflows = GetParam();
    auto worker = std::make_unique<Worker>(client(), std::move(options));
    worker->add(definition);
    worker->start();
    eventually([&] { return is_known(build); }, "the version's first poll");
    return worker;
  }
  void make_current(const std::string& build) {
    deployment().set_current_version(build, {.ignore_missing_task_queues = true});
    wait_for_routing();
  }
  void ramp(const std::string& build, float percentage) {
    deployment().set_ramping_version(build, percentage, {.ignore_missing_task_queues = true});
    wait_for_routing();
  }
  // The build that completed the workflow's last task; empty: none.
  std::string build_of(const std::string& workflow_id) {
    const auto versioning =
        client().get_workflow_handle<void>(workflow_id).describe().versioning_info;
    if (!versioning || !versioning->deployment_version) return "";
    return versioning->deployment_version->build_id;
  }
  void wait_for_build(const std::string& workflow_id, const std::string& build) {
    eventually([&] { return build_of(workflow_id) == build; }, "a task that the build completes");
  }

 private:
  bool is_known(const std::string& build) {
    try {
      const auto queues = deployment().describe_version(build).task_queues;
      return !queues.empty();
    } catch (const RpcError&) {
      return false;
    }
  }
  // The genuine server tells its task queues of a change by and by.
  void wait_for_routing() {
    eventually([&] { return !deployment().describe().routing_update_in_progress; }, "the routing");
  }
};

}  // namespace chimera::live

#endif  // CHIMERA_TESTS_LIVE_VERSIONS_H_
