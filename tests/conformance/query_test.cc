// I: queries.
#include <thread>

#include "absl/synchronization/notification.h"

#include "tests/conformance/session.h"
#include "tests/conformance/target.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class QueryTest : public Session {
 protected:
  absl::StatusOr<wf::QueryWorkflowResponse> query(const std::string& name) {
    wf::QueryWorkflowRequest request;
    request.set_namespace_(ns);
    *request.mutable_execution() = execution();
    request.mutable_query()->set_query_type(name);
    return rpc<wf::QueryWorkflowResponse>(request, std::chrono::seconds(15));
  }

  absl::Status answer_query(const Task& task, const std::string& value) {
    wf::RespondQueryTaskCompletedRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    request.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    *request.mutable_query_result() = payloads("\"" + value + "\"");
    return rpc<wf::RespondQueryTaskCompletedResponse>(request).status();
  }

  static void answer_attached(const Task& task, const std::string& value, Respond& completion) {
    for (const auto& [query_id, query] : task.queries()) {
      auto& result = (*completion.mutable_query_results())[query_id];
      result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
      *result.mutable_answer() = payloads("\"" + value + "\"");
    }
  }

  // A query that is sent before the case goes on, and answered meanwhile.
  class AsyncQuery {
   public:
    explicit AsyncQuery(const QueryTest& test) {
      request_.set_namespace_(test.ns);
      *request_.mutable_execution() = test.execution();
      request_.mutable_query()->set_query_type("state");
      target().connection->call(CHIMERA_WORKFLOW_SERVICE(QueryWorkflow), &request_, &reply_,
                                {.namespace_ = test.ns}, [this](absl::Status status) {
                                  EXPECT_TRUE(status.ok()) << status;
                                  answered_.Notify();
                                });
    }
    ~AsyncQuery() { answered_.WaitForNotification(); }
    std::string answer() {
      answered_.WaitForNotification();
      return reply_.query_result().payloads_size() == 1 ? reply_.query_result().payloads(0).data()
                                                        : "none";
    }

   private:
    wf::QueryWorkflowRequest request_;
    wf::QueryWorkflowResponse reply_;
    absl::Notification answered_;
  };
};

TEST_F(QueryTest, direct_normal_full_history) {
  start();
  respond(poll(), {});
  absl::StatusOr<wf::QueryWorkflowResponse> result = absl::UnknownError("not run");
  std::thread asker([&] { result = query("state"); });

  Task task = poll();

  EXPECT_EQ(task.query().query_type(), "state");
  EXPECT_EQ(task.started_event_id(), 0);
  EXPECT_GE(task.history().events_size(), 4);
  EXPECT_TRUE(answer_query(task, "fine").ok());
  asker.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->query_result().payloads(0).data(), "\"fine\"");
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted");
}

// Who signals and then asks must see the signal in the answer, also where a task ran meanwhile.
TEST_F(QueryTest, query_sees_a_signal_before_it) {
  start();
  Task first = poll();
  ASSERT_TRUE(signal("go").ok());
  AsyncQuery query(*this);

  respond(first, {});
  Task second = poll();

  EXPECT_FALSE(second.has_query());
  EXPECT_EQ(second.queries_size(), 1);
  respond(second, {}, [&](Respond& completion) { answer_attached(second, "seen", completion); });
  EXPECT_EQ(query.answer(), "\"seen\"");
}

TEST_F(QueryTest, direct_sticky) {
  start();
  respond_sticky(poll(), {});
  StickyPoll warm(*this);  // The server trusts a sticky queue only where it has seen a poller.
  ASSERT_TRUE(signal("warm").ok());
  respond_sticky(warm.task(), {});
  absl::StatusOr<wf::QueryWorkflowResponse> result = absl::UnknownError("not run");
  std::thread asker([&] { result = query("state"); });

  Task task = poll_sticky();

  EXPECT_EQ(task.query().query_type(), "state");
  EXPECT_EQ(task.history().events_size(), 0);
  EXPECT_TRUE(answer_query(task, "fine").ok());
  asker.join();
  EXPECT_TRUE(result.ok()) << result.status();
}

