// R: archives of closed workflows, as a client sets, lists and reads them.
#include "absl/strings/match.h"

#include "tests/conformance/archive_server.h"
#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {
namespace {

using ArchivedHistory = wf::GetWorkflowExecutionHistoryResponse;

constexpr auto kAsItIs = enums::ARCHIVAL_STATE_UNSPECIFIED, kOff = enums::ARCHIVAL_STATE_DISABLED,
               kOn = enums::ARCHIVAL_STATE_ENABLED;

class ArchivalTest : public VisibilitySession {
 protected:
  static void SetUpTestSuite() {
    if (ArchiveServer::missing().empty()) server_ = new ArchiveServer;
  }
  static void TearDownTestSuite() {
    delete std::exchange(server_, nullptr);
    archives_ = false;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << ArchiveServer::missing();
    if (!archives_) begin_archival();
    archives_ = true;
  }

  // The genuine server makes its default namespace without, and looks at it every few seconds only.
  void begin_archival() {
    wf::UpdateNamespaceRequest request;
    request.set_namespace_(ns);
    request.mutable_config()->set_history_archival_state(kOn);
    request.mutable_config()->set_visibility_archival_state(kOn);
    ASSERT_TRUE(rpc<wf::UpdateNamespaceResponse>(request).ok());
    for (int i = 0; i < 30 && !list("").ok(); ++i) no_task_within(milliseconds(1));
    for (int i = 0; i < 30; ++i) {
      const std::string probe = absl::StrCat(id, "-probe-", i);
      start_and_close(probe);
      no_task_within(milliseconds(1));
      if (list(of(probe))->executions_size() > 0) return;
    }
    FAIL() << "nothing is archived";
  }

  static std::string of(const std::string& workflow_id) {
    return absl::StrCat("WorkflowId = '", workflow_id, "'");
  }
  // The run id.
  std::string start_and_close(const std::string& workflow_id,
                              const std::function<void(Start&)>& change = {}) {
    const std::string run_id = start([&](Start& request) {
      request.set_workflow_id(workflow_id);
      if (change) change(request);
    });
    wf::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    request.set_reason("because");
    EXPECT_TRUE(rpc<wf::TerminateWorkflowExecutionResponse>(request).ok());
    return run_id;
  }

  absl::StatusOr<wf::ListArchivedWorkflowExecutionsResponse> list(const std::string& query,
                                                                  int page_size = 0,
                                                                  const std::string& token = "") {
    wf::ListArchivedWorkflowExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    request.set_page_size(page_size);
    request.set_next_page_token(token);
    return patient_rpc<wf::ListArchivedWorkflowExecutionsResponse>(request);
  }
  // Waits until all are there.
  std::vector<std::string> listed(const std::string& query, std::size_t count) {
    std::vector<std::string> ids;
    for (int i = 0; i < 50; ++i) {
      ids.clear();
      const auto reply = list(query);
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (!reply.ok()) return ids;
      for (const auto& info : reply->executions()) ids.push_back(info.execution().workflow_id());
      if (ids.size() >= count) return ids;
      no_task_within(milliseconds(1));
    }
    return ids;
  }
  std::string refusal(const std::string& query) {
    const auto reply = list(query);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << query;
    return std::string(reply.status().message());
  }

  absl::StatusOr<ArchivedHistory> read(const std::string& run_id, int page_size = 0,
                                       const std::string& token = "") {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(ns);
    *request.mutable_execution() = execution(run_id);
    request.set_maximum_page_size(page_size);
    request.set_next_page_token(token);
    return rpc<ArchivedHistory>(request);
  }
  void delete_run(const std::string& run_id) {
    wf::DeleteWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution(run_id);
    ASSERT_TRUE(rpc<wf::DeleteWorkflowExecutionResponse>(request).ok());
    wf::DescribeWorkflowExecutionRequest describe;
    describe.set_namespace_(ns);
    *describe.mutable_execution() = execution(run_id);
    for (int i = 0; i < 50; ++i) {
      if (!rpc<wf::DescribeWorkflowExecutionResponse>(describe).ok()) return;
      no_task_within(milliseconds(1));
    }
    FAIL() << "it is still there";
  }

