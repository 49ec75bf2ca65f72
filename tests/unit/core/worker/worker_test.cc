#include "core/worker/worker.h"

#include <cmath>
#include <thread>

#include "absl/synchronization/notification.h"
#include <gtest/gtest.h>

#include "core/telemetry/metrics.h"
#include "tests/support/scripted_server.h"
#include "tests/unit/core/worker/tiny_language.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using testing::complete_workflow;
using testing::first_task;
using testing::schedule_activity;
using testing::ScriptedServer;
using testing::TinyActivities;
using testing::TinyWorkflows;

bool is_sticky(const ScriptedServer::Call& call) {
  return call.as<wf::PollWorkflowTaskQueueRequest>().task_queue().kind() ==
         enums::TASK_QUEUE_KIND_STICKY;
}
bool is_normal(const ScriptedServer::Call& call) { return !is_sticky(call); }

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    auto empty = [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); };
    server_->always("GetSystemInfo", empty);
    server_->always("DescribeNamespace", empty);
    options_.task_queue = "orders";
    options_.lanes = 2;
    ConnectionOptions connection;
    connection.transport = server_;
    connection.identity = "me";
    connection.metrics = metrics_;
    connection_ = *Connection::connect(std::move(connection));
  }

  ~WorkerTest() override {
    if (!worker_) return;
    worker_->initiate_shutdown();
    if (auto goodbye = hear_goodbye()) goodbye->finish(absl::OkStatus());
    EXPECT_TRUE(worker_->wait().ok());
  }

  // The first goodbye, for the test to answer; those after it are answered at once.
  ScriptedServer::CallPtr hear_goodbye() {
    auto goodbye = server_->next("ShutdownWorker");
    server_->always("ShutdownWorker",
                    [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
    return goodbye;
  }

  void start() {
    worker_ = *Worker::create(connection_, options_);
    ASSERT_TRUE(worker_->add_workflow("Order", workflows_).ok());
    ASSERT_TRUE(worker_->add_activity("charge_card", activities_).ok());
    ASSERT_TRUE(worker_->start().ok());
  }

  // Answers the next poll of the normal queue.
  void give(const wf::PollWorkflowTaskQueueResponse& task) {
    server_->next("PollWorkflowTaskQueue", is_normal)->answer(task);
  }

  std::shared_ptr<ScriptedServer> server_ = std::make_shared<ScriptedServer>();
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  WorkerOptions options_;
  std::shared_ptr<Connection> connection_;
  TinyWorkflows::Code code_ = testing::complete_at_once;
  TinyWorkflows workflows_{"C++", [this](const RunContext& run, const Activation& activation) {
                             return code_(run, activation);
                           }};
  TinyActivities activities_{
      "C++", [](ActivityTask task) { task.handle->complete({ActivityResult::Completed{}}); }};
  std::unique_ptr<Worker> worker_;  // Ends before what it borrows.
};

TEST_F(WorkerTest, WrongOptionsAreNamed) {
  WorkerOptions no_queue;
  WorkerOptions no_slots{.task_queue = "orders", .max_concurrent_activities = 0};
  WorkerOptions no_version{.task_queue = "orders", .deployment_name = "billing"};

  absl::Status queue = Worker::create(connection_, no_queue).status();
  absl::Status slots = Worker::create(connection_, no_slots).status();
  absl::Status version = Worker::create(connection_, no_version).status();

  EXPECT_NE(queue.message().find("task_queue"), std::string::npos) << queue;
  EXPECT_NE(slots.message().find("max_concurrent_activities"), std::string::npos) << slots;
  EXPECT_NE(version.message().find("build_id"), std::string::npos) << version;
}

TEST_F(WorkerTest, OptionsOutOfRangeAreNamed) {
  using std::chrono::milliseconds;
  const double nan = std::nan("");
  const auto refusal = [this](auto change) {
    WorkerOptions options{.task_queue = "orders"};
    change(options);
    return std::string(Worker::create(connection_, options).status().message());
  };
  const auto names = [&](const char* name, auto change) {
    EXPECT_NE(refusal(change).find(name), std::string::npos) << name << ": " << refusal(change);
  };
  EXPECT_EQ(refusal([](auto&) {}), "");
  names("nonsticky_to_sticky_poll_ratio", [&](auto& o) { o.nonsticky_to_sticky_poll_ratio = nan; });
  names("max_activities_per_second", [](auto& o) { o.max_activities_per_second = -1; });
  names("max_task_queue_activities_per_second",
        [&](auto& o) { o.max_task_queue_activities_per_second = nan; });
  names("sticky_queue_schedule_to_start_timeout",
        [](auto& o) { o.sticky_queue_schedule_to_start_timeout = milliseconds(-1); });
  names("max_heartbeat_throttle_interval",
        [](auto& o) { o.max_heartbeat_throttle_interval = milliseconds(-1); });
  names("default_heartbeat_throttle_interval",
        [](auto& o) { o.default_heartbeat_throttle_interval = milliseconds(-1); });
  names("graceful_shutdown_timeout",
        [](auto& o) { o.graceful_shutdown_timeout = milliseconds(-1); });
  names("deadlock_timeout", [](auto& o) { o.deadlock_timeout = milliseconds(-1); });
  names("fatal_poll_tolerance", [](auto& o) { o.fatal_poll_tolerance = milliseconds(-1); });
  names("max_eager_activity_reservations_per_workflow_task",
        [](auto& o) { o.max_eager_activity_reservations_per_workflow_task = -1; });
  names("max_cached_bytes", [](auto& o) { o.max_cached_bytes = 0; });
  names("resource_tuner", [&](auto& o) { o.resource_tuner = {.targets = {nan, 0.5}}; });
  names("resource_tuner", [](auto& o) { o.resource_tuner = {.targets = {0.5, 1.1}}; });
  names("resource_tuner", [](auto& o) {
    o.resource_tuner = {.targets = {0.5, 0.5}, .activity = ResourceSlotLimits{.minimum = 600}};
  });
  names("resource_tuner", [](auto& o) {
    o.resource_tuner = {.targets = {0.5, 0.5},
                        .activity = ResourceSlotLimits{.ramp_throttle = milliseconds(-1)}};
  });
  names("resource_tuner", [](auto& o) {
    o.resource_tuner = {.targets = {0.5, 0.5}, .workflow = ResourceSlotLimits{.maximum = 1}};
  });
  names("workflow_poll_autoscaling",
        [](auto& o) { o.workflow_poll_autoscaling = {.minimum = 0, .maximum = 5, .initial = 5}; });
  names("activity_poll_autoscaling",
        [](auto& o) { o.activity_poll_autoscaling = {.minimum = 1, .maximum = 4, .initial = 5}; });
  names("nexus_poll_autoscaling",
        [](auto& o) { o.nexus_poll_autoscaling = {.minimum = 1, .maximum = 4, .initial = 5}; });
  names("max_concurrent_nexus_tasks", [](auto& o) { o.max_concurrent_nexus_tasks = 0; });
  names("max_concurrent_nexus_task_polls", [](auto& o) { o.max_concurrent_nexus_task_polls = 0; });
}

TEST_F(WorkerTest, ANameInTwoLanguagesNamesBoth) {
  auto worker = *Worker::create(connection_, options_);
  TinyWorkflows python("Python", code_);
  ASSERT_TRUE(worker->add_workflow("Order", workflows_).ok());

  absl::Status twice = worker->add_workflow("Order", python);

  EXPECT_TRUE(absl::IsAlreadyExists(twice));
  for (const char* part : {"Order", "C++", "Python"})
    EXPECT_NE(twice.message().find(part), std::string::npos) << twice;
}

TEST_F(WorkerTest, ANamespaceThatIsNotThereIsSaidAtTheStart) {
  server_->always("DescribeNamespace", [](ScriptedServer::Call& call) {
    call.finish(absl::NotFoundError("Namespace nowhere is not found."));
  });
  options_.namespace_ = "nowhere";
  auto worker = *Worker::create(connection_, options_);

  absl::Status status = worker->start();

  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_NE(status.message().find("nowhere"), std::string::npos) << status;
  EXPECT_NE(status.message().find("Register"), std::string::npos) << status;
}

// Nobody may wait for ever for pollers that were made after the shutdown had looked for them.
TEST_F(WorkerTest, AShutdownMayComeWhileItStarts) {
  server_->always("ShutdownWorker",
                  [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
  for (int i = 0; i < 50; ++i) {
    auto worker = *Worker::create(connection_, options_);
    ASSERT_TRUE(worker->add_workflow("Order", workflows_).ok());
    ASSERT_TRUE(worker->add_activity("charge_card", activities_).ok());
    std::thread starting([&] { EXPECT_TRUE(worker->start().ok()); });
    if (i % 2 == 1) std::this_thread::yield();
    worker->initiate_shutdown();
    starting.join();
    EXPECT_TRUE(worker->wait().ok());
  }
}

// The server refuses it again and again; without a report the task would time out for ever.
TEST_F(WorkerTest, AnAnswerThatIsTooLargeFailsTheTask) {
  start();
  give(first_task("r1"));
  server_->next("RespondWorkflowTaskCompleted")
      ->finish(absl::ResourceExhaustedError(
          "grpc: received message larger than max (5000000 vs. 4194304)"));

  auto failed = server_->next("RespondWorkflowTaskFailed");
  ASSERT_NE(failed, nullptr);
  failed->answer(wf::RespondWorkflowTaskFailedResponse());

  const auto request = failed->as<wf::RespondWorkflowTaskFailedRequest>();
  EXPECT_EQ(request.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE);
  EXPECT_NE(request.failure().message().find("5000000"), std::string::npos);
}

TEST_F(WorkerTest, PollsTheNormalAndItsOwnStickyQueue) {
  start();

  auto normal =
      server_->next("PollWorkflowTaskQueue", is_normal)->as<wf::PollWorkflowTaskQueueRequest>();
  auto sticky =
      server_->next("PollWorkflowTaskQueue", is_sticky)->as<wf::PollWorkflowTaskQueueRequest>();

  EXPECT_EQ(normal.task_queue().name(), "orders");
  EXPECT_EQ(normal.identity(), "me");
  EXPECT_EQ(normal.namespace_(), "default");
  EXPECT_EQ(sticky.task_queue().name().substr(0, 3), "me-");
  EXPECT_EQ(sticky.task_queue().normal_name(), "orders");
}

TEST_F(WorkerTest, AnswersATaskWithWhatTheServerNeedsToKnow) {
  start();

  give(first_task("r1"));
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  auto request = answer->as<wf::RespondWorkflowTaskCompletedRequest>();
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());

  EXPECT_EQ(request.task_token(), "token-r1");
  EXPECT_EQ(request.identity(), "me");
  EXPECT_EQ(request.namespace_(), "default");
  EXPECT_TRUE(request.return_new_workflow_task());
  EXPECT_TRUE(request.capabilities().discard_speculative_workflow_task_with_events());
  EXPECT_EQ(request.sticky_attributes().worker_task_queue().normal_name(), "orders");
  EXPECT_EQ(request.sticky_attributes().schedule_to_start_timeout().seconds(), 10);
  ASSERT_EQ(request.commands_size(), 1);
  EXPECT_TRUE(request.commands(0).has_complete_workflow_execution_command_attributes());
}

// The server gives versioned tasks only to polls of that version, and keeps runs by its behavior.
TEST_F(WorkerTest, SaysOfWhichDeploymentVersionItIs) {
  options_.build_id = "1.0";
  options_.deployment_name = "billing";
  options_.use_worker_versioning = true;
  options_.default_versioning_behavior = enums::VERSIONING_BEHAVIOR_PINNED;
  start();

  auto poll = server_->next("PollWorkflowTaskQueue", is_normal);
  auto asked = poll->as<wf::PollWorkflowTaskQueueRequest>();
  poll->answer(first_task("r1"));
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  auto answered = answer->as<wf::RespondWorkflowTaskCompletedRequest>();
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());
  auto activity = server_->next("PollActivityTaskQueue")->as<wf::PollActivityTaskQueueRequest>();

  for (const auto* told : {&asked.deployment_options(), &answered.deployment_options(),
                           &activity.deployment_options()}) {
    EXPECT_EQ(told->deployment_name(), "billing");
    EXPECT_EQ(told->build_id(), "1.0");
    EXPECT_EQ(told->worker_versioning_mode(), enums::WORKER_VERSIONING_MODE_VERSIONED);
  }
  EXPECT_EQ(answered.versioning_behavior(), enums::VERSIONING_BEHAVIOR_PINNED);
}

TEST_F(WorkerTest, AnUnknownWorkflowTypeFailsTheTaskNotTheWorkflow) {
  start();

  give(first_task("r1", "Nobody"));
  auto answer = server_->next("RespondWorkflowTaskFailed");
  ASSERT_NE(answer, nullptr);
  auto request = answer->as<wf::RespondWorkflowTaskFailedRequest>();
  answer->finish(absl::OkStatus());

  EXPECT_NE(request.failure().message().find("Nobody"), std::string::npos);
  EXPECT_NE(request.failure().message().find("Order"), std::string::npos);
}

TEST_F(WorkerTest, AsksForNoMoreEagerActivitiesThanItMayAndRunsThemFromTheReply) {
  code_ = [](const RunContext&, const Activation&) {
    std::vector<Command> commands;
    for (std::uint32_t seq = 1; seq <= 5; ++seq)
      commands.push_back(schedule_activity(seq, "charge_card", "orders"));
    return commands;
  };
  start();

  give(first_task("r1"));
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  wf::RespondWorkflowTaskCompletedResponse reply;
  reply.add_activity_tasks()->set_task_token("eager");
  reply.mutable_activity_tasks(0)->mutable_activity_type()->set_name("charge_card");
  answer->answer(reply);
  auto completed = server_->next("RespondActivityTaskCompleted");
  ASSERT_NE(completed, nullptr);
  completed->finish(absl::OkStatus());

  int eager = 0;
  const auto request = answer->as<wf::RespondWorkflowTaskCompletedRequest>();
  for (const auto& command : request.commands())
    eager += command.schedule_activity_task_command_attributes().request_eager_execution();
  EXPECT_EQ(eager, 3);
  EXPECT_EQ(completed->as<wf::RespondActivityTaskCompletedRequest>().task_token(), "eager");
  EXPECT_NE(metrics_->prometheus_text().find("eager=\"true\""), std::string::npos);
}

TEST_F(WorkerTest, EagerActivitiesCanBeSwitchedOff) {
  code_ = [](const RunContext&, const Activation&) {
    std::vector<Command> commands;
    commands.push_back(schedule_activity(1, "charge_card", "orders"));
    return commands;
  };
  options_.disable_eager_activity_execution = true;
  start();

  give(first_task("r1"));
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());

  EXPECT_FALSE(answer->as<wf::RespondWorkflowTaskCompletedRequest>()
                   .commands(0)
                   .schedule_activity_task_command_attributes()
                   .request_eager_execution());
}

