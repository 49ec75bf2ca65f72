// G: signal, cancel, terminate. K: history reads. F: children.
#include <thread>

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class ClientTest : public Session {};

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

// It waits with the workflow for the delay's end.
TEST_F(ClientTest, signal_during_backoff) {
  start([](Start& request) { request.mutable_workflow_start_delay()->set_seconds(2); });
  ASSERT_TRUE(signal("early").ok());
  EXPECT_EQ(events(), "Started Signaled");

  respond(poll(), {});

  EXPECT_EQ(events(), "Started Signaled TaskScheduled TaskStarted TaskCompleted");
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

// Whatever there is, of the start and of the signal; for a new run and for one that is there.
TEST_F(ClientTest, sws_attributes) {
  wf::SignalWithStartWorkflowExecutionRequest request;
  Start base = start_request();
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  *request.mutable_workflow_type() = base.workflow_type();
  *request.mutable_task_queue() = base.task_queue();
  *request.mutable_input() = base.input();
  request.set_identity("client");
  request.set_request_id(base.request_id());
  request.set_signal_name("go");
  *request.mutable_signal_input() = payloads("\"said\"");
  (*request.mutable_header()->mutable_fields())["trace"] = payload("\"7\"");
  (*request.mutable_memo()->mutable_fields())["note"] = payload("\"kept\"");
  *request.mutable_user_metadata()->mutable_summary() = payload("\"in short\"");
  auto& link = *request.add_links()->mutable_workflow_event();
  link.set_namespace_("default");
  link.set_workflow_id("caller");
  link.set_run_id("6f0c4d2e-8f57-4f5b-9d5f-5b0f3a1b2c3d");
  auto reply = rpc<wf::SignalWithStartWorkflowExecutionResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  request.set_request_id(base.request_id() + "-2");
  reply = rpc<wf::SignalWithStartWorkflowExecutionResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();

  for (const HistoryEvent& event : history()) {
    if (event.has_workflow_execution_signaled_event_attributes()) {
      EXPECT_EQ(
          event.workflow_execution_signaled_event_attributes().header().fields().at("trace").data(),
          "\"7\"");
    }
  }
  EXPECT_EQ(history()[0].workflow_execution_started_event_attributes().header().fields_size(), 1);
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

// What the server has taken is in the history, also where nobody will answer it.
TEST_F(ClientTest, terminate_writes_buffered_events) {
  start();
  poll();
  ASSERT_TRUE(signal("meanwhile").ok());

  ASSERT_TRUE(terminate().ok());

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed Signaled Terminated");
}

TEST_F(ClientTest, terminate_with_a_transient_task_writes_buffered_events) {
  start();
  ASSERT_TRUE(fail_task(poll()).ok());
  EXPECT_EQ(poll().attempt(), 2);
  ASSERT_TRUE(signal("meanwhile").ok());

  ASSERT_TRUE(terminate().ok());

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed Signaled Terminated");
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

TEST_F(ClientTest, delete_running) {
  start();
  wf::DeleteWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  ASSERT_TRUE(rpc<wf::DeleteWorkflowExecutionResponse>(request).ok());

  // The genuine server deletes it a little later.
  absl::Status found;
  for (int i = 0; i < 50 && found.ok(); ++i) {
    wf::DescribeWorkflowExecutionRequest describe;
    describe.set_namespace_(ns);
    *describe.mutable_execution() = execution();
    found = rpc<wf::DescribeWorkflowExecutionResponse>(describe).status();
    if (found.ok()) no_task_within(milliseconds(1));
  }

  EXPECT_EQ(found.code(), absl::StatusCode::kNotFound) << found;
  EXPECT_EQ(signal("late").code(), absl::StatusCode::kNotFound);
}

// Older runs stay, under their run ids; the workflow id has no run until the next start.
TEST_F(ClientTest, delete_current) {
  const std::string older = start();
  ASSERT_TRUE(terminate().ok());
  const std::string newer = start();
  ASSERT_TRUE(terminate().ok());
  wf::DeleteWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  ASSERT_TRUE(rpc<wf::DeleteWorkflowExecutionResponse>(request).ok());
  const auto described = [this](const std::string& run_id) {
    wf::DescribeWorkflowExecutionRequest describe;
    describe.set_namespace_(ns);
    *describe.mutable_execution() = execution(run_id);
    return rpc<wf::DescribeWorkflowExecutionResponse>(describe).status();
  };
  // The genuine server deletes it a little later.
  for (int i = 0; i < 50 && described(newer).ok(); ++i) no_task_within(milliseconds(1));

  EXPECT_EQ(described("").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rpc<wf::DeleteWorkflowExecutionResponse>(request).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(described(older).ok());
  const std::string next = start();
  EXPECT_EQ(describe().workflow_execution_info().execution().run_id(), next);
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

TEST_F(ClientTest, token_run_mismatch) {
  const std::string first = start();
  ASSERT_TRUE(signal("one").ok());
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(first);
  request.set_maximum_page_size(1);
  auto page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_TRUE(terminate().ok());
  *request.mutable_execution() = execution(start());
  request.set_next_page_token(page->next_page_token());

  auto refused = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(), "RunId in the request does not match the NextPageToken.");
  request.set_next_page_token("no token");
  refused = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
}

TEST_F(ClientTest, reverse_token_run_mismatch) {
  wf::GetWorkflowExecutionHistoryReverseRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(start());
  request.set_maximum_page_size(1);
  ASSERT_TRUE(signal("one").ok());
  auto page = rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_TRUE(terminate().ok());
  *request.mutable_execution() = execution(start());
  request.set_next_page_token(page->next_page_token());

  auto refused = rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(), "RunId in the request does not match the NextPageToken.");
  request.set_next_page_token("no token");
  refused = rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
}

// 20s_empty: a wait for news ends without any after 20 s, with a token to go on.
TEST_F(ClientTest, wait_20s_empty) {
  start();
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.set_wait_new_event(true);
  auto page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
  ASSERT_TRUE(page.ok()) << page.status();
  request.set_next_page_token(page->next_page_token());
  const auto begun = std::chrono::steady_clock::now();

  page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->history().events_size(), 0);
  EXPECT_FALSE(page->next_page_token().empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15));
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

// Whatever its policy: a parent that closes in the task that initiates a child starts none.
TEST_F(ClientTest, child_of_a_parent_that_closes_at_once) {
  start();
  Command child = start_child(id + "-child");
  child.mutable_start_child_workflow_execution_command_attributes()->set_parent_close_policy(
      enums::PARENT_CLOSE_POLICY_ABANDON);
  respond(poll(), {child, complete_workflow()});
  EXPECT_EQ(wait_closed().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);

  EXPECT_TRUE(no_task_within(std::chrono::seconds(2)));

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted StartChildInitiated Completed");
  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  request.mutable_execution()->set_workflow_id(id + "-child");
  auto none = rpc<wf::DescribeWorkflowExecutionResponse>(request);
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound) << none.status();
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
