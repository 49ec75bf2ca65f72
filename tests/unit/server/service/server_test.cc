// The server through its local transport, with raw requests: what no other suite reaches (files,
// stops).
#include "server/server.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>

#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/base/executor.h"
#include "core/base/server_gone.h"
#include "core/base/timers.h"
#include "server/base/tokens.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using testing::HasSubstr;

TEST(ServerTest, AFileKeepsRunsAndTheirTasksOverARestart) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_restart.db");
  std::string run_id;
  {
    auto first = Server::start(options);
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_TRUE(start_workflow(*(*first)->local_transport(), "kept", &run_id).ok());
  }

  auto second = Server::start(options);

  ASSERT_TRUE(second.ok()) << second.status();
  const auto task = poll(*(*second)->local_transport());
  EXPECT_EQ(task.workflow_execution().run_id(), run_id);
  EXPECT_EQ(task.history().events_size(), 3);
}

// Takes the workflow's task and schedules activity "1" of a queue that nobody polls.
absl::Status schedule_activity(base::Transport& transport) {
  wf::RespondWorkflowTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(poll(transport).task_token());
  auto& command = *request.add_commands();
  command.set_command_type(api::enums::v1::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& activity = *command.mutable_schedule_activity_task_command_attributes();
  activity.set_activity_id("1");
  activity.mutable_activity_type()->set_name("act");
  activity.mutable_task_queue()->set_name("nobody");
  activity.mutable_start_to_close_timeout()->set_seconds(30);
  wf::RespondWorkflowTaskCompletedResponse response;
  return call(transport, CHIMERA_METHOD(RespondWorkflowTaskCompleted), request, response);
}

TEST(ServerTest, AFileKeepsThePauseAndTheOptionsOfAnActivityOverARestart) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_pause.db");
  {
    auto first = Server::start(options);
    ASSERT_TRUE(first.ok()) << first.status();
    auto transport = (*first)->local_transport();
    ASSERT_TRUE(start_workflow(*transport, "paused").ok());
    ASSERT_TRUE(schedule_activity(*transport).ok());
    wf::UpdateActivityOptionsRequest update;
    update.set_namespace_("default");
    update.mutable_execution()->set_workflow_id("paused");
    update.set_id("1");
    update.mutable_activity_options()->mutable_start_to_close_timeout()->set_seconds(7);
    update.mutable_update_mask()->add_paths("start_to_close_timeout");
    wf::UpdateActivityOptionsResponse updated;
    ASSERT_TRUE(call(*transport, CHIMERA_METHOD(UpdateActivityOptions), update, updated).ok());
    wf::PauseActivityRequest pause;
    pause.set_namespace_("default");
    *pause.mutable_execution() = update.execution();
    pause.set_id("1");
    pause.set_reason("to look");
    wf::PauseActivityResponse paused;
    ASSERT_TRUE(call(*transport, CHIMERA_METHOD(PauseActivity), pause, paused).ok());
  }

  auto second = Server::start(options);

  ASSERT_TRUE(second.ok()) << second.status();
  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("paused");
  wf::DescribeWorkflowExecutionResponse response;
  ASSERT_TRUE(call(*(*second)->local_transport(), CHIMERA_METHOD(DescribeWorkflowExecution),
                   request, response)
                  .ok());
  ASSERT_EQ(response.pending_activities_size(), 1);
  const auto& activity = response.pending_activities(0);
  EXPECT_EQ(activity.state(), api::enums::v1::PENDING_ACTIVITY_STATE_PAUSED);
  EXPECT_EQ(activity.pause_info().manual().reason(), "to look");
  EXPECT_EQ(activity.activity_options().start_to_close_timeout().seconds(), 7);
}

TEST(ServerTest, AnExecutorAndAPortExcludeEachOther) {
  ServerOptions options;
  options.executor = &base::thread_executor();
  options.timers = &base::system_timers();
  options.port = 0;

  auto server = Server::start(options);

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("use local_transport()"));
}

