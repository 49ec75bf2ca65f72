// N: task queues. The genuine server runs with the settings of target.h: one partition, priorities
// and fairness.
#include "absl/strings/str_join.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Lt;
using Describe = wf::DescribeTaskQueueRequest;
using Described = wf::DescribeTaskQueueResponse;
using Update = wf::UpdateTaskQueueConfigRequest;
using api::taskqueue::v1::TaskQueueConfig;
using std::chrono::seconds;

class MatchingTest : public Session {
 protected:
  Described describe_queue(const std::function<void(Describe&)>& change = {}) {
    Describe request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(queue);
    if (change) change(request);
    auto reply = rpc<Described>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : Described();
  }
  std::string refused(const std::function<void(Describe&)>& change) {
    Describe request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(queue);
    change(request);
    return std::string(rpc<Described>(request).status().message());
  }
  Update update_request(enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_ACTIVITY) const {
    Update request;
    request.set_namespace_(ns);
    request.set_identity("operator");
    request.set_task_queue(queue);
    request.set_task_queue_type(type);
    return request;
  }
  absl::StatusOr<TaskQueueConfig> update(const Update& request) {
    auto reply = rpc<wf::UpdateTaskQueueConfigResponse>(request);
    if (!reply.ok()) return reply.status();
    return reply->config();
  }
  void limit_activities(float per_second) {
    Update request = update_request();
    request.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(
        per_second);
    ASSERT_TRUE(update(request).ok());
    // It comes to all parts of the genuine server a little later.
    for (int i = 0; i < 100; ++i) {
      const auto limit = describe_queue([](Describe& describe) {
                           describe.set_task_queue_type(enums::TASK_QUEUE_TYPE_ACTIVITY);
                         }).effective_rate_limit();
      if (limit.requests_per_second() == per_second) return;
      usleep(50'000);
    }
    FAIL() << "the rate limit does not hold";
  }
  // What has no effect that a client could see at once comes to all parts of the genuine server.
  static void settle_config() {
    if (target().genuine) usleep(1'000'000);
  }
  // A workflow of its own for each, whose task is in the queue when it returns: the genuine server
  // brings tasks there on many threads. Its id is `name` and the case's.
  void start_named(const std::string& name, const api::common::v1::Priority& priority = {}) {
    start([&](Start& request) {
      request.set_workflow_id(absl::StrCat(name, ".", id));
      *request.mutable_priority() = priority;
    });
    wait_for_backlog(enums::TASK_QUEUE_TYPE_WORKFLOW, ++started_);
  }
  // The names of the workflows, in the order in which a worker gets them.
  std::string order(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      const Task task = poll();
      const std::string& workflow = task.workflow_execution().workflow_id();
      names.push_back(workflow.substr(0, workflow.find('.')));
      respond(task, {complete_workflow()});
    }
    return absl::StrJoin(names, " ");
  }
  static api::common::v1::Priority priority(int key, const std::string& fairness_key = "",
                                            float weight = 0) {
    api::common::v1::Priority priority;
    priority.set_priority_key(key);
    priority.set_fairness_key(fairness_key);
    priority.set_fairness_weight(weight);
    return priority;
  }
  // Of one workflow: so many activities, which are in the queue when it returns.
  void schedule_activities(
      int count,
      const std::function<void(int, api::command::v1::ScheduleActivityTaskCommandAttributes&)>&
          change = {}) {
    start();
    std::vector<Command> commands;
    for (int i = 0; i < count; ++i) {
      commands.push_back(schedule_activity(absl::StrCat(i), [&](auto& attributes) {
        attributes.mutable_task_queue()->set_name(queue);
        if (change) change(i, attributes);
      }));
    }
    respond(poll(), std::move(commands));
    wait_for_backlog(enums::TASK_QUEUE_TYPE_ACTIVITY, count);
  }
  void wait_for_backlog(enums::TaskQueueType type, std::int64_t count) {
    for (int i = 0; i < 400; ++i) {
      const auto status = describe_queue([type](Describe& request) {
                            request.set_task_queue_type(type);
                            request.set_include_task_queue_status(true);
                          }).task_queue_status();
      if (status.backlog_count_hint() == count) return;
      usleep(10'000);
    }
    FAIL() << "no backlog of " << count;
  }
  // So many activities, one after the other: how long that takes.
  milliseconds drain_activities(int count, double max_per_second = 0) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      wf::PollActivityTaskQueueRequest request;
      request.set_namespace_(ns);
      request.set_identity("worker");
      request.mutable_task_queue()->set_name(queue);
      if (max_per_second > 0) {
        request.mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(
            max_per_second);
      }
      auto task = rpc<ActivityTask>(request, seconds(20));
      EXPECT_TRUE(task.ok()) << task.status();
      EXPECT_TRUE(task.ok() && complete_activity(*task).ok());
    }
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  }

 private:
  std::int64_t started_ = 0;
};

