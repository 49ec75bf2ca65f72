// That no language forgets an option: the list has the fields of the core's struct, and what the
// C++ SDK offers the core has, too. And which values are refused.
#include "sdk-cpp/src/worker_options.h"

#include <chrono>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/reflect.h"
#include "chimera/worker.h"
#include "core/worker/options.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;

template <class Options>
std::set<std::string> fields() {
  std::set<std::string> names;
  for (const auto& name : reflect::kMemberNames<Options>) {
    std::string text(name);
    if (text.ends_with('_')) text.pop_back();
    names.insert(std::move(text));
  }
  return names;
}

TEST(WorkerOptionsTest, TheListHasEachField) {
  std::set<std::string> listed;
  core::WorkerOptions options;
  core::for_each_option(options, [&](const char* name, auto&) { listed.insert(name); });
  EXPECT_EQ(listed, fields<core::WorkerOptions>());
}

TEST(WorkerOptionsTest, WhatTheSdkOffersTheCoreHas) {
  const std::set<std::string> core = fields<core::WorkerOptions>();
  std::set<std::string> offered = fields<WorkerOptions>();
  // What belongs together here is side by side in the core.
  offered.erase("deployment");
  offered.merge(fields<WorkerDeploymentConfig>());
  offered.erase("version");
  offered.merge(fields<WorkerDeploymentVersion>());
  for (const std::string& name : offered) {
    if (name == "workflow_stack_bytes") continue;         // Of fibers, which are the SDK's.
    if (name == "max_per_second_of_activity") continue;   // Of its pool of threads.
    if (name == "max_concurrent_sessions") continue;      // Of workers beside it.
    if (name == "interceptors") continue;                 // Of its chains.
    if (name == "workflow_failure_exceptions") continue;  // Of its types.
    EXPECT_TRUE(core.contains(name)) << name;
  }
}