TEST(ServerTest, AFileThatIsNoDatabaseIsRefusedWithAdvice) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_not_a_database");
  std::ofstream(options.database_filename) << std::string(4096, 'x');

  auto server = Server::start(options);

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr(options.database_filename));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("Choose another file"));
}

TEST(ServerTest, AFileInAFolderThatIsNotThereIsRefusedWithAdvice) {
  ServerOptions options;
  options.database_filename = testing::TempDir() + "no_such_folder/server.db";

  auto server = Server::start(options);

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr(options.database_filename));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("is not there. Create it"));
}

TEST(ServerTest, AFolderInPlaceOfAFileIsRefusedWithAdvice) {
  ServerOptions options;
  options.database_filename = testing::TempDir();

  auto server = Server::start(options);

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("is a folder"));
}

// No file of this process may grow while it lives.
class FullDisk {
 public:
  FullDisk() {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(ServerTest, AFullDiskIsToldToCallersAndTheServerGoesOnWhenThereIsRoom) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_full_disk.db");
  auto server = Server::start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  ASSERT_TRUE(start_workflow(*transport, "before").ok());
  absl::Status first, second;
  {
    const FullDisk full;
    first = start_workflow(*transport, "first");
    second = describe(*transport, "before");
  }
  while (absl::IsUnavailable(start_workflow(*transport, "after"))) {
  }
  const absl::Status seen = describe(*transport, "first");
  transport.reset();
  server->reset();
  auto again = Server::start(options);

  EXPECT_EQ(first.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(first.message()), HasSubstr(options.database_filename));
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(again.ok()) << again.status();
  transport = (*again)->local_transport();
  EXPECT_TRUE(describe(*transport, "before").ok());
  EXPECT_TRUE(describe(*transport, "after").ok());
  EXPECT_EQ(describe(*transport, "first").code(), seen.code());
}

// Completes the task with `count` markers of `size` bytes and asks for the next one.
absl::Status record_markers(base::Transport& transport, int count, std::size_t size) {
  wf::RespondWorkflowTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(poll(transport).task_token());
  request.set_force_create_new_workflow_task(true);
  for (int i = 0; i < count; ++i) {
    auto& command = *request.add_commands();
    command.set_command_type(api::enums::v1::COMMAND_TYPE_RECORD_MARKER);
    auto& marker = *command.mutable_record_marker_command_attributes();
    marker.set_marker_name("m");
    (*marker.mutable_details())["text"].add_payloads()->set_data(std::string(size, 'x'));
  }
  wf::RespondWorkflowTaskCompletedResponse response;
  return call(transport, CHIMERA_METHOD(RespondWorkflowTaskCompleted), request, response);
}

api::history::v1::HistoryEvent last_event(base::Transport& transport, const std::string& id) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  wf::GetWorkflowExecutionHistoryResponse response;
  EXPECT_TRUE(call(transport, CHIMERA_METHOD(GetWorkflowExecutionHistory), request, response).ok());
  return *response.history().events().rbegin();
}

TEST(ServerTest, AHistoryThatGrowsTooLargeIsWarnedOfSuggestsToContinueAndEndsTheRun) {
  ServerOptions options;
  options.dynamic_config = {{"limit.historySize.suggestContinueAsNew", "3000"},
                            {"limit.historySize.warn", "4000"},
                            {"limit.historySize.error", "20000"}};
  auto server = Server::start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  ASSERT_TRUE(start_workflow(*transport, "large").ok());
  testing::internal::CaptureStderr();

  ASSERT_TRUE(record_markers(*transport, 5, 1000).ok());
  const auto task = poll(*transport);
  wf::RespondWorkflowTaskFailedRequest fail;
  fail.set_task_token(task.task_token());
  wf::RespondWorkflowTaskFailedResponse failed;
  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(RespondWorkflowTaskFailed), fail, failed).ok());
  ASSERT_TRUE(record_markers(*transport, 20, 1000).ok());

  const auto started = task.history().events().rbegin()->workflow_task_started_event_attributes();
  EXPECT_TRUE(started.suggest_continue_as_new());
  EXPECT_THAT(
      started.suggest_continue_as_new_reasons(),
      testing::ElementsAre(api::enums::v1::SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE));
  const auto terminated = last_event(*transport, "large");
  EXPECT_EQ(terminated.workflow_execution_terminated_event_attributes().reason(),
            "Workflow history size exceeds limit.");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr(" WARN server: "), HasSubstr("Continue as new before."),
                             HasSubstr("workflow_id=large")));
}