// The polls of the sticky and of the normal queue hold a slot each, and one is left.
TEST_F(WorkerTest, AStartTakesAFreeSlotOnceAndADroppedOneComesBack) {
  options_.max_concurrent_workflow_tasks = 3;
  options_.max_concurrent_workflow_task_polls = 1;
  start();
  const auto starts = connection_->eager_starts();

  auto slot = starts->try_reserve("default", "orders");
  EXPECT_NE(slot, nullptr);
  EXPECT_EQ(starts->try_reserve("default", "orders"), nullptr);
  EXPECT_EQ(starts->try_reserve("other", "orders"), nullptr);
  slot.reset();

  slot = starts->try_reserve("default", "orders");
  ASSERT_NE(slot, nullptr);
  auto task = std::make_shared<wf::PollWorkflowTaskQueueResponse>(first_task("eager"));
  slot->run(std::move(task));
  slot.reset();
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->as<wf::RespondWorkflowTaskCompletedRequest>().task_token(), "token-eager");
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());
}

TEST_F(WorkerTest, AWorkerThatShutsDownTakesNoStartsAndWaitsForThoseItHasTaken) {
  options_.max_concurrent_workflow_tasks = 3;
  options_.max_concurrent_workflow_task_polls = 1;
  start();
  const auto starts = connection_->eager_starts();
  auto slot = starts->try_reserve("default", "orders");
  ASSERT_NE(slot, nullptr);
  std::atomic<bool> ended{false};
  absl::Notification told;
  worker_->when_ended([&](const absl::Status& status) {
    EXPECT_TRUE(status.ok());
    ended = true;
    told.Notify();
  });

  worker_->initiate_shutdown();
  hear_goodbye()->finish(absl::OkStatus());
  EXPECT_EQ(starts->try_reserve("default", "orders"), nullptr);
  EXPECT_FALSE(ended);
  slot.reset();

  told.WaitForNotification();
  worker_.reset();
}

