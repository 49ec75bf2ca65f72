// Limits: what too long a name, too large a payload or too many pending things do.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class LimitsTest : public Session {
 protected:
  static std::string big() { return std::string(3 << 20, 'x'); }
  static std::string long_id() { return std::string(1001, 'n'); }

  // The workflow task fails and the workflow is terminated, both with the same text.
  void expect_terminated(const Command& command, const std::string& text) {
    start();
    auto reply = try_respond(poll(), {command});

    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    EXPECT_EQ(std::string(reply.status().message()), text);
    EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed Terminated");
    const auto terminated = last_event().workflow_execution_terminated_event_attributes();
    EXPECT_EQ(terminated.reason(), text);
    EXPECT_EQ(terminated.identity(), "history-service");
  }

  // The activity has failed for good by the server's word.
  void expect_activity_failed(const std::string& text) {
    const auto failed =
        event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED).activity_task_failed_event_attributes();
    EXPECT_EQ(failed.failure().message(), text);
    EXPECT_TRUE(failed.failure().server_failure_info().non_retryable());
    EXPECT_EQ(failed.retry_state(), enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  }

  // A task's first page has not the whole of a long history: its last event comes with the rest.
  Task poll_rest(Task task) {
    while (!task.next_page_token().empty()) {
      wf::GetWorkflowExecutionHistoryRequest request;
      request.set_namespace_(ns);
      *request.mutable_execution() = execution();
      request.set_next_page_token(task.next_page_token());
      auto page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
      if (!page.ok()) break;
      task.mutable_history()->MergeFrom(page->history());
      task.set_next_page_token(page->next_page_token());
    }
    return task;
  }

  ActivityTask running_activity() {
    start();
    respond(poll(), {schedule_activity("a")});
    return poll_activity();
  }

  void expect_refused(const absl::Status& status, const std::string& text) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
};

TEST_F(LimitsTest, start_blob_limit) {
  Start request = start_request();
  *request.mutable_input() = payloads(big());

  expect_refused(rpc<wf::StartWorkflowExecutionResponse>(request).status(),
                 "Blob data size exceeds limit.");
}

TEST_F(LimitsTest, start_memo_limit) {
  Start request = start_request();
  (*request.mutable_memo()->mutable_fields())["note"] = payload(big());

  expect_refused(rpc<wf::StartWorkflowExecutionResponse>(request).status(),
                 "Memo size exceeds limit.");
}

TEST_F(LimitsTest, start_name_lengths) {
  auto refusal = [this](const std::function<void(Start&)>& change) {
    Start request = start_request();
    change(request);
    return rpc<wf::StartWorkflowExecutionResponse>(request).status();
  };

  expect_refused(refusal([](Start& r) { r.set_workflow_id(long_id()); }), "WorkflowId");
  expect_refused(refusal([](Start& r) { r.mutable_workflow_type()->set_name(long_id()); }),
                 "WorkflowType length exceeds limit.");
  expect_refused(refusal([](Start& r) { r.mutable_task_queue()->set_name(long_id()); }),
                 "taskQueue length exceeds limit");
  expect_refused(refusal([](Start& r) { r.set_request_id(long_id()); }),
                 "RequestId length exceeds limit.");
}

TEST_F(LimitsTest, signal_limits) {
  start();
  wf::SignalWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.set_signal_name("s");
  *request.mutable_input() = payloads(big());

  expect_refused(rpc<wf::SignalWorkflowExecutionResponse>(request).status(),
                 "Blob data size exceeds limit.");
  request.clear_input();
  expect_refused(signal(long_id()), "SignalName length exceeds limit.");
  expect_refused(signal("s", long_id()), "RequestId length exceeds limit.");
  EXPECT_EQ(events(), "Started TaskScheduled");
}

TEST_F(LimitsTest, query_args_limit) {
  start();
  wf::QueryWorkflowRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.mutable_query()->set_query_type("state");
  *request.mutable_query()->mutable_query_args() = payloads(big());

  expect_refused(rpc<wf::QueryWorkflowResponse>(request).status(), "Blob data size exceeds limit.");
}