TEST_F(MatchingTest, fifo) {
  for (const char* name : {"1", "2", "3", "4", "5"}) start_named(name);

  EXPECT_EQ(order(5), "1 2 3 4 5");
}

TEST_F(MatchingTest, priority_order) {
  start_named("c1");
  start_named("e", priority(5));
  start_named("a1", priority(1));
  start_named("f", priority(9));
  start_named("c2", priority(3));
  start_named("a2", priority(1));
  start_named("b", priority(2));

  EXPECT_EQ(order(7), "a1 a2 b c1 c2 e f");
}

TEST_F(MatchingTest, fairness_weights) {
  for (const char* name : {"a1", "a2", "a3", "a4", "a5", "a6"}) start_named(name, priority(0, "a"));
  for (const char* name : {"b1", "b2", "b3"}) start_named(name, priority(0, "b", 2));
  for (const char* name : {"n1", "n2"}) start_named(name);
  start_named("first", priority(1, "a"));

  EXPECT_EQ(order(12), "first b1 a1 b2 n1 b3 a2 n2 a3 a4 a5 a6");
}

// Server 1.29 does not know them.
TEST_F(MatchingTest, fairness_overrides) {
  if (server_is("1.29")) return;
  Update request = update_request(enums::TASK_QUEUE_TYPE_WORKFLOW);
  (*request.mutable_set_fairness_weight_overrides())["b"] = 4;
  ASSERT_TRUE(update(request).ok());
  settle_config();
  for (const char* name : {"a1", "a2", "a3"}) start_named(name, priority(0, "a"));
  for (const char* name : {"b1", "b2", "b3", "b4"}) start_named(name, priority(0, "b", 0.5));

  EXPECT_EQ(order(7), "b1 b2 b3 a1 b4 a2 a3");
}

TEST_F(MatchingTest, fairness_key_rate_limit) {
  Update request = update_request();
  request.mutable_update_fairness_key_rate_limit_default()
      ->mutable_rate_limit()
      ->set_requests_per_second(1);
  ASSERT_TRUE(update(request).ok());
  settle_config();
  schedule_activities(5, [](int i, auto& attributes) {
    attributes.mutable_priority()->set_fairness_key(i == 0 ? "other" : "busy");
  });

  // Two of a key at once, and then one a second.
  EXPECT_THAT(drain_activities(5), AllOf(Ge(milliseconds(1500)), Lt(milliseconds(8000))));
}

// What an activity leaves open is its workflow's.
TEST_F(MatchingTest, activities_inherit) {
  start([](Start& request) { *request.mutable_priority() = priority(4, "w", 3); });
  respond(poll(),
          {schedule_activity("plain", [&](auto& a) { a.mutable_task_queue()->set_name(queue); }),
           schedule_activity("own", [&](auto& a) {
             a.mutable_task_queue()->set_name(queue);
             *a.mutable_priority() = priority(2, "k");
           })});
  wait_for_backlog(enums::TASK_QUEUE_TYPE_ACTIVITY, 2);

  const ActivityTask own = poll_activity(), plain = poll_activity();

  EXPECT_EQ(own.activity_id(), "own");
  EXPECT_EQ(own.priority().priority_key(), 2);
  EXPECT_EQ(own.priority().fairness_key(), "k");
  EXPECT_EQ(own.priority().fairness_weight(), 3);
  EXPECT_EQ(plain.activity_id(), "plain");
  EXPECT_EQ(plain.priority().priority_key(), 4);
  EXPECT_EQ(plain.priority().fairness_key(), "w");
  // The event has what the command said.
  const HistoryEvent scheduled = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
  EXPECT_EQ(scheduled.activity_task_scheduled_event_attributes().priority().priority_key(), 0);
}