TEST_F(QueryTest, failed_detail) {
  start();
  respond(poll(), {});
  absl::StatusOr<wf::QueryWorkflowResponse> result = absl::UnknownError("not run");
  std::thread asker([&] { result = query("state"); });
  wf::RespondQueryTaskCompletedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll().task_token());
  request.set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
  request.set_error_message("no such query");

  EXPECT_TRUE(rpc<wf::RespondQueryTaskCompletedResponse>(request).ok());
  asker.join();

  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  EXPECT_EQ(std::string(result.status().message()), "no such query");
}

TEST_F(QueryTest, closed_workflow) {
  start();
  respond(poll(), {complete_workflow()});
  absl::StatusOr<wf::QueryWorkflowResponse> result = absl::UnknownError("not run");
  std::thread asker([&] { result = query("state"); });

  Task task = poll();

  EXPECT_EQ(task.query().query_type(), "state");
  EXPECT_TRUE(answer_query(task, "closed").ok());
  asker.join();
  EXPECT_TRUE(result.ok()) << result.status();
}

TEST_F(QueryTest, reject_conditions) {
  start();
  respond(poll(), {complete_workflow()});
  wf::QueryWorkflowRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.mutable_query()->set_query_type("state");
  request.set_query_reject_condition(enums::QUERY_REJECT_CONDITION_NOT_OPEN);

  auto reply = rpc<wf::QueryWorkflowResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->query_rejected().status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
}

// A query for a workflow that has a task waiting goes with that task.
TEST_F(QueryTest, attached_consistent) {
  start();
  respond(poll(), {});
  bool attached = false;
  for (int i = 0; i < 10 && !attached; ++i) {  // The genuine server may take the poll first.
    ASSERT_TRUE(signal("go").ok());
    AsyncQuery query(*this);
    EXPECT_EQ(describe().workflow_execution_info().status(),
              enums::WORKFLOW_EXECUTION_STATUS_RUNNING);

    Task task = poll();
    attached = task.queries_size() == 1;
    EXPECT_EQ(task.history().events().rbegin()->event_type(),
              enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    respond(task, {}, [&](Respond& completion) { answer_attached(task, "seen", completion); });
    if (!attached) {
      EXPECT_TRUE(answer_query(poll(), "seen").ok());
    }
    EXPECT_EQ(query.answer(), "\"seen\"");
  }
  EXPECT_TRUE(attached);
}

// Nobody ever polls this queue: the first task comes with the start.
TEST_F(QueryTest, no_poller_fp) {
  Start request = start_request();
  request.set_request_eager_execution(true);
  auto started = rpc<wf::StartWorkflowExecutionResponse>(request);
  ASSERT_TRUE(started.ok()) << started.status();
  respond(started->eager_workflow_task(), {});

  const absl::Status refused = query("state").status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_EQ(std::string(refused.message()),
            "no poller seen for task queue recently, worker may be down");
}

// Without a first task there is nothing to ask.
TEST_F(QueryTest, before_first_wft) {
  start([](Start& request) { request.mutable_workflow_start_delay()->set_seconds(60); });
  wf::QueryWorkflowRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.mutable_query()->set_query_type("state");

  for (const int seconds : {3, 0}) {  // Zero is none.
    const auto reply = rpc<wf::QueryWorkflowResponse>(request, std::chrono::seconds(seconds));

    EXPECT_EQ(reply.status().code(), absl::StatusCode::kFailedPrecondition) << reply.status();
    EXPECT_EQ(std::string(reply.status().message()), "Workflow task is not scheduled yet.");
  }
}

TEST_F(QueryTest, wft_failing_fp) {
  start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(fail_task(poll()).ok());

  const absl::Status refused = query("state").status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("Unable to query workflow due to Workflow Task in failed state."));
}

// A long history comes in pages, as with workflow tasks: one message could not hold any.
TEST_F(QueryTest, query_task_with_a_long_history) {
  start();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(signal(absl::StrCat("s", i)).ok());
  respond(poll(), {complete_workflow()});
  AsyncQuery waiting(*this);

  const Task task = poll();

  EXPECT_LT(task.history().events_size(), 300);
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = task.workflow_execution();
  request.set_next_page_token(task.next_page_token());
  auto rest = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  ASSERT_TRUE(answer_query(task, "whole").ok());
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(task.history().events_size() + rest->history().events_size(), 305);
  EXPECT_EQ(rest->next_page_token(), "");
}

}  // namespace
}  // namespace chimera::conformance