TEST_F(LimitsTest, query_result_limit) {
  start();
  respond(poll(), {});
  absl::Status asked;
  std::thread client([&] {
    wf::QueryWorkflowRequest request;
    request.set_namespace_(ns);
    *request.mutable_execution() = execution();
    request.mutable_query()->set_query_type("state");
    asked = rpc<wf::QueryWorkflowResponse>(request).status();
  });
  wf::RespondQueryTaskCompletedRequest answer;
  answer.set_namespace_(ns);
  answer.set_task_token(poll().task_token());
  answer.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  *answer.mutable_query_result() = payloads(big());
  const auto answered = rpc<wf::RespondQueryTaskCompletedResponse>(answer);
  client.join();

  EXPECT_TRUE(answered.ok()) << answered.status();
  expect_refused(asked, "Blob data size exceeds limit.");
}

TEST_F(LimitsTest, blob_limit_terminates) {
  expect_terminated(complete_workflow(big()),
                    "BadScheduleActivityAttributes: "
                    "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.");
}

TEST_F(LimitsTest, blob_limit_terminates_activity_input) {
  Command command = schedule_activity("a");
  auto& a = *command.mutable_schedule_activity_task_command_attributes();
  *a.mutable_input() = payloads(big());
  expect_terminated(command,
                    "BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input "
                    "exceeds size limit.");
}

TEST_F(LimitsTest, blob_limit_terminates_marker) {
  Command command = marker("m");
  (*command.mutable_record_marker_command_attributes()->mutable_details())["data"] =
      payloads(big());
  expect_terminated(command,
                    "BadRecordMarkerAttributes: RecordMarkerCommandAttributes.Details exceeds size "
                    "limit.");
}

TEST_F(LimitsTest, blob_limit_terminates_failure) {
  expect_terminated(fail_workflow(big()),
                    "BadFailWorkflowExecutionAttributes: "
                    "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.");
}

TEST_F(LimitsTest, blob_limit_terminates_continue_as_new) {
  expect_terminated(continue_as_new(big()),
                    "BadContinueAsNewAttributes: ContinueAsNewWorkflowExecutionCommandAttributes. "
                    "Input exceeds size limit.");
}

TEST_F(LimitsTest, activity_result_limit) {
  EXPECT_TRUE(complete_activity(running_activity(), big()).ok());

  expect_activity_failed("Complete result exceeds size limit.");
}

TEST_F(LimitsTest, activity_failure_limit) {
  EXPECT_TRUE(fail_activity(running_activity(), big(), "Oops").ok());

  expect_activity_failed("Failure exceeds size limit.");
  const auto cause = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED)
                         .activity_task_failed_event_attributes()
                         .failure()
                         .cause();
  EXPECT_EQ(cause.application_failure_info().type(), "Oops");
  EXPECT_THAT(cause.message(), testing::StartsWith("xxx"));
}

TEST_F(LimitsTest, retried_activity_failure_limit) {
  start();
  respond(poll(), {schedule_activity("1", [](auto& a) {
            a.mutable_retry_policy()->mutable_initial_interval()->set_seconds(60);
          })});
  wf::RespondActivityTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll_activity().task_token());
  request.mutable_failure()->set_message(std::string(4000, 'm'));
  request.mutable_failure()->set_stack_trace(std::string(4000, 's'));
  request.mutable_failure()->mutable_application_failure_info()->set_type("Type");

  ASSERT_TRUE(rpc<wf::RespondActivityTaskFailedResponse>(request).ok());

  const auto described = describe();
  ASSERT_EQ(described.pending_activities_size(), 1);
  const auto& failure = described.pending_activities(0).last_failure();
  EXPECT_EQ(failure.message(), "Failure exceeds size limit.");
  EXPECT_TRUE(failure.has_server_failure_info());
  EXPECT_FALSE(failure.server_failure_info().non_retryable());
  EXPECT_EQ(failure.cause().application_failure_info().type(), "Type");
  EXPECT_EQ(failure.cause().message(), std::string(4000, 'm'));
  EXPECT_EQ(failure.cause().stack_trace(), std::string(76, 's'));
}

