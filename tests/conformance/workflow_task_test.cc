// B: workflow tasks.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

class WorkflowTaskTest : public Session {};

TEST_F(WorkflowTaskTest, wft_first_history) {
  std::string run_id = start();

  Task task = poll();

  EXPECT_EQ(task.workflow_execution().run_id(), run_id);
  EXPECT_EQ(task.workflow_type().name(), "Case");
  EXPECT_EQ(task.previous_started_event_id(), 0);
  EXPECT_EQ(task.started_event_id(), 3);
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.history().events_size(), 3);
  EXPECT_EQ(task.history().events(2).event_type(), enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  EXPECT_EQ(task.workflow_execution_task_queue().name(), queue);
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, wft_sticky_partial) {
  start();
  respond_sticky(poll(), {});
  StickyPoll sticky_poll(*this);
  ASSERT_TRUE(signal("go").ok());

  Task task = sticky_poll.task();

  EXPECT_EQ(task.previous_started_event_id(), 3);
  ASSERT_GT(task.history().events_size(), 0);
  EXPECT_EQ(task.history().events(0).event_id(), 4);
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted Signaled TaskScheduled TaskStarted");
  HistoryEvent scheduled = history()[5];
  EXPECT_EQ(scheduled.workflow_task_scheduled_event_attributes().task_queue().name(), sticky);
  EXPECT_EQ(scheduled.workflow_task_scheduled_event_attributes().task_queue().normal_name(), queue);
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, sticky_timeout_fallback) {
  start();
  respond_sticky(poll(), {});
  // A poller seen lately makes the server trust the sticky queue.
  StickyPoll sticky_poll(*this);
  ASSERT_TRUE(signal("one").ok());
  respond_sticky(sticky_poll.task(), {});
  ASSERT_TRUE(signal("two").ok());

  Task task = poll();

  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.history().events(0).event_id(), 1);
  EXPECT_THAT(events(), HasSubstr("Signaled TaskScheduled TaskTimedOut TaskScheduled TaskStarted"));
  HistoryEvent timed_out = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
  EXPECT_EQ(timed_out.workflow_task_timed_out_event_attributes().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  respond(task, {complete_workflow()});
}

// A sticky queue that nobody polled for 10 s is not tried.
TEST_F(WorkflowTaskTest, sticky_worker_gone_10s) {
  start();
  respond_sticky(poll(), {});
  {
    StickyPoll sticky_poll(*this);
    ASSERT_TRUE(signal("one").ok());
    respond_sticky(sticky_poll.task(), {});
  }
  ASSERT_TRUE(no_task_within(milliseconds(11000)));
  ASSERT_TRUE(signal("two").ok());

  Task task = poll();

  EXPECT_EQ(task.history().events(0).event_id(), 1);
  EXPECT_THAT(events(), Not(HasSubstr("TaskTimedOut")));
  respond(task, {complete_workflow()});
}