// As of activities.
TEST_F(MatchingTest, children_inherit) {
  start([](Start& request) { *request.mutable_priority() = priority(4, "w", 3); });
  Command command = start_child(id + "-child");
  *command.mutable_start_child_workflow_execution_command_attributes()->mutable_priority() =
      priority(2);
  respond(poll(), {command});

  Task child = poll();
  if (child.workflow_execution().workflow_id() == id) child = poll();  // It was told of the child.

  const auto& started = child.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.workflow_id(), id + "-child");
  EXPECT_EQ(started.priority().priority_key(), 2);
  EXPECT_EQ(started.priority().fairness_key(), "w");
  EXPECT_EQ(started.priority().fairness_weight(), 3);
  const HistoryEvent initiated =
      event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
  const auto& own = initiated.start_child_workflow_execution_initiated_event_attributes();
  EXPECT_EQ(own.priority().priority_key(), 2);
  EXPECT_EQ(own.priority().fairness_key(), "");
}

// Server 1.29 passes the priority over.
TEST_F(MatchingTest, changed_priority) {
  schedule_activities(2);
  wf::UpdateActivityOptionsRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.set_id("1");
  *request.mutable_activity_options()->mutable_priority() = priority(1, "k");
  request.mutable_update_mask()->add_paths("priority.priority_key");
  auto reply = rpc<wf::UpdateActivityOptionsResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  // The genuine server dispatches it anew by a timer.
  usleep(static_cast<useconds_t>(target().timer_slack.count()) * 1000);

  const ActivityTask task = poll_activity();

  const bool knows = !server_is("1.29");
  EXPECT_EQ(task.activity_id(), knows ? "1" : "0");
  EXPECT_EQ(task.priority().priority_key(), knows ? 1 : 0);
  EXPECT_EQ(task.priority().fairness_key(), "");
}

TEST_F(MatchingTest, queue_rate_limit) {
  limit_activities(4);
  schedule_activities(10);

  // A second's worth at once, the others in their time.
  EXPECT_THAT(drain_activities(10), AllOf(Ge(milliseconds(1000)), Lt(milliseconds(8000))));
}

TEST_F(MatchingTest, worker_rate_limit) {
  schedule_activities(10);

  EXPECT_THAT(drain_activities(10, 4), AllOf(Ge(milliseconds(1000)), Lt(milliseconds(8000))));

  const auto limit = describe_queue([](Describe& request) {
                       request.set_task_queue_type(enums::TASK_QUEUE_TYPE_ACTIVITY);
                     }).effective_rate_limit();
  EXPECT_EQ(limit.requests_per_second(), 4);
  EXPECT_EQ(limit.rate_limit_source(), enums::RATE_LIMIT_SOURCE_WORKER);
}

TEST_F(MatchingTest, update_config) {
  Update request = update_request();
  request.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(7);
  request.mutable_update_queue_rate_limit()->set_reason("slow down");
  auto config = update(request);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->queue_rate_limit().rate_limit().requests_per_second(), 7);
  EXPECT_EQ(config->queue_rate_limit().metadata().reason(), "slow down");
  EXPECT_EQ(config->queue_rate_limit().metadata().update_identity(), "operator");
  EXPECT_TRUE(config->queue_rate_limit().metadata().has_update_time());
  EXPECT_FALSE(config->has_fairness_keys_rate_limit_default());

  request = update_request();
  request.mutable_update_fairness_key_rate_limit_default()
      ->mutable_rate_limit()
      ->set_requests_per_second(2);
  config = update(request);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->queue_rate_limit().rate_limit().requests_per_second(), 7);
  EXPECT_EQ(config->fairness_keys_rate_limit_default().rate_limit().requests_per_second(), 2);

  request = update_request();
  request.mutable_update_queue_rate_limit()->set_reason("enough");
  config = update(request);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->queue_rate_limit().has_rate_limit());
  EXPECT_EQ(config->queue_rate_limit().metadata().reason(), "enough");

  const auto of_type = [](enums::TaskQueueType type, bool report) {
    return [type, report](Describe& describe) {
      describe.set_task_queue_type(type);
      describe.set_report_config(report);
    };
  };
  EXPECT_EQ(
      describe_queue(of_type(enums::TASK_QUEUE_TYPE_ACTIVITY, true)).config().SerializeAsString(),
      config->SerializeAsString());
  EXPECT_FALSE(describe_queue(of_type(enums::TASK_QUEUE_TYPE_ACTIVITY, false)).has_config());
  EXPECT_FALSE(describe_queue(of_type(enums::TASK_QUEUE_TYPE_WORKFLOW, true)).has_config());
}

