// The time of a test server: TestService, and what holds time and what does not.
#include <functional>
#include <future>
#include <set>
#include <thread>

#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/testservice/v1/request_response.pb.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/proto_time.h"
#include "server/server.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

namespace test = api::testservice::v1;
namespace enums = api::enums::v1;
namespace schedules = api::schedule::v1;
using api::command::v1::Command;
using std::chrono::hours;
using Task = wf::PollWorkflowTaskQueueResponse;

constexpr hours kDay{24};

class TimeSkippingTest : public testing::Test {
 protected:
  void serve(std::optional<int> locks, const std::string& file = "") {
    transport_ = nullptr;
    server_ = nullptr;
    auto started = Server::start({.database_filename = file,
                                  .dynamic_config = {{"nexusoperation.enableStandalone", "true"}},
                                  .time_skipping_locks = locks});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    transport_ = server_->local_transport();
  }

  template <class Response, class Request>
  absl::StatusOr<Response> ask(const std::string& method, const Request& request) {
    Response response;
    absl::Status status =
        call(*transport_, "/temporal.api.testservice.v1.TestService/" + method, request, response);
    if (!status.ok()) return status;
    return response;
  }
  absl::Status lock() {
    return ask<test::LockTimeSkippingResponse>("LockTimeSkipping", test::LockTimeSkippingRequest())
        .status();
  }
  absl::Status unlock() {
    return ask<test::UnlockTimeSkippingResponse>("UnlockTimeSkipping",
                                                 test::UnlockTimeSkippingRequest())
        .status();
  }
  absl::Status sleep(const std::string& method, std::chrono::nanoseconds time) {
    test::SleepRequest request;
    base::set_duration(time, *request.mutable_duration());
    return ask<test::SleepResponse>(method, request).status();
  }
  base::WallTime time() {
    const auto reply =
        ask<test::GetCurrentTimeResponse>("GetCurrentTime", google::protobuf::Empty());
    EXPECT_TRUE(reply.ok()) << reply.status();
    return base::to_wall_time(reply->time());
  }

  void respond(const Task& task, std::vector<Command> commands) {
    wf::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(task.task_token());
    for (Command& command : commands) request.add_commands()->Swap(&command);
    wf::RespondWorkflowTaskCompletedResponse response;
    const absl::Status status =
        call(*transport_, CHIMERA_METHOD(RespondWorkflowTaskCompleted), request, response);
    ASSERT_TRUE(status.ok()) << status;
  }
  static Command timer(const std::string& id, std::chrono::nanoseconds time) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    command.mutable_start_timer_command_attributes()->set_timer_id(id);
    base::set_duration(
        time, *command.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout());
    return command;
  }
  static Command activity() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& a = *command.mutable_schedule_activity_task_command_attributes();
    a.set_activity_id("a");
    a.mutable_activity_type()->set_name("work");
    a.mutable_task_queue()->set_name("queue");
    base::set_duration(kDay, *a.mutable_start_to_close_timeout());
    base::set_duration(hours(10), *a.mutable_retry_policy()->mutable_initial_interval());
    return command;
  }
  static Command complete() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
  }
  wf::PollActivityTaskQueueResponse poll_activity() {
    wf::PollActivityTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("queue");
    wf::PollActivityTaskQueueResponse response;
    EXPECT_TRUE(call(*transport_, CHIMERA_METHOD(PollActivityTaskQueue), request, response).ok());
    return response;
  }
  void create_schedule(const std::string& id,
                       const std::function<void(schedules::Schedule&)>& change) {
    wf::CreateScheduleRequest request;
    request.set_namespace_("default");
    request.set_schedule_id(id);
    request.set_request_id(id);
    auto& start = *request.mutable_schedule()->mutable_action()->mutable_start_workflow();
    start.set_workflow_id(id);
    start.mutable_workflow_type()->set_name("Daily");
    start.mutable_task_queue()->set_name("queue");
    change(*request.mutable_schedule());
    wf::CreateScheduleResponse response;
    const absl::Status status =
        call(*transport_, CHIMERA_METHOD(CreateSchedule), request, response);
    ASSERT_TRUE(status.ok()) << status;
  }
  absl::StatusOr<wf::DescribeScheduleResponse> try_describe(const std::string& id) {
    wf::DescribeScheduleRequest request;
    request.set_namespace_("default");
    request.set_schedule_id(id);
    wf::DescribeScheduleResponse response;
    absl::Status status = call(*transport_, CHIMERA_METHOD(DescribeSchedule), request, response);
    if (!status.ok()) return status;
    return response;
  }
  wf::DescribeScheduleResponse described(const std::string& id) {
    const auto reply = try_describe(id);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : wf::DescribeScheduleResponse();
  }
  static bool has(const Task& task, enums::EventType type) {
    return std::any_of(task.history().events().begin(), task.history().events().end(),
                       [type](const auto& event) { return event.event_type() == type; });
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<base::Transport> transport_;
};