TEST_F(WorkerTest, AnEagerStartTellsTheWorkersDeployment) {
  options_.deployment_name = "billing";
  options_.build_id = "1.0";
  start();
  const auto slot = connection_->eager_starts()->try_reserve("default", "orders");
  ASSERT_NE(slot, nullptr);
  wf::StartWorkflowExecutionRequest eager, not_eager;

  ask_for_first_task(eager, slot.get());
  ask_for_first_task(not_eager, nullptr);

  EXPECT_TRUE(eager.request_eager_execution());
  EXPECT_EQ(eager.eager_worker_deployment_options().deployment_name(), "billing");
  EXPECT_EQ(eager.eager_worker_deployment_options().build_id(), "1.0");
  EXPECT_FALSE(not_eager.request_eager_execution());
}

// The server gives a task to a poll that is just being cancelled: it must not be lost.
TEST_F(WorkerTest, ATaskThatComesWhileShuttingDownIsStillAnswered) {
  start();
  auto poll = server_->next("PollWorkflowTaskQueue", is_normal);

  poll->answer(first_task("late"));
  worker_->initiate_shutdown();
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());

  EXPECT_EQ(answer->as<wf::RespondWorkflowTaskCompletedRequest>().task_token(), "token-late");
}

// Nobody else waits for that reply; the lane that sent the answer died before it came.
TEST_F(WorkerTest, EndsAfterTheServerHasTakenTheAnswerToAQuery) {
  start();
  auto task = first_task("r1");
  task.mutable_query()->set_query_type("status");
  give(task);
  auto answer = server_->next("RespondQueryTaskCompleted");
  ASSERT_NE(answer, nullptr);

  worker_->initiate_shutdown();
  if (auto goodbye = hear_goodbye()) goodbye->finish(absl::OkStatus());
  absl::Notification ended;
  std::thread waiting([&] {
    EXPECT_TRUE(worker_->wait().ok());
    ended.Notify();
  });
  const bool too_early = ended.WaitForNotificationWithTimeout(absl::Milliseconds(200));
  answer->answer(wf::RespondQueryTaskCompletedResponse());
  waiting.join();
  worker_.reset();

  EXPECT_FALSE(too_early);
}

