// What a database file must give back, whatever was written into it.
#include <fstream>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "server/server.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

namespace enums = api::enums::v1;
using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    options.database_filename = temporary_file(absl::StrCat("chimera_", info->name(), ".db"));
    start();
  }

  void start() {
    auto started = Server::start(options);
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    transport = server->local_transport();
  }
  void stop() {
    transport.reset();
    server.reset();
  }

  // Answers the workflow's task with the command.
  absl::Status respond(const api::command::v1::Command& command) {
    wf::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(poll(*transport).task_token());
    *request.add_commands() = command;
    wf::RespondWorkflowTaskCompletedResponse response;
    return call(*transport, CHIMERA_METHOD(RespondWorkflowTaskCompleted), request, response);
  }

  std::vector<api::history::v1::HistoryEvent> history(const std::string& id) {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    wf::GetWorkflowExecutionHistoryResponse response;
    EXPECT_TRUE(
        call(*transport, CHIMERA_METHOD(GetWorkflowExecutionHistory), request, response).ok());
    return {response.history().events().begin(), response.history().events().end()};
  }

  absl::Status signal(const std::string& id, const std::string& request_id) {
    wf::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("go");
    request.set_request_id(request_id);
    wf::SignalWorkflowExecutionResponse response;
    return call(*transport, CHIMERA_METHOD(SignalWorkflowExecution), request, response);
  }

  ServerOptions options;
  std::unique_ptr<Server> server;
  std::shared_ptr<base::Transport> transport;
};

// Back to what a file was when events and rows went by run ids, and lists had no index.
constexpr char kAsItWas[] = R"(
ALTER TABLE run RENAME TO new_run;
ALTER TABLE event RENAME TO new_event;
CREATE TABLE run(pk INTEGER PRIMARY KEY, run_id TEXT UNIQUE, namespace_id TEXT,
                 workflow_id TEXT, open INTEGER, side BLOB);
INSERT INTO run SELECT number, run_id, namespace_id, workflow_id, closed = 0, side FROM new_run;
CREATE TABLE event(run_id TEXT, first_id INTEGER, data BLOB, PRIMARY KEY(run_id, first_id))
  WITHOUT ROWID;
INSERT INTO event SELECT run_id, first_id, data FROM new_event JOIN new_run ON run = number;
INSERT INTO value SELECT tab, run_id || key, data FROM run_row JOIN new_run ON run = number;
DROP TABLE run_row;
DROP TABLE new_event;
DROP TABLE new_run;
DROP TABLE visible;
DROP TABLE visible_info;
DROP TABLE visible_value;
DROP TABLE visible_namespace;
PRAGMA user_version = 0;
)";

TEST_F(FilesTest, AFileOfTheFirstLayoutIsTakenOver) {
  constexpr int kClosed = 600;  // More than are read at once, and than memory keeps.
  for (int i = 0; i < kClosed; ++i) {
    ASSERT_TRUE(start_workflow(*transport, absl::StrCat("closed-", i)).ok());
    ASSERT_TRUE(terminate(*transport, absl::StrCat("closed-", i)).ok());
  }
  ASSERT_TRUE(start_workflow(*transport, "open").ok());
  ASSERT_TRUE(signal("open", "one").ok());
  const auto before = history("closed-0");
  stop();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(options.database_filename.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, kAsItWas, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(raw);
  sqlite3_close(raw);

  for (int times = 0; times < 2; ++times) {
    ASSERT_NO_FATAL_FAILURE(start());
    wf::CountWorkflowExecutionsRequest count;
    count.set_namespace_("default");
    wf::CountWorkflowExecutionsResponse counted;
    ASSERT_TRUE(call(*transport, CHIMERA_METHOD(CountWorkflowExecutions), count, counted).ok());
    EXPECT_EQ(counted.count(), kClosed + 1);
    count.set_query("ExecutionStatus = 'Running'");
    ASSERT_TRUE(call(*transport, CHIMERA_METHOD(CountWorkflowExecutions), count, counted).ok());
    EXPECT_EQ(counted.count(), 1);
    EXPECT_EQ(history("closed-0").size(), before.size());
    ASSERT_TRUE(signal("open", "one").ok());
    EXPECT_EQ(history("open").size(), 3u) << "the request is known";
    stop();
  }
  ASSERT_NO_FATAL_FAILURE(start());
}

TEST_F(FilesTest, AValueThatIsNoTextIsQuotedAsText) {
  ASSERT_TRUE(start_workflow(*transport, "bytes").ok());
  api::command::v1::Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& fields = *upsert.mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields();
  fields["TemporalSchedulePaused"].set_data("\xFF\xFE" + std::string(97, 'x') + "\xE2\x82\xAC");

  ASSERT_FALSE(respond(upsert).ok());

  stop();
  ASSERT_NO_FATAL_FAILURE(start());
  const auto events = history("bytes");
  ASSERT_GE(events.size(), 4u);
  EXPECT_THAT(events[3].workflow_task_failed_event_attributes().failure().message(),
              HasSubstr("invalid value for search attribute TemporalSchedulePaused"));
}

TEST_F(FilesTest, ATextThatIsNotUtf8IsRefusedByName) {
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("K\xF6ln");
  request.mutable_workflow_type()->set_name("Echo");
  request.mutable_task_queue()->set_name("queue");
  wf::StartWorkflowExecutionRequest key = request;
  key.set_workflow_id("memo");
  (*key.mutable_memo()->mutable_fields())["K\xF6ln"].set_data("\xF6");
  wf::StartWorkflowExecutionRequest bytes = request;
  bytes.set_workflow_id("K\xC3\xB6ln");
  bytes.mutable_input()->add_payloads()->set_data("\xF6");
  wf::StartWorkflowExecutionResponse response;
  const auto start = [&](const auto& one) {
    return call(*transport, CHIMERA_METHOD(StartWorkflowExecution), one, response);
  };

  EXPECT_EQ(start(request).message(),
            "the text of workflow_id in the request of "
            "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution is not UTF-8");
  EXPECT_THAT(std::string(start(key).message()), HasSubstr("memo.fields.key"));
  EXPECT_TRUE(start(bytes).ok());
}

TEST_F(FilesTest, AFailureThatIsCutIsCutBetweenCharacters) {
  ASSERT_TRUE(start_workflow(*transport, "large").ok());
  wf::RespondWorkflowTaskFailedRequest fail;
  fail.set_namespace_("default");
  fail.set_task_token(poll(*transport).task_token());
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "\xE2\x82\xAC";
  fail.mutable_failure()->set_message(text);
  wf::RespondWorkflowTaskFailedResponse failed;
  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(RespondWorkflowTaskFailed), fail, failed).ok());

  stop();

  ASSERT_NO_FATAL_FAILURE(start());
  const auto events = history("large");
  ASSERT_GE(events.size(), 4u);
  const auto& failure = events[3].workflow_task_failed_event_attributes().failure();
  EXPECT_EQ(failure.message(), "Failure exceeds size limit.");
  const std::string& kept = failure.cause().message();
  EXPECT_GT(kept.size(), std::size_t{500} << 10);
  EXPECT_EQ(kept.size() % 3, 0u);
  EXPECT_TRUE(kept == text.substr(0, kept.size()));
}