TEST(ServerTest, ManyUpdatesSuggestToContinue) {
  ServerOptions options;
  options.dynamic_config = {{"history.maxTotalUpdates", "1"}};
  auto server = Server::start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  ASSERT_TRUE(start_workflow(*transport, "updated").ok());
  ASSERT_TRUE(schedule_activity(*transport).ok());
  wf::UpdateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("updated");
  request.mutable_request()->mutable_meta()->set_update_id("first");
  request.mutable_request()->mutable_input()->set_name("u");
  auto updated = std::async(std::launch::async, [&] {
    wf::UpdateWorkflowExecutionResponse response;
    return call(*transport, CHIMERA_METHOD(UpdateWorkflowExecution), request, response);
  });
  const auto task = poll(*transport);
  EXPECT_FALSE(
      task.history().events(2).workflow_task_started_event_attributes().suggest_continue_as_new());
  const auto& started = task.history().events().rbegin()->workflow_task_started_event_attributes();
  EXPECT_TRUE(started.suggest_continue_as_new());
  EXPECT_THAT(
      started.suggest_continue_as_new_reasons(),
      testing::ElementsAre(api::enums::v1::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES));
  EXPECT_TRUE(terminate(*transport, "updated").ok());
  EXPECT_FALSE(updated.get().ok());
}

TEST(ServerTest, ABadDynamicConfigIsRefusedAndAnUnknownOneTold) {
  ServerOptions options;
  options.dynamic_config = {{"limit.historyCount.error", "many"}};
  const absl::Status bad = Server::start(options).status();
  options.dynamic_config = {{"frontend.noSuchThing", "true"}};
  testing::internal::CaptureStderr();

  auto server = Server::start(options);

  EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(server.ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr(" WARN server: dynamic config frontend.noSuchThing is unknown here"));
}