  absl::Status add_namespace(const std::string& name, enums::ArchivalState state,
                             const std::string& uri) {
    wf::RegisterNamespaceRequest request;
    request.set_namespace_(name);
    request.mutable_workflow_execution_retention_period()->set_seconds(86400);
    request.set_history_archival_state(state);
    request.set_history_archival_uri(uri);
    return rpc<wf::RegisterNamespaceResponse>(request).status();
  }
  absl::Status update_namespace(const std::string& name, enums::ArchivalState state,
                                const std::string& uri) {
    wf::UpdateNamespaceRequest request;
    request.set_namespace_(name);
    request.mutable_config()->set_history_archival_state(state);
    request.mutable_config()->set_history_archival_uri(uri);
    return rpc<wf::UpdateNamespaceResponse>(request).status();
  }
  // "on URI, on URI": of histories, of executions; the archive's folder is F.
  std::string setting(const std::string& name) {
    wf::DescribeNamespaceRequest request;
    request.set_namespace_(name);
    const auto reply = rpc<wf::DescribeNamespaceResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return "";
    const auto& config = reply->config();
    const auto shown = [](enums::ArchivalState state, std::string uri) {
      const std::size_t at = uri.find(server_->folder());
      if (at != std::string::npos) uri.replace(at, server_->folder().size(), "F");
      return absl::StrCat(state == kOn ? "on " : "off ", uri);
    };
    return absl::StrCat(
        shown(config.history_archival_state(), config.history_archival_uri()), ", ",
        shown(config.visibility_archival_state(), config.visibility_archival_uri()));
  }