TEST_F(TimeSkippingTest, V1LockCount) {
  serve(1);
  const base::WallTime begin = time();
  EXPECT_TRUE(lock().ok());
  EXPECT_TRUE(unlock().ok());
  EXPECT_TRUE(unlock().ok());
  EXPECT_LT(time() - begin, hours(1)) << "nothing waits: there is nothing to skip to";
}

// Two wait for results at once, and each unlocks; time is locked again when both have locked.
TEST_F(TimeSkippingTest, UnlocksThatMeetAreCounted) {
  serve(1);
  ASSERT_TRUE(unlock().ok());
  ASSERT_TRUE(unlock().ok());
  ASSERT_TRUE(sleep("UnlockTimeSkippingWithSleep", kDay).ok());
  ASSERT_TRUE(lock().ok());
  ASSERT_TRUE(sleep("Sleep", kDay).ok()) << "one is still there";
  ASSERT_TRUE(lock().ok());

  const base::WallTime end = time();
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {timer("t", kDay)});
  EXPECT_LT(time() - end, hours(1));
}

TEST_F(TimeSkippingTest, TimeHasAnEnd) {
  serve(0);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sleep("Sleep", 80 * 365 * kDay).ok());

  const absl::Status refused = sleep("Sleep", 80 * 365 * kDay);

  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  ASSERT_TRUE(sleep("Sleep", kDay).ok()) << "up to there it goes on";
}

TEST_F(TimeSkippingTest, V1Sleep) {
  serve(0);
  const base::WallTime begin = time();
  ASSERT_TRUE(sleep("Sleep", 30 * kDay).ok());

  EXPECT_GE(time() - begin, 30 * kDay);
  EXPECT_LT(time() - begin, 31 * kDay);
}

TEST_F(TimeSkippingTest, V1SleepUntil) {
  serve(0);
  test::SleepUntilRequest request;
  base::set_timestamp(time() + kDay, *request.mutable_timestamp());
  ASSERT_TRUE(ask<test::SleepResponse>("SleepUntil", request).ok());
  request.mutable_timestamp()->set_seconds(1);  // Long ago: at once.
  ASSERT_TRUE(ask<test::SleepResponse>("SleepUntil", request).ok());
}

TEST_F(TimeSkippingTest, V1UnlockSleep) {
  serve(1);
  const base::WallTime begin = time();
  ASSERT_TRUE(sleep("UnlockTimeSkippingWithSleep", kDay).ok());
  const base::WallTime end = time();
  EXPECT_GE(end - begin, kDay);

  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {timer("t", kDay)});
  EXPECT_LT(time() - end, hours(1)) << "it is locked again";
}