TEST_F(FilesTest, ASignalsRequestIdIsKnownAfterARestart) {
  ASSERT_TRUE(start_workflow(*transport, "signalled").ok());
  ASSERT_TRUE(signal("signalled", "one").ok());
  ASSERT_TRUE(signal("signalled", "two").ok());
  stop();
  ASSERT_NO_FATAL_FAILURE(start());

  ASSERT_TRUE(signal("signalled", "one").ok());
  ASSERT_TRUE(signal("signalled", "two").ok());
  ASSERT_TRUE(signal("signalled", "three").ok());

  EXPECT_EQ(history("signalled").size(), 5u);
}

TEST_F(FilesTest, AScheduleThatHasEndedIsKnownAfterARestart) {
  wf::CreateScheduleRequest create;
  create.set_namespace_("default");
  create.set_schedule_id("ended");
  create.set_request_id("request");
  create.mutable_schedule()->mutable_spec()->add_interval()->mutable_interval()->set_seconds(60);
  auto& action = *create.mutable_schedule()->mutable_action()->mutable_start_workflow();
  action.set_workflow_id("scheduled");
  action.mutable_workflow_type()->set_name("Echo");
  action.mutable_task_queue()->set_name("queue");
  wf::CreateScheduleResponse created;
  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(CreateSchedule), create, created).ok());
  wf::DeleteScheduleRequest remove;
  remove.set_namespace_("default");
  remove.set_schedule_id("ended");
  wf::DeleteScheduleResponse removed;
  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(DeleteSchedule), remove, removed).ok());

  stop();
  ASSERT_NO_FATAL_FAILURE(start());

  EXPECT_EQ(call(*transport, CHIMERA_METHOD(DeleteSchedule), remove, removed).message(),
            "workflow execution already completed");
  wf::DescribeScheduleRequest describe;
  describe.set_namespace_("default");
  describe.set_schedule_id("ended");
  wf::DescribeScheduleResponse described;
  EXPECT_EQ(call(*transport, CHIMERA_METHOD(DescribeSchedule), describe, described).message(),
            "schedule not found");
  create.set_request_id("again");
  EXPECT_TRUE(call(*transport, CHIMERA_METHOD(CreateSchedule), create, created).ok());
}

TEST_F(FilesTest, ADamagedFileIsRefusedAndNotReadInPart) {
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(start_workflow(*transport, absl::StrCat("workflow-", i)).ok());
  stop();
  {
    // The pages behind the schema's.
    std::fstream file(options.database_filename, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8 * 4096);
    file << std::string(std::filesystem::file_size(options.database_filename) - 8 * 4096, '\xAA');
  }

  const auto refused = Server::start(options);

  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("cannot be read"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Restore a copy of it."));
}

TEST_F(FilesTest, ASearchAttributeKeepsItsTypeOverARestart) {
  stop();
  options.search_attributes = {{"Color", "Keyword"}};
  ASSERT_NO_FATAL_FAILURE(start());
  stop();
  ASSERT_NO_FATAL_FAILURE(start()) << "the same once more";
  stop();
  options.search_attributes = {{"Color", "Text"}};

  const auto refused = Server::start(options);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.status().message(),
            "search attribute Color has the type Keyword in namespace default of this database, "
            "not Text: start with that type, or choose another name");
  options.search_attributes = {{"WorkflowType", "Keyword"}};
  EXPECT_EQ(Server::start(options).status().message(),
            "search attribute WorkflowType is reserved by the system: choose another name");
}

}  // namespace
}  // namespace chimera::server