// What a worker with these options is refused with; empty: they are taken.
std::string refusal(const std::function<void(WorkerOptions&)>& change) {
  WorkerOptions options{.task_queue = "queue"};
  change(options);
  try {
    sdk::check(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

struct Refused {
  const char* option;
  std::function<void(WorkerOptions&)> change;
};

TEST(WorkerOptionsTest, WhatIsOutOfItsRangeIsRefusedByName) {
  using Options = WorkerOptions;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const Refused all[] = {
      {"task_queue", [](Options& o) { o.task_queue = ""; }},
      {"task_queue", [](Options& o) { o.task_queue = std::string(1001, 'q'); }},
      {"task_queue", [](Options& o) { o.task_queue = "\xff"; }},
      {"max_cached_bytes", [](Options& o) { o.max_cached_bytes = 0; }},
      {"max_concurrent_workflow_tasks", [](Options& o) { o.max_concurrent_workflow_tasks = -1; }},
      {"max_concurrent_workflow_tasks", [](Options& o) { o.max_concurrent_workflow_tasks = 0; }},
      {"max_concurrent_workflow_tasks", [](Options& o) { o.max_concurrent_workflow_tasks = 1; }},
      {"max_concurrent_workflow_tasks",
       [](Options& o) { o.max_concurrent_workflow_tasks = 2'000'000'000; }},
      {"max_concurrent_activities", [](Options& o) { o.max_concurrent_activities = 0; }},
      {"max_concurrent_activities",
       [](Options& o) { o.max_concurrent_activities = 2'000'000'000; }},
      {"max_concurrent_local_activities",
       [](Options& o) { o.max_concurrent_local_activities = 0; }},
      {"max_concurrent_workflow_task_polls",
       [](Options& o) { o.max_concurrent_workflow_task_polls = 0; }},
      {"max_concurrent_activity_task_polls",
       [](Options& o) { o.max_concurrent_activity_task_polls = -1; }},
      {"workflow_poll_autoscaling", [](Options& o) { o.workflow_poll_autoscaling = {{0, 5, 3}}; }},
      {"workflow_poll_autoscaling", [](Options& o) { o.workflow_poll_autoscaling = {{5, 3, 4}}; }},
      {"activity_poll_autoscaling", [](Options& o) { o.activity_poll_autoscaling = {{1, 5, 9}}; }},
      {"nonsticky_to_sticky_poll_ratio",
       [](Options& o) { o.nonsticky_to_sticky_poll_ratio = 1.1; }},
      {"nonsticky_to_sticky_poll_ratio",
       [](Options& o) { o.nonsticky_to_sticky_poll_ratio = kNone; }},
      {"sticky_queue_schedule_to_start_timeout",
       [](Options& o) { o.sticky_queue_schedule_to_start_timeout = -1ms; }},
      {"graceful_shutdown_timeout", [](Options& o) { o.graceful_shutdown_timeout = -1s; }},
      {"max_heartbeat_throttle_interval",
       [](Options& o) { o.max_heartbeat_throttle_interval = -1s; }},
      {"default_heartbeat_throttle_interval",
       [](Options& o) { o.default_heartbeat_throttle_interval = -1s; }},
      {"max_activities_per_second", [](Options& o) { o.max_activities_per_second = -1; }},
      {"max_activities_per_second", [](Options& o) { o.max_activities_per_second = kNone; }},
      {"max_task_queue_activities_per_second",
       [](Options& o) { o.max_task_queue_activities_per_second = -1; }},
      {"max_eager_activity_reservations_per_workflow_task",
       [](Options& o) { o.max_eager_activity_reservations_per_workflow_task = -1; }},
      {"deadlock_timeout", [](Options& o) { o.deadlock_timeout = -1s; }},
      {"worker_heartbeat_interval", [](Options& o) { o.worker_heartbeat_interval = -1ms; }},
      {"worker_heartbeat_interval", [](Options& o) { o.worker_heartbeat_interval = 500ms; }},
      {"worker_heartbeat_interval", [](Options& o) { o.worker_heartbeat_interval = 60001ms; }},
      {"workflow_stack_bytes", [](Options& o) { o.workflow_stack_bytes = 65535; }},
      {"workflow_stack_bytes",
       [](Options& o) { o.workflow_stack_bytes = (std::size_t{1} << 30) + 1; }},
      {"resource_tuner", [](Options& o) { o.resource_tuner = {{.targets = {.memory = 0}}}; }},
      {"resource_tuner", [](Options& o) { o.resource_tuner = {{.targets = {.cpu = 1.01}}}; }},
      {"resource_tuner", [](Options& o) { o.resource_tuner = {{.targets = {.cpu = kNone}}}; }},
      {"resource_tuner",
       [](Options& o) { o.resource_tuner = {{.workflow = {{.minimum = 1, .maximum = 1}}}}; }},
      {"resource_tuner", [](Options& o) { o.resource_tuner = {{.activity = {{.minimum = -1}}}}; }},
      {"resource_tuner",
       [](Options& o) { o.resource_tuner = {{.activity = {{.minimum = 3, .maximum = 2}}}}; }},
      {"resource_tuner",
       [](Options& o) { o.resource_tuner = {{.local_activity = {{.ramp_throttle = -1ms}}}}; }},
      {"deployment", [](Options& o) { o.deployment.emplace(); }},
      {"deployment", [](Options& o) { o.deployment = {{.version = {"orders", ""}}}; }},
      {"deployment",
       [](Options& o) {
         o.build_id = "7";
         o.deployment = {{.version = {"orders", "7"}}};
       }},
  };
  for (const Refused& each : all)
    EXPECT_THAT(refusal(each.change), testing::HasSubstr(each.option));
}

TEST(WorkerOptionsTest, WhatIsAtTheEdgeOfItsRangeIsTaken) {
  EXPECT_EQ(refusal([](WorkerOptions& o) {
              o.task_queue = std::string(1000, 'q');
              o.max_concurrent_workflow_tasks = 2;
              o.max_concurrent_activities = 1;
              o.nonsticky_to_sticky_poll_ratio = 1;
              o.worker_heartbeat_interval = 1s;
              o.max_eager_activity_reservations_per_workflow_task = 0;
              o.workflow_stack_bytes = 65536;
              o.resource_tuner = {{.targets = {.memory = 1, .cpu = 0.001}}};
            }),
            "");
  EXPECT_EQ(refusal([](WorkerOptions& o) {
              o.max_cached_workflows = 0;
              o.max_cached_bytes = 0;
              o.max_concurrent_workflow_tasks = 1;
              o.worker_heartbeat_interval = 0s;
              o.deadlock_timeout = 0s;
            }),
            "");
}

}  // namespace
}  // namespace chimera