TEST_F(TimeSkippingTest, TimersAreSkippedTo) {
  serve(0);
  const base::WallTime begin = time();
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  for (int day = 0; day < 100; ++day) respond(poll(*transport_), {timer("t", kDay)});
  const Task last = poll(*transport_);
  EXPECT_GE(base::to_wall_time(last.started_time()) - begin, 100 * kDay);
  respond(last, {complete()});

  EXPECT_GE(time() - begin, 100 * kDay);
  EXPECT_LT(time() - begin, 101 * kDay);
}

TEST_F(TimeSkippingTest, V1BlockedByActivity) {
  serve(0);
  const base::WallTime begin = time();
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {timer("t", kDay), activity()});
  const auto task = poll_activity();
  EXPECT_LT(time() - begin, hours(1)) << "the activity holds time";

  wf::RespondActivityTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  wf::RespondActivityTaskCompletedResponse response;
  ASSERT_TRUE(
      call(*transport_, CHIMERA_METHOD(RespondActivityTaskCompleted), request, response).ok());
  const Task done = poll(*transport_);
  EXPECT_FALSE(has(done, enums::EVENT_TYPE_TIMER_FIRED));
  EXPECT_LT(time() - begin, hours(1)) << "so does the workflow task";
  respond(done, {});
  EXPECT_TRUE(has(poll(*transport_), enums::EVENT_TYPE_TIMER_FIRED));
  EXPECT_GE(time() - begin, kDay);
}

TEST_F(TimeSkippingTest, V1BackoffSkips) {
  serve(0);
  const base::WallTime begin = time();
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {activity()});
  wf::RespondActivityTaskFailedRequest request;
  request.set_namespace_("default");
  request.set_task_token(poll_activity().task_token());
  request.mutable_failure()->set_message("once");
  request.mutable_failure()->mutable_application_failure_info()->set_type("Once");
  wf::RespondActivityTaskFailedResponse response;
  const absl::Status failed =
      call(*transport_, CHIMERA_METHOD(RespondActivityTaskFailed), request, response);
  ASSERT_TRUE(failed.ok()) << failed;

  EXPECT_EQ(poll_activity().attempt(), 2);
  EXPECT_GE(time() - begin, hours(10));
}

TEST_F(TimeSkippingTest, AnActivityThatStandsAloneHoldsTimeWhileItRuns) {
  serve(0);
  wf::StartActivityExecutionRequest request;
  request.set_namespace_("default");
  request.set_activity_id("a");
  request.mutable_activity_type()->set_name("work");
  request.mutable_task_queue()->set_name("queue");
  base::set_duration(3 * kDay, *request.mutable_schedule_to_close_timeout());
  base::set_duration(kDay, *request.mutable_start_delay());
  base::set_duration(hours(10), *request.mutable_retry_policy()->mutable_initial_interval());
  wf::StartActivityExecutionResponse started;
  const base::WallTime begin = time();
  absl::Status status = call(*transport_, CHIMERA_METHOD(StartActivityExecution), request, started);
  ASSERT_TRUE(status.ok()) << status;

  wf::PollActivityTaskQueueResponse task = poll_activity();
  const base::WallTime first = time();
  EXPECT_GE(first - begin, kDay) << "to the end of its delay";
  EXPECT_LT(first - begin, kDay + hours(1)) << "it runs";
  wf::RespondActivityTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(task.task_token());
  failed.mutable_failure()->mutable_application_failure_info();
  wf::RespondActivityTaskFailedResponse noted;
  status = call(*transport_, CHIMERA_METHOD(RespondActivityTaskFailed), failed, noted);
  ASSERT_TRUE(status.ok()) << status;

  task = poll_activity();
  EXPECT_EQ(task.attempt(), 2);
  const base::WallTime second = time();
  EXPECT_GE(second - first, hours(10)) << "while it backed off, time went on";

  std::promise<void> rested;
  server_->rest_activity(task.task_token(), hours(5), [&rested] { rested.set_value(); });
  rested.get_future().wait();
  EXPECT_GE(time() - second, hours(5)) << "and while it rests";
  EXPECT_LT(time() - second, hours(6));
}