class MovedClock : public base::Clock {
 public:
  base::WallTime now() const override { return base::system_clock().now() + moved_.load(); }
  base::SteadyTime steady() const override { return base::system_clock().steady(); }
  void move(std::chrono::nanoseconds by) { moved_ = moved_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> moved_{};
};

TEST(ServerTest, AClosedRunGoesAfterTheRetention) {
  MovedClock clock;
  ServerOptions options;
  options.database_filename = temporary_file("chimera_retention.db");
  options.clock = &clock;
  auto server = Server::start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE(start_workflow(*(*server)->local_transport(), "closed").ok());
  ASSERT_TRUE(start_workflow(*(*server)->local_transport(), "open").ok());
  ASSERT_TRUE(terminate(*(*server)->local_transport(), "closed").ok());

  clock.move(std::chrono::hours(23));
  const absl::Status before = describe(*(*server)->local_transport(), "closed");
  server->reset();
  server = Server::start(options);  // The time is kept over a restart.
  ASSERT_TRUE(server.ok()) << server.status();
  clock.move(std::chrono::hours(2));
  while (describe(*(*server)->local_transport(), "closed").ok()) {
  }

  EXPECT_TRUE(before.ok()) << before;
  EXPECT_EQ(describe(*(*server)->local_transport(), "closed").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(describe(*(*server)->local_transport(), "open").ok());
}

TEST(ServerTest, APortInUseIsRefusedWithAdvice) {
  ServerOptions options;
  options.port = 0;
  auto first = Server::start(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.port = (*first)->port();

  auto second = Server::start(options);

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("in use"));
}

TEST(ServerTest, ATransportThatOutlivesItsServerAnswersUnavailable) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  server->reset();

  const absl::Status refused = start_workflow(*transport, "late");
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(refused.message(), "the server has ended");
  EXPECT_TRUE(base::is_server_gone(refused)) << "it is tried again";
}

TEST(ServerTest, ASearchAttributeIsNotAddedWithAnotherType) {
  namespace op = api::operatorservice::v1;
  constexpr char kAdd[] = "/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes";
  auto server = Server::start({.search_attributes = {{"Color", "Keyword"}}});
  ASSERT_TRUE(server.ok()) << server.status();
  op::AddSearchAttributesRequest request;
  op::AddSearchAttributesResponse response;
  request.set_namespace_("default");
  (*request.mutable_search_attributes())["Color"] = api::enums::v1::INDEXED_VALUE_TYPE_INT;

  const absl::Status refused = call(*(*server)->local_transport(), kAdd, request, response);

  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(refused.message(),
            "Search attribute Color already exists with another type. Remove it first, or choose "
            "another name.");
}

TEST(ServerTest, ASearchAttributeOfAnotherTypeThanItsValuesFindsNothing) {
  namespace op = api::operatorservice::v1;
  constexpr char kAdd[] = "/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes";
  constexpr char kRemove[] =
      "/temporal.api.operatorservice.v1.OperatorService/RemoveSearchAttributes";
  auto server = Server::start({.search_attributes = {{"Size", "Int"}}});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  wf::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("sized");
  start.mutable_workflow_type()->set_name("Echo");
  start.mutable_task_queue()->set_name("queue");
  (*start.mutable_search_attributes()->mutable_indexed_fields())["Size"].set_data("5");
  wf::StartWorkflowExecutionResponse started;
  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(StartWorkflowExecution), start, started).ok());
  op::RemoveSearchAttributesRequest remove;
  remove.set_namespace_("default");
  remove.add_search_attributes("Size");
  op::RemoveSearchAttributesResponse removed;
  ASSERT_TRUE(call(*transport, kRemove, remove, removed).ok());
  op::AddSearchAttributesRequest add;
  add.set_namespace_("default");
  (*add.mutable_search_attributes())["Size"] = api::enums::v1::INDEXED_VALUE_TYPE_TEXT;
  op::AddSearchAttributesResponse added;
  ASSERT_TRUE(call(*transport, kAdd, add, added).ok());

  wf::CountWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  for (const auto& [query, count] : {std::pair{"Size = 'five'", 0}, std::pair{"Size IS NULL", 1}}) {
    request.set_query(query);
    wf::CountWorkflowExecutionsResponse counted;
    ASSERT_TRUE(call(*transport, CHIMERA_METHOD(CountWorkflowExecutions), request, counted).ok());
    EXPECT_EQ(counted.count(), count) << query;
  }
}

TEST(ServerTest, APageTokenOfWhatIsNotThereIsRefused) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  std::string run_id;
  ASSERT_TRUE(start_workflow(*transport, "short", &run_id).ok());
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("short");
  wf::GetWorkflowExecutionHistoryReverseRequest reverse;
  reverse.set_namespace_("default");
  *reverse.mutable_execution() = request.execution();
  for (const PageToken& token : {PageToken{run_id, 1, 1'000'000}, PageToken{run_id, 1'000'000},
                                 PageToken{run_id, 4, 1'000'000}}) {
    request.set_next_page_token(token.encode());
    reverse.set_next_page_token(token.encode());
    wf::GetWorkflowExecutionHistoryResponse page;
    wf::GetWorkflowExecutionHistoryReverseResponse reverse_page;

    const absl::Status refused =
        call(*transport, CHIMERA_METHOD(GetWorkflowExecutionHistory), request, page);
    const absl::Status reverse_refused =
        call(*transport, CHIMERA_METHOD(GetWorkflowExecutionHistoryReverse), reverse, reverse_page);

    EXPECT_EQ(refused, absl::InvalidArgumentError("Invalid NextPageToken."));
    EXPECT_EQ(reverse_refused, absl::InvalidArgumentError("Invalid NextPageToken."));
  }
}

