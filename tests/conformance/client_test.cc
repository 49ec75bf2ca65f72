// G: signal, cancel, terminate. I: queries. J: chains. K: history reads. F: children.
#include <thread>

#include "absl/synchronization/notification.h"
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "tests/conformance/session.h"
#include "tests/conformance/target.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class ClientTest : public Session {
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
};

TEST_F(ClientTest, signal_dedup) {
  start();
  ASSERT_TRUE(signal("go", "same-request").ok());
  ASSERT_TRUE(signal("go", "same-request").ok());

  EXPECT_EQ(events(), "Started TaskScheduled Signaled");
}

TEST_F(ClientTest, signal_closed_nf) {
  start();
  respond(poll(), {complete_workflow()});

  absl::Status refused = signal("late");

  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  EXPECT_EQ(std::string(refused.message()), "workflow execution already completed");
}

TEST_F(ClientTest, signal_unknown_nf) {
  absl::Status refused = signal("any");

  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  EXPECT_EQ(std::string(refused.message()), "workflow not found for ID: " + id);
}

TEST_F(ClientTest, signal_attributes) {
  start();
  ASSERT_TRUE(signal("go").ok());

  const auto signaled = event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
                            .workflow_execution_signaled_event_attributes();
  EXPECT_EQ(signaled.signal_name(), "go");
  EXPECT_EQ(signaled.input().payloads(0).data(), "\"value\"");
  EXPECT_EQ(signaled.identity(), "client");
}

TEST_F(ClientTest, sws_new) {
  wf::SignalWithStartWorkflowExecutionRequest request;
  Start base = start_request();
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  *request.mutable_workflow_type() = base.workflow_type();
  *request.mutable_task_queue() = base.task_queue();
  request.set_request_id(base.request_id());
  request.set_signal_name("go");
  auto reply = rpc<wf::SignalWithStartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(events(), "Started Signaled TaskScheduled");
}

TEST_F(ClientTest, sws_existing) {
  std::string run_id = start();
  wf::SignalWithStartWorkflowExecutionRequest request;
  Start base = start_request();
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  *request.mutable_workflow_type() = base.workflow_type();
  *request.mutable_task_queue() = base.task_queue();
  request.set_request_id(base.request_id());
  request.set_signal_name("go");
  auto reply = rpc<wf::SignalWithStartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->run_id(), run_id);
  EXPECT_EQ(events(), "Started TaskScheduled Signaled");
}

TEST_F(ClientTest, cancel_twice) {
  start();
  ASSERT_TRUE(request_cancel().ok());
  ASSERT_TRUE(request_cancel().ok());

  EXPECT_EQ(events(), "Started TaskScheduled CancelRequested");
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
                .workflow_execution_cancel_requested_event_attributes()
                .cause(),
            "enough");
  respond(poll(), {cancel_workflow()});
  EXPECT_EQ(last_event().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
}

TEST_F(ClientTest, cancel_closed_ok) {
  start();
  respond(poll(), {complete_workflow()});

  EXPECT_TRUE(request_cancel().ok());
}

TEST_F(ClientTest, terminate_started_wft) {
  start();
  poll();
  ASSERT_TRUE(terminate("over").ok());

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed Terminated");
  EXPECT_EQ(last_event().workflow_execution_terminated_event_attributes().reason(), "over");
  EXPECT_EQ(terminate().code(), absl::StatusCode::kNotFound);
}

TEST_F(ClientTest, first_run_id_guard) {
  start();
  wf::TerminateWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.set_first_execution_run_id("01234567-0123-7123-8123-0123456789ab");

  auto refused = rpc<wf::TerminateWorkflowExecutionResponse>(request);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << refused.status();
}

