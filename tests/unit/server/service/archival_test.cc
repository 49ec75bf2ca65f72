// A whole server with an archive: what closes goes there, and is read there when retention is over.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/telemetry/log.h"
#include "server/server.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

namespace enums = api::enums::v1;
namespace fs = std::filesystem;
using std::chrono::hours;
using testing::HasSubstr;

class MovedClock : public base::Clock {
 public:
  base::WallTime now() const override { return base::system_clock().now() + moved_.load(); }
  base::SteadyTime steady() const override { return base::system_clock().steady(); }
  void move(std::chrono::nanoseconds by) { moved_ = moved_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> moved_{};
};

// What is logged while it lives.
class Logs {
 public:
  Logs() {
    core::set_log_sink([this](const core::LogRecord& record) {
      const absl::MutexLock lock(&mutex_);
      said_.push_back(record.message);
    });
  }
  ~Logs() { core::set_log_sink({}); }

  // The message, once there is one with these words; fails the test if none comes.
  std::string wait_for(const std::string& words) {
    const absl::MutexLock lock(&mutex_);
    std::string found;
    const auto is_there = [&] {
      for (const std::string& each : said_) found = absl::StrContains(each, words) ? each : found;
      return !found.empty();
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&is_there), absl::Seconds(30))) << words;
    return found;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> said_;
};

class ArchivalTest : public testing::Test {
 protected:
  ArchivalTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder = absl::StrCat(testing::TempDir(), "chimera_", name, "_", getpid());
    fs::remove_all(folder);
    options.archive_folder = folder;
    options.clock = &clock;
  }
  ~ArchivalTest() override {
    stop();
    fs::remove_all(folder);
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
  void keep_in_file() {
    options.database_filename = temporary_file(fs::path(folder).filename().string() + ".db");
  }

  template <class Response, class Request>
  absl::StatusOr<Response> ask(const char* method, const Request& request) {
    Response response;
    absl::Status status =
        call(*transport, absl::StrCat("/temporal.api.workflowservice.v1.WorkflowService/", method),
             request, response);
    if (!status.ok()) return status;
    return response;
  }

  // The run id.
  std::string run_and_close(const std::string& id) {
    std::string run_id;
    EXPECT_TRUE(start_workflow(*transport, id, &run_id).ok());
    EXPECT_TRUE(terminate(*transport, id).ok());
    return run_id;
  }

  absl::StatusOr<wf::ListArchivedWorkflowExecutionsResponse> list(const std::string& query = "") {
    wf::ListArchivedWorkflowExecutionsRequest request;
    request.set_namespace_("default");
    request.set_query(query);
    return ask<wf::ListArchivedWorkflowExecutionsResponse>("ListArchivedWorkflowExecutions",
                                                           request);
  }
  void wait_until_archived(int count, const std::string& query = "") {
    for (;;) {
      const auto listed = list(query);
      ASSERT_TRUE(listed.ok()) << listed.status();
      if (listed->executions_size() == count) return;
    }
  }
  void wait_until_deleted(const std::string& id) {
    while (describe(*transport, id).ok()) {
    }
  }

  enums::WorkflowExecutionStatus status_of(const std::string& id) {
    wf::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    const auto described =
        ask<wf::DescribeWorkflowExecutionResponse>("DescribeWorkflowExecution", request);
    EXPECT_TRUE(described.ok()) << described.status();
    return described.ok() ? described->workflow_execution_info().status()
                          : enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED;
  }
  void delete_workflow(const std::string& id) {
    wf::DeleteWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    EXPECT_TRUE(ask<wf::DeleteWorkflowExecutionResponse>("DeleteWorkflowExecution", request).ok());
  }

  static wf::GetWorkflowExecutionHistoryRequest of(const std::string& id,
                                                   const std::string& run_id) {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_execution()->set_run_id(run_id);
    return request;
  }
  absl::StatusOr<wf::GetWorkflowExecutionHistoryResponse> history(
      const wf::GetWorkflowExecutionHistoryRequest& request) {
    return ask<wf::GetWorkflowExecutionHistoryResponse>("GetWorkflowExecutionHistory", request);
  }

  wf::DescribeNamespaceResponse describe_namespace(const std::string& name = "default") {
    wf::DescribeNamespaceRequest request;
    request.set_namespace_(name);
    auto described = ask<wf::DescribeNamespaceResponse>("DescribeNamespace", request);
    EXPECT_TRUE(described.ok()) << described.status();
    return *described;
  }
  wf::UpdateNamespaceRequest update_of(enums::ArchivalState history,
                                       enums::ArchivalState visibility) {
    wf::UpdateNamespaceRequest request;
    request.set_namespace_("default");
    request.mutable_config()->set_history_archival_state(history);
    request.mutable_config()->set_visibility_archival_state(visibility);
    return request;
  }
  absl::Status update(const wf::UpdateNamespaceRequest& request) {
    return ask<wf::UpdateNamespaceResponse>("UpdateNamespace", request).status();
  }

  std::size_t files(const char* part) const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder + part))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
  // So that nothing can be written below it, and again can be.
  void break_archive() const {
    for (const char* part : {"/history", "/visibility"}) {
      fs::remove_all(folder + part);
      std::ofstream(folder + part) << "in the way";
    }
  }
  void mend_archive() const {
    for (const char* part : {"/history", "/visibility"}) fs::remove_all(folder + part);
  }

  Logs logs;  // Of the server, which ends before.
  std::string folder;
  MovedClock clock;
  ServerOptions options;
  std::unique_ptr<Server> server;
  std::shared_ptr<base::Transport> transport;
};