TEST_F(TimeSkippingTest, AnOperationThatStandsAloneHoldsTimeWhileItsHandlerIsAsked) {
  serve(0);
  api::operatorservice::v1::CreateNexusEndpointRequest make;
  make.mutable_spec()->set_name("endpoint");
  auto& target = *make.mutable_spec()->mutable_target()->mutable_worker();
  target.set_namespace_("default");
  target.set_task_queue("handlers");
  api::operatorservice::v1::CreateNexusEndpointResponse made;
  absl::Status status =
      call(*transport_, "/temporal.api.operatorservice.v1.OperatorService/CreateNexusEndpoint",
           make, made);
  ASSERT_TRUE(status.ok()) << status;
  wf::StartNexusOperationExecutionRequest request;
  request.set_namespace_("default");
  request.set_operation_id("a");
  request.set_endpoint("endpoint");
  request.set_service("service");
  request.set_operation("operation");
  base::set_duration(3 * kDay, *request.mutable_schedule_to_close_timeout());
  wf::StartNexusOperationExecutionResponse started;
  const base::WallTime begin = time();
  status = call(*transport_, CHIMERA_METHOD(StartNexusOperationExecution), request, started);
  ASSERT_TRUE(status.ok()) << status;

  wf::PollNexusTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("handlers");
  wf::PollNexusTaskQueueResponse task;
  ASSERT_TRUE(call(*transport_, CHIMERA_METHOD(PollNexusTaskQueue), poll, task).ok());
  EXPECT_LT(time() - begin, hours(1)) << "it is asked";
  wf::RespondNexusTaskCompletedRequest answer;
  answer.set_namespace_("default");
  answer.set_task_token(task.task_token());
  answer.mutable_response()
      ->mutable_start_operation()
      ->mutable_async_success()
      ->set_operation_token("token");
  wf::RespondNexusTaskCompletedResponse taken;
  ASSERT_TRUE(call(*transport_, CHIMERA_METHOD(RespondNexusTaskCompleted), answer, taken).ok());

  wf::PollNexusOperationExecutionRequest wait;
  wait.set_namespace_("default");
  wait.set_operation_id("a");
  wf::PollNexusOperationExecutionResponse ended;
  ASSERT_TRUE(call(*transport_, CHIMERA_METHOD(PollNexusOperationExecution), wait, ended).ok());
  EXPECT_EQ(ended.failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  EXPECT_GE(time() - begin, 3 * kDay) << "while it was worked at, time went on";
}

TEST_F(TimeSkippingTest, ATaskWithoutAWorkerHoldsTime) {
  serve(1);  // Else the day may pass before there is such a task.
  ASSERT_TRUE(start_workflow(*transport_, "waits").ok());
  respond(poll(*transport_), {timer("t", kDay)});
  ASSERT_TRUE(start_workflow(*transport_, "nobody").ok());
  const base::WallTime begin = time();
  ASSERT_TRUE(unlock().ok());

  EXPECT_LT(time() - begin, hours(1));
}

// Deleting what has closed is no reason to skip; but it is done when its time has come.
TEST_F(TimeSkippingTest, RetentionIsNoReasonButTakesPart) {
  serve(0);
  const base::WallTime begin = time();
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {complete()});
  EXPECT_LT(time() - begin, hours(1));
  ASSERT_TRUE(sleep("Sleep", 300 * kDay).ok());
  EXPECT_TRUE(describe(*transport_, "w").ok()) << "tests look at what happened long ago";
  wf::UpdateNamespaceRequest shorter;
  shorter.set_namespace_("default");
  base::set_duration(301 * kDay,
                     *shorter.mutable_config()->mutable_workflow_execution_retention_ttl());
  wf::UpdateNamespaceResponse updated;
  ASSERT_TRUE(call(*transport_, CHIMERA_METHOD(UpdateNamespace), shorter, updated).ok());
  EXPECT_TRUE(describe(*transport_, "w").ok());

  ASSERT_TRUE(sleep("Sleep", 2 * kDay).ok());

  EXPECT_EQ(describe(*transport_, "w").code(), absl::StatusCode::kNotFound);
}