TEST_F(LimitsTest, activity_heartbeat_limit) {
  wf::RecordActivityTaskHeartbeatRequest request;
  request.set_namespace_(ns);
  request.set_task_token(running_activity().task_token());
  *request.mutable_details() = payloads(big());

  auto reply = rpc<wf::RecordActivityTaskHeartbeatResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->cancel_requested());
  expect_activity_failed("Heartbeat details exceed size limit.");
}

TEST_F(LimitsTest, command_name_lengths) {
  start();
  auto reply = try_respond(poll(), {start_timer(long_id(), milliseconds(10))});

  expect_refused(reply.status(),
                 "BadStartTimerAttributes: TimerId on StartTimerCommand exceeds length limit. "
                 "TimerId=nnn");
  expect_refused(reply.status(), "Length=1001 Limit=1000");
}

TEST_F(LimitsTest, pending_activities_limit) {
  start();
  std::vector<Command> commands;
  for (int i = 0; i <= 2000; ++i) commands.push_back(schedule_activity(std::to_string(i)));

  auto reply = try_respond(poll(), std::move(commands));

  expect_refused(reply.status(),
                 "PendingActivitiesLimitExceeded: the number of pending activities, 2000, has "
                 "reached the per-workflow limit of 2000");
}

TEST_F(LimitsTest, pending_signals_limit) {
  start();
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto& a = *command.mutable_signal_external_workflow_execution_command_attributes();
  a.mutable_execution()->set_workflow_id("other");
  a.set_signal_name("s");

  auto reply = try_respond(poll(), std::vector<Command>(2001, command));

  expect_refused(reply.status(),
                 "PendingSignalsLimitExceeded: the number of pending signals to external "
                 "workflows, 2000, has reached the per-workflow limit of 2000");
}

TEST_F(LimitsTest, suggest_continue_as_new) {
  start();
  Task task = poll();
  auto suggested = [](const Task& of) {
    return of.history().events().rbegin()->workflow_task_started_event_attributes();
  };
  EXPECT_FALSE(suggested(task).suggest_continue_as_new());
  respond(task, std::vector<Command>(kSuggestEvents, marker("m")));
  ASSERT_TRUE(signal("wake").ok());

  task = poll_rest(poll());

  EXPECT_TRUE(suggested(task).suggest_continue_as_new());
  if (!server_is("1.29")) {
    EXPECT_THAT(
        suggested(task).suggest_continue_as_new_reasons(),
        testing::ElementsAre(enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS));
  }
  EXPECT_GT(suggested(task).history_size_bytes(), 0);
}

TEST_F(LimitsTest, history_count_limit) {
  start();
  const int rounds = kHistoryEventsMax / 1000 + 1;
  for (int i = 0; i < rounds && describe().workflow_execution_info().status() ==
                                    enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
       ++i) {
    (void)try_respond(poll(), std::vector<Command>(1000, marker("m")),
                      [](Respond& request) { request.set_force_create_new_workflow_task(true); });
  }

  const HistoryEvent terminated = wait_closed();
  EXPECT_EQ(terminated.workflow_execution_terminated_event_attributes().reason(),
            "Workflow history count exceeds limit.");
  EXPECT_EQ(terminated.workflow_execution_terminated_event_attributes().identity(),
            "history-service");
}

TEST_F(LimitsTest, wft_failure_limit) {
  start();
  ASSERT_TRUE(fail_task(poll(), big()).ok());

  const auto failed =
      event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED).workflow_task_failed_event_attributes();
  EXPECT_EQ(failed.failure().message(), "Failure exceeds size limit.");
  EXPECT_THAT(failed.failure().cause().message(), testing::StartsWith("xxx"));
}

}  // namespace
}  // namespace chimera::conformance