TEST_F(WorkerTest, ShutdownNamesTheStickyQueueSoThatItsRunsMove) {
  start();
  auto sticky =
      server_->next("PollWorkflowTaskQueue", is_sticky)->as<wf::PollWorkflowTaskQueueRequest>();

  worker_->initiate_shutdown();
  auto goodbye = hear_goodbye();
  ASSERT_NE(goodbye, nullptr);
  goodbye->finish(absl::UnimplementedError("an old server"));

  EXPECT_EQ(goodbye->as<wf::ShutdownWorkerRequest>().sticky_task_queue(),
            sticky.task_queue().name());
  EXPECT_TRUE(worker_->wait().ok());
  worker_.reset();
}

// A poll that is cancelled may have been given a task, which is then lost until it times out.
TEST_F(WorkerTest, LeavesItsPollsToAServerThatEndsThem) {
  server_->always("DescribeNamespace", [](ScriptedServer::Call& call) {
    wf::DescribeNamespaceResponse reply;
    reply.mutable_namespace_info()->mutable_capabilities()->set_worker_poll_complete_on_shutdown(
        true);
    call.answer(reply);
  });
  options_.max_concurrent_workflow_task_polls = 1;
  options_.max_concurrent_activity_task_polls = 1;
  start();
  auto normal = server_->next("PollWorkflowTaskQueue", is_normal);
  auto sticky = server_->next("PollWorkflowTaskQueue", is_sticky);
  auto activity = server_->next("PollActivityTaskQueue");
  const std::string key = normal->as<wf::PollWorkflowTaskQueueRequest>().worker_instance_key();

  worker_->initiate_shutdown();
  auto goodbye = hear_goodbye();
  goodbye->finish(absl::OkStatus());
  sticky->finish(absl::OkStatus());
  activity->finish(absl::OkStatus());
  normal->answer(first_task("late"));  // It came while the worker shut down.

  auto said = goodbye->as<wf::ShutdownWorkerRequest>();
  EXPECT_FALSE(key.empty());
  EXPECT_EQ(said.worker_instance_key(), key);
  EXPECT_EQ(activity->as<wf::PollActivityTaskQueueRequest>().worker_instance_key(), key);
  EXPECT_EQ(said.task_queue(), "orders");
  EXPECT_EQ(said.task_queue_types_size(), 2);
  auto call = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(call, nullptr);
  auto completed = call->as<wf::RespondWorkflowTaskCompletedRequest>();
  EXPECT_FALSE(completed.has_sticky_attributes());  // The run's next task is for another worker.
  EXPECT_FALSE(completed.return_new_workflow_task());
  call->finish(absl::OkStatus());
  EXPECT_TRUE(worker_->wait().ok());
  worker_.reset();
}