// The genuine server answers UNKNOWN, which tells a client to retry.
TEST(ServerTest, AListTokenThatIsNoneIsRefused) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_("default");
  request.set_next_page_token("no token");
  wf::ListWorkflowExecutionsResponse response;

  EXPECT_EQ(call(*(*server)->local_transport(), CHIMERA_METHOD(ListWorkflowExecutions), request,
                 response),
            absl::InvalidArgumentError("Invalid NextPageToken."));
}

TEST(ServerTest, AStartThatSkipsTimeIsRefusedUnlessItIsSwitchedOnAndOneBySignalToo) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  wf::SignalWithStartWorkflowExecutionRequest signal;
  signal.set_namespace_("default");
  signal.set_workflow_id("skips");
  signal.mutable_workflow_type()->set_name("Echo");
  signal.mutable_task_queue()->set_name("queue");
  signal.set_signal_name("go");
  signal.mutable_time_skipping_config()->set_enabled(true);
  wf::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id("skips");
  start.mutable_workflow_type()->set_name("Echo");
  start.mutable_task_queue()->set_name("queue");
  start.mutable_time_skipping_config()->set_enabled(true);
  wf::StartWorkflowExecutionResponse started;
  wf::SignalWithStartWorkflowExecutionResponse signalled;

  const absl::Status by_start =
      call(*transport, CHIMERA_METHOD(StartWorkflowExecution), start, started);
  const absl::Status by_signal =
      call(*transport, CHIMERA_METHOD(SignalWithStartWorkflowExecution), signal, signalled);

  EXPECT_EQ(by_start.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(by_start.message(), "The Time-Skipping feature is not enabled for namespace.");
  EXPECT_EQ(by_signal.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(by_signal.message(), "The Time-Skipping feature is not enabled for namespace.");
}

TEST(ServerTest, WithoutDeploymentsTheirListIsEmpty) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  wf::ListWorkerDeploymentsRequest deployments;
  deployments.set_namespace_("default");
  wf::ListWorkerDeploymentsResponse none;
  wf::DescribeWorkerDeploymentRequest one;
  one.set_namespace_("default");
  one.set_deployment_name("d");
  wf::DescribeWorkerDeploymentResponse described;

  EXPECT_TRUE(call(*transport, CHIMERA_METHOD(ListWorkerDeployments), deployments, none).ok());
  EXPECT_EQ(none.worker_deployments_size(), 0);
  deployments.set_namespace_("nowhere");
  EXPECT_EQ(call(*transport, CHIMERA_METHOD(ListWorkerDeployments), deployments, none).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(call(*transport, CHIMERA_METHOD(DescribeWorkerDeployment), one, described).code(),
            absl::StatusCode::kNotFound);
}

TEST(ServerTest, NexusIsPromised) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  wf::GetSystemInfoResponse info;

  ASSERT_TRUE(
      call(*transport, CHIMERA_METHOD(GetSystemInfo), wf::GetSystemInfoRequest(), info).ok());

  EXPECT_TRUE(info.capabilities().nexus());
  EXPECT_TRUE(info.capabilities().supports_schedules());
  EXPECT_TRUE(info.capabilities().eager_workflow_start());
}

TEST(ServerTest, AMethodThatIsNotThereIsNamed) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  namespace op = api::operatorservice::v1;
  op::AddOrUpdateRemoteClusterRequest request;
  op::AddOrUpdateRemoteClusterResponse response;

  const absl::Status status =
      call(*(*server)->local_transport(),
           "/temporal.api.operatorservice.v1.OperatorService/AddOrUpdateRemoteCluster", request,
           response);

  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "The method temporal.api.operatorservice.v1.OperatorService/AddOrUpdateRemoteCluster "
            "is not available in this embedded server. Use a genuine Temporal server for it.");
}

}  // namespace
}  // namespace chimera::server