// Polls and other waits of callers go by their clocks.
TEST_F(TimeSkippingTest, APollOutlastsASkip) {
  serve(1);
  std::future<Task> polled = std::async(std::launch::async, [this] { return poll(*transport_); });
  ASSERT_TRUE(sleep("UnlockTimeSkippingWithSleep", kDay).ok());
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());

  EXPECT_EQ(polled.get().workflow_execution().workflow_id(), "w");
}

// Neither has a worker gone away because time was skipped: a query waits for its next poll.
TEST_F(TimeSkippingTest, APollThatWasJustHereIsRemembered) {
  serve(0);
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {complete()});
  ASSERT_TRUE(sleep("Sleep", kDay).ok());
  wf::QueryWorkflowRequest query;
  query.set_namespace_("default");
  query.mutable_execution()->set_workflow_id("w");
  query.mutable_query()->set_query_type("q");
  wf::QueryWorkflowResponse answer;

  const absl::Status status = call(*transport_, CHIMERA_METHOD(QueryWorkflow), query, answer,
                                   std::chrono::milliseconds{100});
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(TimeSkippingTest, AYearOfADailyScheduleIsASecond) {
  serve(1);
  create_schedule("daily", [](schedules::Schedule& schedule) {
    base::set_duration(kDay, *schedule.mutable_spec()->add_interval()->mutable_interval());
  });
  std::set<base::WallTime> days;
  std::thread worker([&] {
    for (Task task = poll(*transport_); task.workflow_type().name() == "Daily";
         task = poll(*transport_)) {
      days.insert(base::to_wall_time(task.started_time()));
      respond(task, {complete()});
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(sleep("UnlockTimeSkippingWithSleep", 365 * kDay).ok());

  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(described("daily").info().action_count(), 365);
  EXPECT_EQ(described("daily").info().overlap_skipped(), 0);
  EXPECT_TRUE(start_workflow(*transport_, "the last one").ok());
  worker.join();
  EXPECT_EQ(days.size(), 365u);
  EXPECT_GE(*days.rbegin() - *days.begin(), 364 * kDay - std::chrono::seconds(1));
}

// One that is idle goes after a week; that is no reason to skip.
TEST_F(TimeSkippingTest, TheEndOfAScheduleIsNoReasonButTakesPart) {
  serve(0);
  create_schedule("idle", [](schedules::Schedule&) {});
  const base::WallTime begin = time();
  EXPECT_EQ(described("idle").info().action_count(), 0);
  EXPECT_LT(time() - begin, hours(1));
  ASSERT_TRUE(sleep("Sleep", 6 * kDay).ok());
  EXPECT_TRUE(described("idle").info().has_create_time());

  ASSERT_TRUE(sleep("Sleep", 2 * kDay).ok());

  EXPECT_EQ(try_describe("idle").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TimeSkippingTest, WhatWasSkippedIsKeptOverARestart) {
  const std::string file = temporary_file("chimera_skipped.db");
  serve(0, file);
  ASSERT_TRUE(start_workflow(*transport_, "w").ok());
  respond(poll(*transport_), {timer("t", 30 * kDay)});
  respond(poll(*transport_), {timer("t2", 30 * kDay)});
  const base::WallTime before = time();
  serve(1, file);

  EXPECT_GE(time(), before);
}

TEST_F(TimeSkippingTest, IsRefusedWhereTimeIsTheClocks) {
  serve(std::nullopt);

  const absl::Status refused = unlock();

  EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented) << refused;
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("--enable-time-skipping"));
}

}  // namespace
}  // namespace chimera::server