TEST_F(WorkerTest, CancelsItsPollsWhenTheServerDoesNotHearOfTheShutdown) {
  server_->always("DescribeNamespace", [](ScriptedServer::Call& call) {
    wf::DescribeNamespaceResponse reply;
    reply.mutable_namespace_info()->mutable_capabilities()->set_worker_poll_complete_on_shutdown(
        true);
    call.answer(reply);
  });
  start();

  worker_->initiate_shutdown();
  hear_goodbye()->finish(absl::UnimplementedError("unknown method"));

  EXPECT_TRUE(worker_->wait().ok());
  worker_.reset();
}

TEST_F(WorkerTest, CredentialsThatExpireEndTheWorkerAndSayWhatToCheck) {
  options_.fatal_poll_tolerance = std::chrono::milliseconds(0);
  start();
  absl::Notification ended;
  worker_->on_fatal([&](const absl::Status&) { ended.Notify(); });

  server_->next("PollActivityTaskQueue")->finish(absl::UnauthenticatedError("token expired"));

  ended.WaitForNotification();
  absl::Status status = worker_->wait();
  EXPECT_TRUE(absl::IsUnauthenticated(status));
  for (const char* part : {"orders", "cannot poll", "UNAUTHENTICATED: token expired", "Check"})
    EXPECT_NE(status.message().find(part), std::string::npos) << status;
  worker_.reset();
  hear_goodbye()->finish(absl::OkStatus());
}