// The task after a worker's goodbye does not wait for the sticky queue's timeout.
TEST_F(WorkflowTaskTest, shutdown_worker) {
  start();
  respond_sticky(poll(), {});
  {
    StickyPoll sticky_poll(*this);
    ASSERT_TRUE(signal("one").ok());
    respond_sticky(sticky_poll.task(), {});
  }
  wf::ShutdownWorkerRequest goodbye;
  goodbye.set_namespace_("default");
  goodbye.set_identity("worker");
  goodbye.set_sticky_task_queue(sticky);
  ASSERT_TRUE(rpc<wf::ShutdownWorkerResponse>(goodbye).ok());
  ASSERT_TRUE(signal("two").ok());

  Task task = poll();

  EXPECT_EQ(task.history().events(0).event_id(), 1);
  EXPECT_THAT(events(), Not(HasSubstr("TaskTimedOut")));
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, wft_failed_event_attempt1) {
  start();
  ASSERT_TRUE(fail_task(poll(), "a bug").ok());

  Task task = poll();

  EXPECT_EQ(task.attempt(), 2);
  HistoryEvent failed = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  EXPECT_EQ(failed.workflow_task_failed_event_attributes().failure().message(), "a bug");
  EXPECT_EQ(failed.workflow_task_failed_event_attributes().identity(), "worker");
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, wft_transient_hidden) {
  start();
  ASSERT_TRUE(fail_task(poll()).ok());

  Task task = poll();

  // The poll shows the transient task; the stored history does not.
  const auto& shown = task.history().events();
  EXPECT_EQ(shown[shown.size() - 1].event_type(), enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  EXPECT_EQ(shown[shown.size() - 1].event_id(), 6);
  ASSERT_TRUE(fail_task(task).ok());
  EXPECT_EQ(describe().workflow_execution_info().history_length(), 4);
}

// A read of the history shows the unwritten events of the retry at the end, a read from the end
// does not.
TEST_F(WorkflowTaskTest, transient_in_history) {
  start();
  ASSERT_TRUE(fail_task(poll()).ok());
  const Task task = poll();
  wf::GetWorkflowExecutionHistoryReverseRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();

  const std::string shown = events();
  headers = {{"client-name", "temporal-cli"}};
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed") << "the CLI sees no task";
  headers.clear();
  const auto reverse = rpc<wf::GetWorkflowExecutionHistoryReverseResponse>(request);

  const auto info = rpc<wf::GetSystemInfoResponse>(wf::GetSystemInfoRequest());
  ASSERT_TRUE(info.ok()) << info.status();
  // Expected deviation: the genuine server 1.29 shows what is written.
  const bool written_only = info->server_version().starts_with("1.29");
  EXPECT_EQ(shown, absl::StrCat("Started TaskScheduled TaskStarted TaskFailed",
                                written_only ? "" : " TaskScheduled TaskStarted"));
  ASSERT_TRUE(reverse.ok()) << reverse.status();
  EXPECT_EQ(reverse->history().events_size(), 4);
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, transient_written_on_success) {
  start();
  ASSERT_TRUE(fail_task(poll()).ok());

  respond(poll(), {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskCompleted "
            "Completed");
}

TEST_F(WorkflowTaskTest, transient_to_normal_on_signal) {
  start();
  ASSERT_TRUE(fail_task(poll()).ok());
  ASSERT_TRUE(signal("wake").ok());

  Task task = poll();
  respond(task, {complete_workflow()});

  EXPECT_THAT(events(), HasSubstr("TaskFailed Signaled TaskScheduled TaskStarted TaskCompleted"));
}

TEST_F(WorkflowTaskTest, wft_timeout) {
  start([](Start& request) { request.mutable_workflow_task_timeout()->set_seconds(1); });
  poll();  // And never answered.

  Task task = poll(std::chrono::seconds(15));

  EXPECT_EQ(task.attempt(), 2);
  HistoryEvent timed_out = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
  EXPECT_EQ(timed_out.workflow_task_timed_out_event_attributes().timeout_type(),
            enums::TIMEOUT_TYPE_START_TO_CLOSE);
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, wft_timeout_growth) {
  start();
  std::vector<std::int64_t> timeouts;
  for (int i = 0; i < 6; ++i) {
    Task task = poll(std::chrono::seconds(20));
    for (const HistoryEvent& event : task.history().events()) {
      if (event.event_id() + 1 != task.started_event_id()) continue;
      timeouts.push_back(
          event.workflow_task_scheduled_event_attributes().start_to_close_timeout().seconds());
    }
    ASSERT_TRUE(fail_task(task).ok());
  }

  // By 5 s, doubled with each attempt; the genuine server takes up to a fifth off.
  EXPECT_THAT(timeouts, ElementsAre(10, 10, 10, AllOf(Ge(14), Le(15)), AllOf(Ge(18), Le(20)),
                                    AllOf(Ge(26), Le(30))));
}

// Server 1.29 has it not, and says so.
TEST_F(WorkflowTaskTest, reported_problems_sa) {
  wf::DescribeNamespaceRequest about;
  about.set_namespace_(ns);
  const auto described = rpc<wf::DescribeNamespaceResponse>(about);
  ASSERT_TRUE(described.ok()) << described.status();
  const bool capable =
      described->namespace_info().capabilities().reported_problems_search_attribute();
  start();
  auto problems = [this] {
    const auto info = describe().workflow_execution_info();
    const auto& fields = info.search_attributes().indexed_fields();
    auto it = fields.find("TemporalReportedProblems");
    return it == fields.end() ? std::string() : it->second.data();
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(problems(), "") << i;
    ASSERT_TRUE(fail_task(poll(std::chrono::seconds(20))).ok());
  }

  EXPECT_EQ(problems(), !capable
                            ? ""
                            : "[\"category=WorkflowTaskFailed\","
                              "\"cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure\"]");
  respond(poll(std::chrono::seconds(20)), {});
  EXPECT_EQ(problems(), "");
}

TEST_F(WorkflowTaskTest, heartbeat_force_create) {
  start();

  auto reply = respond(poll(), {},
                       [](Respond& request) { request.set_force_create_new_workflow_task(true); });
  Task task = poll();
  respond(task, {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TaskScheduled TaskStarted "
            "TaskCompleted Completed");
}

// Half an hour, but for this server's setting. What only heartbeats shall not live for ever.
TEST_F(WorkflowTaskTest, heartbeat_30min) {
  start();
  const auto heartbeat = [](Respond& request) {
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
  };
  Task task = poll();
  const auto end = std::chrono::steady_clock::now() + 2 * kHeartbeatsMax;
  absl::Status refused;
  while (std::chrono::steady_clock::now() < end) {
    absl::SleepFor(absl::Seconds(1));
    const auto answer = try_respond(task, {}, heartbeat);
    refused = answer.status();
    if (!refused.ok()) break;
    task = answer->workflow_task();
  }

  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  EXPECT_EQ(std::string(refused.message()), "workflow task heartbeat timeout");
  EXPECT_THAT(events(), testing::HasSubstr("TaskTimedOut"));
}

TEST_F(WorkflowTaskTest, return_new_task) {
  start();
  Task task = poll();
  ASSERT_TRUE(signal("buffered").ok());

  auto reply = respond(task, {}, [](Respond& request) {
    request.set_return_new_workflow_task(true);
    request.set_force_create_new_workflow_task(false);
  });

  ASSERT_TRUE(reply.has_workflow_task());
  EXPECT_EQ(reply.workflow_task().previous_started_event_id(), 3);
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted Signaled TaskScheduled TaskStarted");
  respond(reply.workflow_task(), {complete_workflow()});
}

TEST_F(WorkflowTaskTest, stale_token_nf) {
  start();
  Task task = poll();
  respond(task, {});

  auto again = try_respond(task, {});

  EXPECT_EQ(again.status().code(), absl::StatusCode::kNotFound) << again.status();
  EXPECT_EQ(std::string(again.status().message()), "Workflow task not found.");
}

TEST_F(WorkflowTaskTest, history_paging_in_poll) {
  start();
  std::vector<Command> markers;
  for (int i = 0; i < 600; ++i) markers.push_back(marker("m"));
  respond(poll(), std::move(markers));
  ASSERT_TRUE(signal("go").ok());

  Task task = poll();

  // One batch holds all markers; a page counts batches, so nothing is cut here.
  EXPECT_EQ(task.history().events(task.history().events_size() - 1).event_type(),
            enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  EXPECT_EQ(task.history().events_size(), 607);
  respond(task, {complete_workflow()});
}

TEST_F(WorkflowTaskTest, sdk_metadata_is_recorded) {
  start();

  respond(poll(), {complete_workflow()}, [](Respond& request) {
    request.mutable_sdk_metadata()->set_sdk_name("case");
    request.mutable_sdk_metadata()->add_lang_used_flags(7);
  });

  HistoryEvent completed = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  const auto& attributes = completed.workflow_task_completed_event_attributes();
  EXPECT_EQ(attributes.sdk_metadata().sdk_name(), "case");
  EXPECT_EQ(attributes.sdk_metadata().lang_used_flags(0), 7u);
  EXPECT_EQ(attributes.scheduled_event_id(), 2);
  EXPECT_EQ(attributes.started_event_id(), 3);
  EXPECT_EQ(attributes.identity(), "worker");
}

// Causes come from newer workers, too: the API's enums are open.
TEST_F(WorkflowTaskTest, unknown_failure_cause) {
  start();
  wf::RespondWorkflowTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll().task_token());
  request.set_cause(static_cast<enums::WorkflowTaskFailedCause>(12345));
  request.mutable_failure()->set_message("from the future");

  ASSERT_TRUE(rpc<wf::RespondWorkflowTaskFailedResponse>(request).ok());

  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            12345);
  respond(poll(), {complete_workflow()});
}

}  // namespace
}  // namespace chimera::conformance