  static ArchiveServer* server_;
  static bool archives_;
};
ArchiveServer* ArchivalTest::server_ = nullptr;
bool ArchivalTest::archives_ = false;

TEST_F(ArchivalTest, settings_of_new_namespaces) {
  const std::string name = id.substr(id.find('-') + 1);
  ASSERT_TRUE(add_namespace(name + "-plain", kAsItIs, "").ok());
  ASSERT_TRUE(add_namespace(name + "-off", kOff, "").ok());
  ASSERT_TRUE(add_namespace(name + "-own", kOn, "file:///tmp/own").ok());
  ASSERT_TRUE(add_namespace(name + "-own-off", kOff, "file:///tmp/own").ok());

  const std::string records = ", on file://F/visibility";
  EXPECT_EQ(setting(name + "-plain"), "on file://F/history" + records);
  EXPECT_EQ(setting(name + "-off"), "off " + records);
  EXPECT_EQ(setting(name + "-own"), "on file:///tmp/own" + records);
  EXPECT_EQ(setting(name + "-own-off"), "off file:///tmp/own" + records);
  EXPECT_EQ(add_namespace(name + "-odd", static_cast<enums::ArchivalState>(7), "").message(),
            "Encountered current state and event that cannot be handled (should be impossible)");
  for (const char* uri : {"foo", "foo:bar", "s3://x", "file:foo", "file:///etc/passwd", ":x"})
    EXPECT_FALSE(add_namespace(name + "-bad", kOn, uri).ok()) << uri;
}

TEST_F(ArchivalTest, changes_of_settings) {
  const std::string name = id.substr(id.find('-') + 1);
  ASSERT_TRUE(add_namespace(name, kOff, "").ok());
  const std::string records = ", on file://F/visibility";

  ASSERT_TRUE(update_namespace(name, kAsItIs, "").ok());
  EXPECT_EQ(setting(name), "off " + records);
  ASSERT_TRUE(update_namespace(name, kOn, "").ok());
  EXPECT_EQ(setting(name), "on file://F/history" + records);
  ASSERT_TRUE(update_namespace(name, kOff, "").ok());
  EXPECT_EQ(setting(name), "off file://F/history" + records);
  const absl::Status moved = update_namespace(name, kOn, "file:///tmp/other");
  EXPECT_EQ(moved.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(moved.message(), "Cannot update existing archival URI");
  EXPECT_EQ(setting(name), "off file://F/history" + records);
}

TEST_F(ArchivalTest, histories_of_deleted_runs) {
  const std::string run_id = start();
  ASSERT_TRUE(signal("one").ok());
  ASSERT_TRUE(signal("two").ok());
  ASSERT_TRUE(terminate().ok());
  listed(of(id), 1);
  const auto before = read(run_id);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_FALSE(before->archived());
  delete_run(run_id);

  const auto after = read(run_id);

  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(after->archived());
  ASSERT_EQ(after->history().events_size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(after->history().events(i).SerializeAsString(),
              before->history().events(i).SerializeAsString());
  }
  EXPECT_EQ(read("").status().code(), absl::StatusCode::kNotFound);
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(run_id);
  request.set_skip_archival(true);
  EXPECT_EQ(rpc<ArchivedHistory>(request).status().code(), absl::StatusCode::kNotFound);
  request.set_skip_archival(false);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  EXPECT_EQ(rpc<ArchivedHistory>(request)->history().events_size(), 5) << "it is not filtered";
  wf::GetWorkflowExecutionHistoryReverseRequest reverse;
  reverse.set_namespace_(ns);
  *reverse.mutable_execution() = execution(run_id);
  EXPECT_EQ(rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(reverse).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ArchivalTest, pages_of_histories) {
  const std::string run_id = start();
  ASSERT_TRUE(signal("one").ok());
  ASSERT_TRUE(signal("two").ok());
  ASSERT_TRUE(terminate().ok());
  listed(of(id), 1);
  delete_run(run_id);

  std::vector<int> sizes;
  std::vector<std::string> tokens{""};
  do {
    const auto page = read(run_id, 1, tokens.back());
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->history().events_size());
    tokens.push_back(page->next_page_token());
  } while (!tokens.back().empty());

  EXPECT_THAT(sizes, testing::ElementsAre(2, 1, 1, 1));
  EXPECT_EQ(tokens[1], R"({"CloseFailoverVersion":0,"NextBatchIdx":1})");
  const absl::Status refused = read(run_id, 1, "x").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "next page token is corrupted");
}

TEST_F(ArchivalTest, lists) {
  const std::string type = absl::StrCat("WorkflowType = '", id, "'");
  const auto own_type = [this](Start& request) {
    request.mutable_workflow_type()->set_name(id);
    (*request.mutable_memo()->mutable_fields())["note"] = payload("\"m\"");
  };
  for (const char* suffix : {"-1", "-2", "-3"}) start_and_close(id + suffix, own_type);
  ASSERT_THAT(listed(type, 3), testing::ElementsAre(id + "-3", id + "-2", id + "-1"));

  const auto first = list(absl::StrCat(type, " and ", of(id + "-1")));
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->executions_size(), 1);
  const auto& info = first->executions(0);
  EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(info.history_length(), 3);
  EXPECT_EQ(info.memo().fields().at("note").data(), "\"m\"");
  EXPECT_TRUE(info.has_start_time() && info.has_execution_time() && info.has_close_time());
  EXPECT_EQ(info.task_queue(), "");
  EXPECT_FALSE(info.has_root_execution());
  EXPECT_EQ(info.state_transition_count(), 0);
  const std::int64_t closed =
      info.close_time().seconds() * 1'000'000'000 + info.close_time().nanos();
  const auto count = [&](const std::string& query) {
    const auto reply = list(absl::StrCat(type, " and ", query));
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->executions_size() : -1;
  };
  EXPECT_EQ(count(absl::StrCat("CloseTime = ", closed)), 1);
  EXPECT_EQ(count(absl::StrCat("CloseTime > ", closed)), 2);
  EXPECT_EQ(count(absl::StrCat("CloseTime < ", closed)), 0);
  EXPECT_EQ(count("CloseTime >= '2020-01-01T00:00:00Z'"), 3);
  EXPECT_EQ(count("ExecutionStatus = 'terminated'"), 3);
  EXPECT_EQ(count("ExecutionStatus = 'Completed'"), 0);
  EXPECT_EQ(count("WorkflowType = 'Other'"), 0);
  EXPECT_EQ(count(absl::StrCat("RunId = '", info.execution().run_id(), "'")), 1);
}