TEST_F(ClientTest, direct_normal_full_history) {
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
TEST_F(ClientTest, query_sees_a_signal_before_it) {
  start();
  Task first = poll();
  ASSERT_TRUE(signal("go").ok());
  wf::QueryWorkflowRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.mutable_query()->set_query_type("state");
  wf::QueryWorkflowResponse reply;
  absl::Notification answered;
  target().connection->call(CHIMERA_WORKFLOW_SERVICE(QueryWorkflow), &request, &reply,
                            {.namespace_ = ns}, [&](absl::Status status) {
                              EXPECT_TRUE(status.ok()) << status;
                              answered.Notify();
                            });

  respond(first, {});
  Task second = poll();

  EXPECT_FALSE(second.has_query());
  EXPECT_EQ(second.queries_size(), 1);
  respond(second, {}, [&](Respond& completion) {
    for (const auto& [id, query] : second.queries()) {
      auto& result = (*completion.mutable_query_results())[id];
      result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
      *result.mutable_answer() = payloads("\"seen\"");
    }
  });
  answered.WaitForNotification();
  EXPECT_EQ(reply.query_result().payloads(0).data(), "\"seen\"");
}

TEST_F(ClientTest, direct_sticky) {
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

TEST_F(ClientTest, failed_detail) {
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

TEST_F(ClientTest, query_closed_workflow) {
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

TEST_F(ClientTest, reject_conditions) {
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

TEST_F(ClientTest, can) {
  std::string first = start();
  respond(poll(), {continue_as_new("second")});

  Task task = poll(std::chrono::seconds(15));

  EXPECT_NE(task.workflow_execution().run_id(), first);
  const auto continued = last_event(first).workflow_execution_continued_as_new_event_attributes();
  EXPECT_EQ(continued.new_execution_run_id(), task.workflow_execution().run_id());
  const auto started = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.continued_execution_run_id(), first);
  EXPECT_EQ(started.first_execution_run_id(), first);
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
  EXPECT_EQ(started.input().payloads(0).data(), "\"second\"");
  respond(task, {complete_workflow()});
}

TEST_F(ClientTest, retry_workflow) {
  std::string first = start([](Start& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_nanos(50'000'000);
    request.mutable_retry_policy()->set_maximum_attempts(2);
  });
  respond(poll(), {fail_workflow("one")});

  Task task = poll(std::chrono::seconds(15));

  const auto started = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.attempt(), 2);
  EXPECT_EQ(started.continued_failure().message(), "one");
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
  EXPECT_EQ(last_event(first).workflow_execution_failed_event_attributes().new_execution_run_id(),
            task.workflow_execution().run_id());
  respond(task, {fail_workflow("two")});
  EXPECT_EQ(wait_closed().workflow_execution_failed_event_attributes().retry_state(),
            enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST_F(ClientTest, wait_new_event) {
  start();
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.set_wait_new_event(true);
  auto first = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_FALSE(first->next_page_token().empty());
  request.set_next_page_token(first->next_page_token());
  absl::StatusOr<wf::GetWorkflowExecutionHistoryResponse> next = absl::UnknownError("not run");
  std::thread reader([&] { next = rpc<wf::GetWorkflowExecutionHistoryResponse>(request); });

  ASSERT_TRUE(signal("news").ok());
  reader.join();

  ASSERT_TRUE(next.ok()) << next.status();
  ASSERT_EQ(next->history().events_size(), 1);
  EXPECT_EQ(next->history().events(0).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
}

TEST_F(ClientTest, close_event_wait) {
  start();
  Task task = poll();
  HistoryEvent closed;
  std::thread waiter([&] { closed = wait_closed(); });

  respond(task, {complete_workflow("value")});
  waiter.join();

  EXPECT_EQ(closed.workflow_execution_completed_event_attributes().result().payloads(0).data(),
            "\"value\"");
}

TEST_F(ClientTest, page_token_resume) {
  start();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(signal("s" + std::to_string(i)).ok());
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.set_maximum_page_size(2);

  std::vector<std::int64_t> ids;
  int pages = 0;
  do {
    auto page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& event : page->history().events()) ids.push_back(event.event_id());
    request.set_next_page_token(page->next_page_token());
    ++pages;
  } while (!request.next_page_token().empty() && pages < 20);

  EXPECT_THAT(ids, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_GE(pages, 3);
}

TEST_F(ClientTest, reverse) {
  start();
  ASSERT_TRUE(signal("one").ok());
  wf::GetWorkflowExecutionHistoryReverseRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();

  auto reply = rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->history().events_size(), 3);
  EXPECT_EQ(reply->history().events(0).event_id(), 3);
}

TEST_F(ClientTest, child_ok) {
  start();
  respond(poll(), {start_child(id + "-child")});
  Task child, parent;
  for (int i = 0; i < 2;
       ++i) {  // The child's first task and the parent's "child started", in either order.
    Task task = poll();
    (task.workflow_type().name() == "Child" ? child : parent) = task;
  }
  respond(parent, {});

  respond(child, {complete_workflow("from child")});
  Task task = poll();
  respond(task, {complete_workflow()});

  const auto done = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                        .child_workflow_execution_completed_event_attributes();
  EXPECT_EQ(done.result().payloads(0).data(), "\"from child\"");
  EXPECT_EQ(done.initiated_event_id(), 5);
  EXPECT_THAT(events(), HasSubstr("StartChildInitiated ChildStarted"));
}

TEST_F(ClientTest, describe_running_and_closed) {
  std::string run_id = start();
  auto running = describe().workflow_execution_info();
  EXPECT_EQ(running.status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(running.execution().run_id(), run_id);
  EXPECT_EQ(running.task_queue(), queue);
  EXPECT_EQ(running.history_length(), 2);

  respond(poll(), {complete_workflow()});

  auto closed = describe().workflow_execution_info();
  EXPECT_EQ(closed.status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(closed.history_length(), 5);
  EXPECT_TRUE(closed.has_close_time());
}

TEST_F(ClientTest, list_by_id_type_and_status) {
  start();
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query("WorkflowId = '" + id +
                    "' AND WorkflowType = 'Case' AND ExecutionStatus = 'Running'");

  // The genuine server's visibility store lags a little.
  int found = 0;
  for (int i = 0; i < 50 && found == 0; ++i) {
    auto reply = rpc<wf::ListWorkflowExecutionsResponse>(request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    found = reply->executions_size();
    if (found == 0) no_task_within(milliseconds(1));
  }

  EXPECT_EQ(found, 1);
}

TEST_F(ClientTest, unknown_attr_text) {
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query("Nope = 'x'");

  auto refused = rpc<wf::ListWorkflowExecutionsResponse>(request);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Nope"));
}

TEST_F(ClientTest, poll_timeout_empty) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(queue);

  auto reply = rpc<Task>(request, milliseconds(3000));

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->task_token().empty());
}

}  // namespace
}  // namespace chimera::conformance