// Server 1.29 does not know weights yet.
TEST_F(MatchingTest, update_weights) {
  Update request = update_request();
  (*request.mutable_set_fairness_weight_overrides())["a"] = 2;
  (*request.mutable_set_fairness_weight_overrides())["b"] = 3;
  ASSERT_TRUE(update(request).ok());
  request = update_request();
  (*request.mutable_set_fairness_weight_overrides())["c"] = 0.5;
  request.add_unset_fairness_weight_overrides("a");

  const auto config = update(request);

  ASSERT_TRUE(config.ok()) << config.status();
  std::vector<std::string> weights;
  for (const auto& [key, weight] : config->fairness_weight_overrides())
    weights.push_back(absl::StrCat(key, "=", weight));
  std::sort(weights.begin(), weights.end());
  if (server_is("1.29"))
    EXPECT_THAT(weights, IsEmpty());
  else
    EXPECT_THAT(weights, ElementsAre("b=3", "c=0.5"));
}

TEST_F(MatchingTest, update_config_refusals) {
  const auto refusal = [this](const std::function<void(Update&)>& change) {
    Update request = update_request();
    change(request);
    return std::string(update(request).status().message());
  };
  EXPECT_EQ(refusal([](Update& request) {
              request.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
              request.mutable_update_queue_rate_limit()->mutable_rate_limit();
            }),
            "Setting rate limit on workflow task queues is not allowed.");
  EXPECT_EQ(
      refusal([](Update& request) {
        request.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(
            -1);
      }),
      "RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative.");
  EXPECT_EQ(
      refusal([](Update& request) {
        request.mutable_update_fairness_key_rate_limit_default()
            ->mutable_rate_limit()
            ->set_requests_per_second(-1);
      }),
      "RequestsPerSecond for UpdateFairnessKeyRateLimitDefault rate limit must be non-negative.");
  EXPECT_EQ(refusal([](Update& request) {
              request.mutable_update_queue_rate_limit()->mutable_rate_limit();
              request.mutable_update_queue_rate_limit()->set_reason(std::string(1001, 'r'));
            }),
            "UpdateQueueRateLimit.Reason field too long (max 1000 characters).");
  EXPECT_EQ(refusal([](Update& request) { request.set_identity(std::string(1001, 'i')); }),
            "Identity field too long (max 1000 characters).");
  if (server_is("1.29")) return;
  EXPECT_EQ(refusal([](Update& request) { request.add_unset_fairness_weight_overrides(""); }),
            "fairness weight override key must not be empty");
  EXPECT_EQ(refusal([](Update& request) {
              request.add_unset_fairness_weight_overrides(std::string(65, 'k'));
            }),
            "fairness key length exceeds limit");
  EXPECT_EQ(
      refusal([](Update& request) { (*request.mutable_set_fairness_weight_overrides())["k"] = 0; }),
      "invalid fairness weight weight for key \"k\": must be greater than zero");
  EXPECT_EQ(refusal([](Update& request) {
              (*request.mutable_set_fairness_weight_overrides())["k"] = 1;
              request.add_unset_fairness_weight_overrides("k");
            }),
            "fairness weight override key \"k\" present in both set and unset lists");
}