TEST_F(ArchivalTest, pages_of_lists) {
  const std::string type = absl::StrCat("WorkflowType = '", id, "'");
  const auto own_type = [this](Start& request) { request.mutable_workflow_type()->set_name(id); };
  for (const char* suffix : {"-1", "-2", "-3", "-4"}) start_and_close(id + suffix, own_type);
  listed(type, 4);

  std::vector<int> sizes;
  std::string token;
  do {
    const auto page = list(type, 2, token);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->executions_size());
    token = page->next_page_token();
    if (sizes.size() == 1) {
      EXPECT_THAT(token, testing::StartsWith("{\"LastCloseTime\":\"2"));
      EXPECT_THAT(token, testing::HasSubstr("Z\",\"LastRunID\":\""));
    }
  } while (!token.empty());

  EXPECT_THAT(sizes, testing::ElementsAre(2, 2, 0));
  EXPECT_EQ(list(type, 2, "x").status().message(), "next page token is corrupted");
  EXPECT_EQ(list(type, 10'001).status().message(), "PageSize is larger than allowed 10000.");
}

TEST_F(ArchivalTest, what_lists_refuse) {
  const char* only = "only comparison and \"and\" expression is supported";
  EXPECT_EQ(refusal("WorkflowId = 'a' or RunId = 'b'"), only);
  EXPECT_EQ(refusal("not WorkflowId = 'a'"), only);
  EXPECT_EQ(refusal("CloseTime between 1 and 2"), only);
  EXPECT_EQ(refusal("WorkflowId"), only);
  EXPECT_EQ(refusal("WorkflowId = 'a' and (RunId = 'b' or RunId = 'c')"), only);
  EXPECT_EQ(refusal("StartTime = 1"), "unknown filter name: StartTime");
  EXPECT_EQ(refusal("workflowid = 'w1'"), "unknown filter name: workflowid");
  EXPECT_EQ(refusal("1 = WorkflowId"), "invalid filter name: 1");
  EXPECT_EQ(refusal("WorkflowId = RunId"), "invalid value: RunId");
  EXPECT_EQ(refusal("WorkflowId in ('a', 'b')"), "invalid value: ('a', 'b')");
  EXPECT_EQ(refusal("WorkflowId != 5"), "value 5 is not a string value");
  EXPECT_EQ(refusal("WorkflowId <> 'a'"), "only operation = is support for WorkflowId");
  EXPECT_EQ(refusal("ExecutionStatus > 'nonsense'"),
            "only operation = is support for ExecutionStatus");
  EXPECT_EQ(refusal("ExecutionStatus = 'Running'"), "unknown workflow close status: running");
  EXPECT_EQ(refusal("CloseTime != 5"), "operator != is not supported for close time");
  EXPECT_EQ(refusal("CloseTime > 1.5"), "value 1.5 is not a string value");
  EXPECT_EQ(refusal("CloseTime > 'x'"),
            "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"");
  EXPECT_EQ(refusal("WorkflowId = 'a' and"), "syntax error at position 47");
  EXPECT_EQ(refusal("WorkflowId == 'a'"), "syntax error at position 40");
}

TEST_F(ArchivalTest, runs_that_are_nowhere) {
  const std::string name = id.substr(id.find('-') + 1);
  ASSERT_TRUE(add_namespace(name, kOff, "").ok());
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(name);
  *request.mutable_execution() = execution("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
  absl::Status status;
  for (int i = 0; i < 30; ++i) {
    status = rpc<ArchivedHistory>(request).status();
    if (!target().genuine || !absl::StrContains(status.message(), "Namespace")) break;
    no_task_within(milliseconds(1));  // It does not know the namespace yet.
  }

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "Requested workflow history not found, may have passed retention period.");
}

}  // namespace
}  // namespace chimera::conformance