TEST_F(WorkerTest, RefusedPollsAreTriedAgainAtFirst) {
  start();

  server_->next("PollActivityTaskQueue")->finish(absl::PermissionDeniedError("not yet"));
  server_->next("PollActivityTaskQueue")->finish(absl::UnauthenticatedError("not yet"));

  EXPECT_NE(server_->next("PollActivityTaskQueue"), nullptr);
}

TEST_F(WorkerTest, CredentialsThatTheNamespaceRefusesEndTheStart) {
  server_->always("DescribeNamespace", [](ScriptedServer::Call& call) {
    call.finish(absl::PermissionDeniedError("Request unauthorized."));
  });
  auto worker = *Worker::create(connection_, options_);

  absl::Status status = worker->start();

  EXPECT_TRUE(absl::IsPermissionDenied(status));
  for (const char* part :
       {"orders", "namespace default", "PERMISSION_DENIED", "client certificate"})
    EXPECT_NE(status.message().find(part), std::string::npos) << status;
}

// One run's busy loop must cost its own task only.
TEST_F(WorkerTest, CodeThatDoesNotYieldIsReportedAndHoldsUpNoOtherRun) {
  auto release = std::make_shared<absl::Notification>();
  code_ = [release](const RunContext& run, const Activation&) {
    if (run.run_id == "stuck") release->WaitForNotification();
    std::vector<Command> commands;
    commands.push_back(complete_workflow());
    return commands;
  };
  options_.deadlock_timeout = std::chrono::milliseconds(80);
  server_->always("RespondWorkflowTaskCompleted",
                  [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
  start();

  give(first_task("stuck"));
  auto report = server_->next("RespondWorkflowTaskFailed");
  ASSERT_NE(report, nullptr);
  report->finish(absl::OkStatus());
  give(first_task("stuck"));  // The server tries it again at once.
  std::atomic<int> answered{0};
  absl::Notification all;
  server_->always("RespondWorkflowTaskCompleted", [&](ScriptedServer::Call& call) {
    call.finish(absl::OkStatus());
    if (++answered == 8) all.Notify();
  });
  for (int i = 0; i < 8; ++i) give(first_task("other-" + std::to_string(i)));
  bool others_went_on = all.WaitForNotificationWithTimeout(absl::Seconds(20));
  server_->always("RespondWorkflowTaskCompleted",
                  [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
  release->Notify();

  EXPECT_TRUE(others_went_on);
  auto request = report->as<wf::RespondWorkflowTaskFailedRequest>();
  EXPECT_EQ(request.task_token(), "token-stuck");
  EXPECT_NE(request.failure().message().find("[TMPRL1101]"), std::string::npos);
  EXPECT_NE(request.failure().message().find("Order"), std::string::npos);
#ifndef CHIMERA_TSAN  // Which holds signals back from code that makes no call it knows.
  EXPECT_NE(request.failure().stack_trace().find("  at "), std::string::npos);
#endif
}

TEST_F(WorkerTest, PollsAsOftenAsTheServerAdvises) {
  options_.activity_poll_autoscaling = {.minimum = 1, .maximum = 4, .initial = 2};
  start();
  wf::PollActivityTaskQueueResponse advice;
  const auto set = [&](int delta) {
    advice.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(delta);
  };
  std::vector<ScriptedServer::CallPtr> polls;
  const auto take = [&](int count) {
    for (int i = 0; i < count; ++i) polls.push_back(server_->next("PollActivityTaskQueue"));
  };

  set(2);
  server_->next("PollActivityTaskQueue")->answer(advice);
  take(4);  // The other of the first two, and three more.
  EXPECT_EQ(server_->waiting("PollActivityTaskQueue"), 0);
  set(-2);
  for (int i = 0; i < 3; ++i) polls[static_cast<std::size_t>(i)]->answer(advice);
  polls.erase(polls.begin(), polls.begin() + 3);
  advice.clear_poller_scaling_decision();
  polls[0]->answer(advice);
  polls.clear();

  take(1);
  EXPECT_EQ(server_->waiting("PollActivityTaskQueue"), 0);
}

TEST_F(WorkerTest, ShowsItselfInMetrics) {
  start();
  give(first_task("r1"));
  auto answer = server_->next("RespondWorkflowTaskCompleted");
  ASSERT_NE(answer, nullptr);
  answer->answer(wf::RespondWorkflowTaskCompletedResponse());
  worker_->initiate_shutdown();
  hear_goodbye()->finish(absl::OkStatus());
  ASSERT_TRUE(worker_->wait().ok());
  worker_.reset();

  std::string text = metrics_->prometheus_text();

  for (const char* name :
       {"temporal_worker_start{", "temporal_num_pollers{", "temporal_worker_task_slots_available{",
        "temporal_worker_task_slots_used{", "temporal_workflow_completed{",
        "temporal_workflow_endtoend_latency_count{", "temporal_sticky_cache_size{",
        "temporal_workflow_task_queue_poll_succeed{", "temporal_long_request{",
        "temporal_request_latency_count{", "temporal_workflow_task_execution_latency_count{"})
    EXPECT_NE(text.find(name), std::string::npos) << name << "\n" << text;
}

}  // namespace
}  // namespace chimera::core