TEST_F(MatchingTest, poll_timeout_empty) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(ns);
  request.set_identity("worker");
  request.mutable_task_queue()->set_name(queue);
  const auto begin = std::chrono::steady_clock::now();

  auto task = rpc<Task>(request, milliseconds(3000));

  // A second before the caller would give up.
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->SerializeAsString(), "");
  EXPECT_THAT(std::chrono::steady_clock::now() - begin,
              AllOf(Gt(milliseconds(1000)), Lt(milliseconds(2900))));
}

TEST_F(MatchingTest, poll_deadline_short) {
  wf::PollWorkflowTaskQueueRequest workflow;
  workflow.set_namespace_(ns);
  workflow.mutable_task_queue()->set_name(queue);
  wf::PollActivityTaskQueueRequest activity;
  activity.set_namespace_(ns);
  activity.mutable_task_queue()->set_name(queue);

  for (const absl::Status& status : {rpc<Task>(workflow, milliseconds(1500)).status(),
                                     rpc<ActivityTask>(activity, milliseconds(1500)).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(std::string(status.message()), "Context timeout is too short.");
  }
}

TEST_F(MatchingTest, poll_refusals) {
  const auto refusal =
      [this](const std::function<void(wf::PollWorkflowTaskQueueRequest&)>& change) {
        wf::PollWorkflowTaskQueueRequest request;
        request.set_namespace_(ns);
        request.set_identity("worker");
        request.mutable_task_queue()->set_name(queue);
        change(request);
        return std::string(rpc<Task>(request, milliseconds(2500)).status().message());
      };
  EXPECT_EQ(refusal([](auto& request) { request.clear_task_queue(); }), "taskQueue is not set");
  EXPECT_EQ(refusal([](auto& request) { request.mutable_task_queue()->clear_name(); }),
            "missing task queue name");
  EXPECT_EQ(refusal([](auto& request) { request.mutable_task_queue()->set_name("/_sys/q/1"); }),
            "task queue name cannot start with reserved prefix /_sys/");
  EXPECT_EQ(refusal([](auto& request) {
              request.mutable_task_queue()->set_name(std::string(1001, 'q'));
            }),
            "taskQueue length exceeds limit");
  EXPECT_EQ(refusal([](auto& request) { request.set_identity(std::string(1001, 'i')); }),
            "Identity length exceeds limit.");
  EXPECT_EQ(refusal([](auto& request) {
              request.mutable_worker_version_capabilities()->set_build_id(std::string(256, 'b'));
            }),
            "Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.");
  EXPECT_EQ(refusal([](auto& request) {
              request.mutable_worker_version_capabilities()->set_use_versioning(true);
            }),
            "WorkerVersionStamp must be present if UseVersioning is true.");
}

TEST_F(MatchingTest, scaling_decision) {
  start_named("1");
  start_named("2");
  start_named("3");
  usleep(300'000);

  const Task behind = poll();

  EXPECT_EQ(behind.poller_scaling_decision().poll_request_delta_suggestion(), 1);
  EXPECT_EQ(behind.backlog_count_hint(), 2);
  respond(behind, {complete_workflow()});
  respond(poll(), {complete_workflow()});
  respond(poll(), {complete_workflow()});

  Task idle;
  std::thread waiting([&] { idle = poll(); });
  usleep(1'300'000);
  start();
  waiting.join();
  EXPECT_EQ(idle.poller_scaling_decision().poll_request_delta_suggestion(), -1);
  EXPECT_EQ(idle.backlog_count_hint(), 0);
  respond(idle, {complete_workflow()});
}

TEST_F(MatchingTest, describe_stats) {
  start_named("a", priority(1));
  start_named("b");
  start_named("c");
  usleep(1'500'000);
  respond(poll(), {complete_workflow()});
  usleep(5'500'000);  // The genuine server remembers what it answered for so long.

  const Described with = describe_queue([](Describe& request) { request.set_report_stats(true); });
  const Described without = describe_queue();

  EXPECT_EQ(with.stats().approximate_backlog_count(), 2);
  EXPECT_THAT(with.stats().approximate_backlog_age().seconds(), AllOf(Ge(6), Le(20)));
  EXPECT_THAT(with.stats().tasks_add_rate(), AllOf(Gt(0.09F), Lt(0.6F)));
  EXPECT_THAT(with.stats().tasks_dispatch_rate(), AllOf(Gt(0.03F), Lt(0.2F)));
  ASSERT_TRUE(with.stats_by_priority_key().contains(1));
  ASSERT_TRUE(with.stats_by_priority_key().contains(3));
  EXPECT_EQ(with.stats_by_priority_key().at(1).approximate_backlog_count(), 0);
  EXPECT_GT(with.stats_by_priority_key().at(1).tasks_dispatch_rate(), 0);
  EXPECT_EQ(with.stats_by_priority_key().at(3).approximate_backlog_count(), 2);
  EXPECT_EQ(with.stats_by_priority_key().at(3).tasks_dispatch_rate(), 0);
  EXPECT_EQ(with.versioning_info().current_version(), "__unversioned__");
  EXPECT_EQ(with.effective_rate_limit().rate_limit_source(), enums::RATE_LIMIT_SOURCE_SYSTEM);
  EXPECT_FALSE(with.has_task_queue_status());
  EXPECT_FALSE(without.has_stats());
  EXPECT_THAT(without.stats_by_priority_key(), IsEmpty());
  ASSERT_EQ(without.pollers_size(), 1);
  EXPECT_EQ(without.pollers(0).identity(), "worker");
  EXPECT_EQ(without.pollers(0).rate_per_second(), 100000);
  EXPECT_TRUE(without.pollers(0).has_last_access_time());
}

TEST_F(MatchingTest, describe_enhanced) {
  start();
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(ns);
  request.set_identity("worker");
  request.mutable_task_queue()->set_name(queue);
  request.mutable_worker_version_capabilities()->set_build_id("build");
  request.mutable_deployment_options()->set_deployment_name("deployment");
  request.mutable_deployment_options()->set_build_id("build");
  auto task = rpc<Task>(request, seconds(10));
  ASSERT_TRUE(task.ok()) << task.status();
  const auto enhanced = [](bool stats, bool pollers) {
    return [stats, pollers](Describe& describe) {
      describe.set_api_mode(enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED);
      describe.set_report_stats(stats);
      describe.set_report_pollers(pollers);
    };
  };

  const auto reply = describe_queue(enhanced(true, true)).versions_info();

  ASSERT_EQ(reply.size(), 1u);
  const auto& types = reply.at("").types_info();
  ASSERT_EQ(types.size(), 2u);
  ASSERT_EQ(types.at(1).pollers_size(), 1);
  EXPECT_EQ(types.at(1).pollers(0).worker_version_capabilities().build_id(), "build");
  EXPECT_EQ(types.at(1).pollers(0).deployment_options().deployment_name(), "deployment");
  EXPECT_TRUE(types.at(1).has_stats());
  EXPECT_TRUE(types.at(2).has_stats());
  EXPECT_EQ(types.at(2).pollers_size(), 0);
  EXPECT_EQ(reply.at("").task_reachability(), enums::BUILD_ID_TASK_REACHABILITY_UNSPECIFIED);
  respond(*task, {complete_workflow()});
}

TEST_F(MatchingTest, describe_enhanced_versions) {
  const auto reply = describe_queue([](Describe& request) {
                       request.set_api_mode(enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED);
                       request.add_task_queue_types(enums::TASK_QUEUE_TYPE_NEXUS);
                       request.set_report_task_reachability(true);
                       request.mutable_versions()->add_build_ids("build");
                       request.mutable_versions()->set_unversioned(true);
                     }).versions_info();

  ASSERT_EQ(reply.size(), 2u);
  EXPECT_EQ(reply.at("").task_reachability(), enums::BUILD_ID_TASK_REACHABILITY_REACHABLE);
  EXPECT_EQ(reply.at("build").task_reachability(), enums::BUILD_ID_TASK_REACHABILITY_UNREACHABLE);
  ASSERT_EQ(reply.at("build").types_info_size(), 1);
  EXPECT_FALSE(reply.at("build").types_info().at(3).has_stats());
}

TEST_F(MatchingTest, describe_refusals) {
  EXPECT_EQ(refused([](Describe& request) { request.clear_task_queue(); }), "taskQueue is not set");
  EXPECT_EQ(refused([](Describe& request) { request.mutable_task_queue()->clear_name(); }),
            "missing task queue name");
  EXPECT_EQ(refused([](Describe& request) {
              request.mutable_task_queue()->set_name(std::string(1001, 'q'));
            }),
            "taskQueue length exceeds limit");
  EXPECT_EQ(refused([](Describe& request) {
              request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
              request.set_report_stats(true);
            }),
            "DescribeTaskQueue stats are only supported for the root partition");
  EXPECT_THAT(refused([](Describe& request) {
                request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
                request.set_api_mode(enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED);
              }),
              HasSubstr("Enhanced DescribeTaskQueue is not valid for a sticky queue"));
  EXPECT_EQ(refused([](Describe& request) {
              request.set_report_task_reachability(true);
              for (const char* build : {"a", "b", "c", "d", "e", "f"})
                request.mutable_versions()->add_build_ids(build);
            }),
            "Too many build ids queried at once with ReportTaskReachability==true, limit: 5");
}

// Where the version of an unversioned worker is written: with what starts a task, completes it, and
// with an activity's Started event as who reports it says.
TEST_F(MatchingTest, worker_version) {
  start();
  const auto poll_as = [this](const std::string& build_id) {
    wf::PollWorkflowTaskQueueRequest request;
    request.set_namespace_(ns);
    request.set_identity("worker");
    request.mutable_task_queue()->set_name(queue);
    if (!build_id.empty()) request.mutable_worker_version_capabilities()->set_build_id(build_id);
    auto task = rpc<Task>(request, seconds(10));
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *task : Task();
  };
  const auto as = [](const std::string& build_id) {
    return [build_id](Respond& request) {
      if (!build_id.empty()) request.mutable_worker_version_stamp()->set_build_id(build_id);
      request.mutable_deployment_options()->set_deployment_name("deployment");
    };
  };
  respond(poll_as("first"),
          {schedule_activity("a", [&](auto& a) { a.mutable_task_queue()->set_name(queue); })},
          as("first"));
  wf::RespondActivityTaskCompletedRequest done;
  done.set_namespace_(ns);
  done.set_task_token(poll_activity().task_token());
  done.mutable_worker_version()->set_build_id("reporter");
  ASSERT_TRUE(rpc<wf::RespondActivityTaskCompletedResponse>(done).ok());
  ASSERT_TRUE(fail_task(poll_as("")).ok());
  const Task retry = poll_as("hidden");
  EXPECT_FALSE(retry.history()
                   .events(retry.history().events_size() - 1)
                   .workflow_task_started_event_attributes()
                   .has_worker_version());
  respond(retry, {}, as("second"));
  ASSERT_TRUE(signal("go").ok());
  respond(poll_as("third"), {complete_workflow()}, as("first"));

  std::vector<std::string> versions;
  for (const HistoryEvent& event : history()) {
    const auto note = [&](const auto& attributes) {
      if (attributes.has_worker_version()) {
        versions.push_back(
            absl::StrCat(event.event_id(), " ", attributes.worker_version().build_id()));
      }
    };
    note(event.workflow_task_started_event_attributes());
    note(event.workflow_task_completed_event_attributes());
    note(event.activity_task_started_event_attributes());
    note(event.activity_task_completed_event_attributes());
  }
  EXPECT_THAT(versions, ElementsAre("3 first", "4 first", "6 reporter", "12 second", "13 second",
                                    "16 third", "17 first"));
  const auto info = describe().workflow_execution_info();
  EXPECT_EQ(info.most_recent_worker_version_stamp().build_id(), "first");
  EXPECT_EQ(info.worker_deployment_name(), "deployment");
  const auto& attributes = info.search_attributes().indexed_fields();
  ASSERT_TRUE(attributes.contains("BuildIds"));
  EXPECT_EQ(attributes.at("BuildIds").data(),
            "[\"unversioned\",\"unversioned:first\",\"unversioned:second\"]");
  ASSERT_TRUE(attributes.contains("TemporalWorkerDeployment"));
  EXPECT_EQ(attributes.at("TemporalWorkerDeployment").data(), "\"deployment\"");
}

}  // namespace
}  // namespace chimera::conformance