TEST_F(ArchivalTest, WhatRetentionHasDeletedIsReadFromTheArchive) {
  start();
  const std::string run_id = run_and_close("order");
  const auto before = history(of("order", run_id));
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_FALSE(before->archived());
  clock.move(hours{25});
  wait_until_deleted("order");

  const auto after = history(of("order", run_id));

  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(after->archived());
  EXPECT_EQ(after->history().SerializeAsString(), before->history().SerializeAsString());
  const auto listed = list();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->executions_size(), 1);
  const auto& info = listed->executions(0);
  EXPECT_EQ(info.execution().workflow_id(), "order");
  EXPECT_EQ(info.execution().run_id(), run_id);
  EXPECT_EQ(info.type().name(), "Echo");
  EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(info.history_length(), before->history().events_size());
  EXPECT_EQ(info.close_time().SerializeAsString(),
            before->history().events().rbegin()->event_time().SerializeAsString());
}

TEST_F(ArchivalTest, ArchivedHistoriesHavePages) {
  start();
  const std::string run_id = run_and_close("order");
  clock.move(hours{25});
  wait_until_deleted("order");
  auto request = of("order", run_id);
  request.set_maximum_page_size(1);

  std::vector<std::int64_t> ids;
  do {
    const auto page = history(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_TRUE(page->archived());
    for (const auto& event : page->history().events()) ids.push_back(event.event_id());
    request.set_next_page_token(page->next_page_token());
    if (ids.size() == 2) {
      EXPECT_FALSE(page->next_page_token().empty()) << "a page is a batch";
    }
  } while (!request.next_page_token().empty());

  EXPECT_THAT(ids, testing::ElementsAre(1, 2, 3));
  request.set_next_page_token("nonsense");
  EXPECT_EQ(history(request).status().message(), "next page token is corrupted");
}

TEST_F(ArchivalTest, OnlyOfANamedRunAndUnlessItIsRefused) {
  start();
  const std::string run_id = run_and_close("order");
  clock.move(hours{25});
  wait_until_deleted("order");

  auto skips = of("order", run_id);
  skips.set_skip_archival(true);
  EXPECT_EQ(history(skips).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(history(of("order", "")).status().code(), absl::StatusCode::kNotFound);
  const auto other = history(of("order", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(other.message(), "requested workflow history does not exist");
  wf::GetWorkflowExecutionHistoryReverseRequest reverse;
  reverse.set_namespace_("default");
  *reverse.mutable_execution() = skips.execution();
  EXPECT_EQ(ask<wf::GetWorkflowExecutionHistoryReverseResponse>(
                "GetWorkflowExecutionHistoryReverse", reverse)
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ArchivalTest, WhatACallerDeletesStaysInTheArchive) {
  start();
  const std::string run_id = run_and_close("order");
  wait_until_archived(1);
  delete_workflow("order");
  wait_until_deleted("order");

  const auto after = history(of("order", run_id));

  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(after->archived());
}

TEST_F(ArchivalTest, NothingIsDeletedBeforeItIsArchived) {
  start();
  break_archive();
  const std::string run_id = run_and_close("order");
  EXPECT_THAT(logs.wait_for("workflow order of namespace default is not archived: "),
              testing::AllOf(HasSubstr(folder + "/history"), HasSubstr("It is tried again")));
  run_and_close("other");
  clock.move(hours{25});
  clock.move(hours{25});

  for (int i = 0; i < 200; ++i) ASSERT_TRUE(describe(*transport, "order").ok());
  EXPECT_EQ(history(of("order", run_id))->archived(), false);
  mend_archive();
  while (describe(*transport, "order").ok() || describe(*transport, "other").ok())
    clock.move(std::chrono::seconds{31});  // When it is tried again.

  EXPECT_EQ(list()->executions_size(), 2);
  EXPECT_TRUE(history(of("order", run_id))->archived());
  logs.wait_for("the archive of namespace default is written again");
}

TEST_F(ArchivalTest, WhatACallerDeletesIsArchivedFirst) {
  start();
  break_archive();
  const std::string closed = run_and_close("closed");
  std::string open;
  ASSERT_TRUE(start_workflow(*transport, "open", &open).ok());
  for (const char* id : {"closed", "open", "closed"}) delete_workflow(id);
  logs.wait_for("2 in all wait; they are not deleted meanwhile");
  EXPECT_TRUE(describe(*transport, "closed").ok());
  EXPECT_EQ(status_of("open"), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  // One that follows is no part of it.
  ASSERT_TRUE(start_workflow(*transport, "closed").ok());
  mend_archive();
  while (describe(*transport, "open").ok()) clock.move(std::chrono::seconds{31});

  wait_until_archived(2);
  EXPECT_TRUE(history(of("open", open))->archived());
  while (!history(of("closed", closed))->archived()) clock.move(std::chrono::seconds{31});
  EXPECT_EQ(status_of("closed"), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
}

TEST_F(ArchivalTest, WhatACallerDeletesIsArchivedFirstOverARestart) {
  keep_in_file();
  start();
  break_archive();
  const std::string run_id = run_and_close("order");
  run_and_close("other");
  delete_workflow("order");
  EXPECT_TRUE(describe(*transport, "order").ok());
  stop();
  mend_archive();
  start();

  wait_until_archived(2);
  wait_until_deleted("order");
  EXPECT_TRUE(history(of("order", run_id))->archived());
  EXPECT_TRUE(describe(*transport, "other").ok());
  stop();
  start();
  EXPECT_FALSE(describe(*transport, "order").ok());
}

TEST_F(ArchivalTest, ANamespaceIsArchivedBeforeItIsDeleted) {
  keep_in_file();
  start();
  wf::RegisterNamespaceRequest add;
  add.set_namespace_("short-lived");
  add.mutable_workflow_execution_retention_period()->set_seconds(86400);
  ASSERT_TRUE(ask<wf::RegisterNamespaceResponse>("RegisterNamespace", add).ok());
  break_archive();
  for (int i = 0; i < 3; ++i) {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_("short-lived");
    request.set_workflow_id(absl::StrCat("order-", i));
    request.mutable_workflow_type()->set_name("Echo");
    request.mutable_task_queue()->set_name("nobody");
    ASSERT_TRUE(ask<wf::StartWorkflowExecutionResponse>("StartWorkflowExecution", request).ok());
  }
  ::temporal::api::operatorservice::v1::DeleteNamespaceRequest request;
  request.set_namespace_("short-lived");
  ::temporal::api::operatorservice::v1::DeleteNamespaceResponse response;
  ASSERT_TRUE(call(*transport, "/temporal.api.operatorservice.v1.OperatorService/DeleteNamespace",
                   request, response)
                  .ok());
  logs.wait_for("3 in all wait");
  const auto is_there = [&] {
    wf::DescribeNamespaceRequest describe;
    describe.set_namespace_(response.deleted_namespace());
    return ask<wf::DescribeNamespaceResponse>("DescribeNamespace", describe).ok();
  };
  EXPECT_TRUE(is_there());
  stop();
  mend_archive();
  start();
  while (is_there()) clock.move(std::chrono::seconds{31});

  EXPECT_EQ(files("/history"), 3u);
  EXPECT_EQ(files("/visibility"), 3u);
}

TEST_F(ArchivalTest, ADamagedRecordHidesNoOther) {
  start();
  run_and_close("order");
  wait_until_archived(1);
  fs::path record;
  for (const auto& entry : fs::recursive_directory_iterator(folder + "/visibility"))
    if (entry.is_regular_file()) record = entry.path();
  const std::string damaged = record.parent_path() / "20000000000_5.visibility";
  std::ofstream(damaged) << "{";

  EXPECT_EQ(list()->executions_size(), 1);
  logs.wait_for(absl::StrCat("the archive's file ", damaged,
                             " is damaged: no object of JSON. It is passed over. Restore"));
}

// A limit on files stands for a disk that is full.
TEST_F(ArchivalTest, AFullDiskIsWaitedFor) {
  start();
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit none{0, before.rlim_max};
  std::string run_id;
  setrlimit(RLIMIT_FSIZE, &none);
  run_id = run_and_close("order");
  logs.wait_for("is not archived: ");
  clock.move(hours{25});
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(describe(*transport, "order").ok());
  while (files("") > 0) {
  }  // Of what could not be written no part is left.
  setrlimit(RLIMIT_FSIZE, &before);
  while (describe(*transport, "order").ok()) clock.move(std::chrono::seconds{31});
  std::signal(SIGXFSZ, handler);

  EXPECT_TRUE(history(of("order", run_id))->archived());
}

TEST_F(ArchivalTest, WhatWasNotArchivedIsAfterARestart) {
  keep_in_file();
  start();
  break_archive();
  const std::string run_id = run_and_close("order");
  stop();
  mend_archive();
  clock.move(hours{25});
  start();

  wait_until_archived(1);
  wait_until_deleted("order");
  EXPECT_TRUE(history(of("order", run_id))->archived());
}

TEST_F(ArchivalTest, AServerWithoutItsArchiveTellsWhatIsMissing) {
  keep_in_file();
  start();
  break_archive();
  const std::string run_id = run_and_close("order");
  stop();
  mend_archive();
  options.archive_folder.clear();
  start();

  logs.wait_for("1 closed workflows of this database still had to be archived");
  EXPECT_EQ(list().status().message(), "Cluster is not configured for visibility archival.");
  stop();
  options.archive_folder = folder;
  start();
  wait_until_archived(1);
}

TEST_F(ArchivalTest, AServerThatKeepsNothingArchivesBeforeItEnds) {
  start();
  for (int i = 0; i < 20; ++i) run_and_close(absl::StrCat("order-", i));
  stop();

  EXPECT_EQ(files("/history"), 20u);
  EXPECT_EQ(files("/visibility"), 20u);
}

TEST_F(ArchivalTest, NewNamespacesAreArchivedUnlessTheyRefuse) {
  start();
  const auto own = describe_namespace().config();
  EXPECT_EQ(own.history_archival_state(), enums::ARCHIVAL_STATE_ENABLED);
  EXPECT_EQ(own.visibility_archival_state(), enums::ARCHIVAL_STATE_ENABLED);
  EXPECT_THAT(own.history_archival_uri(), testing::StartsWith("file:///"));
  EXPECT_THAT(own.history_archival_uri(), testing::EndsWith("/history"));
  EXPECT_THAT(own.visibility_archival_uri(), testing::EndsWith("/visibility"));
  const auto add = [this](const std::string& name, enums::ArchivalState state,
                          const std::string& uri) {
    wf::RegisterNamespaceRequest request;
    request.set_namespace_(name);
    request.mutable_workflow_execution_retention_period()->set_seconds(86400);
    request.set_history_archival_state(state);
    request.set_history_archival_uri(uri);
    return ask<wf::RegisterNamespaceResponse>("RegisterNamespace", request).status();
  };
  ASSERT_TRUE(add("plain", enums::ARCHIVAL_STATE_UNSPECIFIED, "").ok());
  ASSERT_TRUE(add("refuses", enums::ARCHIVAL_STATE_DISABLED, "").ok());
  ASSERT_TRUE(add("elsewhere", enums::ARCHIVAL_STATE_ENABLED, "file:///elsewhere").ok());

  EXPECT_EQ(describe_namespace("plain").config().history_archival_uri(),
            own.history_archival_uri());
  EXPECT_EQ(describe_namespace("refuses").config().history_archival_state(),
            enums::ARCHIVAL_STATE_DISABLED);
  EXPECT_EQ(describe_namespace("refuses").config().history_archival_uri(), "");
  EXPECT_EQ(describe_namespace("refuses").config().visibility_archival_state(),
            enums::ARCHIVAL_STATE_ENABLED);
  EXPECT_EQ(describe_namespace("elsewhere").config().history_archival_uri(), "file:///elsewhere");
  const auto bad = add("bad", enums::ARCHIVAL_STATE_ENABLED, "s3://bucket");
  EXPECT_EQ(bad.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(bad.message(), "unable to find archiver config for the given scheme");
  EXPECT_EQ(add("plain", enums::ARCHIVAL_STATE_ENABLED, "").code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(ArchivalTest, ANamespaceMayStopAndGoOn) {
  start();
  run_and_close("first");
  wait_until_archived(1);
  ASSERT_TRUE(
      update(update_of(enums::ARCHIVAL_STATE_DISABLED, enums::ARCHIVAL_STATE_DISABLED)).ok());
  EXPECT_EQ(list().status().message(), "Namespace is not configured for visibility archival.");
  const std::string second = run_and_close("second");
  clock.move(hours{25});
  wait_until_deleted("second");
  // Whoever had an archive still reads it.
  EXPECT_EQ(history(of("second", second)).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(update(update_of(enums::ARCHIVAL_STATE_ENABLED, enums::ARCHIVAL_STATE_ENABLED)).ok());
  run_and_close("third");

  wait_until_archived(2);
  auto other = update_of(enums::ARCHIVAL_STATE_ENABLED, enums::ARCHIVAL_STATE_ENABLED);
  other.mutable_config()->set_history_archival_uri("file:///other");
  const auto refused = update(other);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "Cannot update existing archival URI");
}

TEST_F(ArchivalTest, WhatIsDisabledBeforeItIsArchivedIsNot) {
  start();
  break_archive();
  run_and_close("order");
  ASSERT_TRUE(
      update(update_of(enums::ARCHIVAL_STATE_DISABLED, enums::ARCHIVAL_STATE_DISABLED)).ok());
  while (describe(*transport, "order").ok()) clock.move(hours{1});
}

TEST_F(ArchivalTest, AServerWithoutAnArchiveTakesNoSettings) {
  options.archive_folder.clear();
  start();

  EXPECT_TRUE(update(update_of(enums::ARCHIVAL_STATE_ENABLED, enums::ARCHIVAL_STATE_ENABLED)).ok());

  EXPECT_EQ(describe_namespace().config().history_archival_state(), enums::ARCHIVAL_STATE_DISABLED);
  EXPECT_EQ(list().status().message(), "Cluster is not configured for visibility archival.");
}

TEST_F(ArchivalTest, TheServersOwnNamespacesBeginToArchive) {
  keep_in_file();
  options.archive_folder.clear();
  start();
  run_and_close("before");
  stop();
  options.archive_folder = folder;
  start();

  EXPECT_EQ(describe_namespace().config().history_archival_state(), enums::ARCHIVAL_STATE_ENABLED);
  run_and_close("after");
  wait_until_archived(1);
  ASSERT_TRUE(
      update(update_of(enums::ARCHIVAL_STATE_DISABLED, enums::ARCHIVAL_STATE_UNSPECIFIED)).ok());
  stop();
  start();
  EXPECT_EQ(describe_namespace().config().history_archival_state(), enums::ARCHIVAL_STATE_DISABLED);
  stop();
  options.archive_folder = folder + "/other";
  start();
  EXPECT_THAT(describe_namespace().config().visibility_archival_uri(),
              testing::Not(HasSubstr("other")));
}

TEST_F(ArchivalTest, AFolderThatCannotBeUsedIsRefusedAtStart) {
  std::ofstream(folder) << "a file";

  const auto started = Server::start(options);

  EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(started.status().message()),
              testing::AllOf(HasSubstr(folder), HasSubstr("Name one that this user may write.")));
}

TEST_F(ArchivalTest, AFilterThatIsNoneIsRefused) {
  start();
  EXPECT_EQ(list("StartTime > 5").status().message(), "unknown filter name: StartTime");
  EXPECT_EQ(list("WorkflowId = 'none'")->executions_size(), 0);
}

TEST_F(ArchivalTest, TimeThatSkipsEndsRetention) {
  options.clock = nullptr;
  options.time_skipping_locks = 0;
  options.namespaces = {};
  start();
  wf::UpdateNamespaceRequest shorter;
  shorter.set_namespace_("default");
  shorter.mutable_config()->mutable_workflow_execution_retention_ttl()->set_seconds(86400);
  ASSERT_TRUE(update(shorter).ok());
  const std::string run_id = run_and_close("order");
  wait_until_archived(1);
  // Time skips to the timeout of this one.
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("long");
  request.mutable_workflow_type()->set_name("Echo");
  request.mutable_task_queue()->set_name("nobody");
  request.mutable_workflow_start_delay()->set_seconds(3 * 86400);
  ASSERT_TRUE(ask<wf::StartWorkflowExecutionResponse>("StartWorkflowExecution", request).ok());
  wait_until_deleted("order");

  EXPECT_TRUE(history(of("order", run_id))->archived());
}

}  // namespace
}  // namespace chimera::server
