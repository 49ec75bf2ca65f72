// F: children, and what one workflow does to another.
#include <utility>

#include "absl/strings/match.h"

#include "core/base/proto_time.h"
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using api::command::v1::StartChildWorkflowExecutionCommandAttributes;
using testing::HasSubstr;

// The child is polled for on a queue of its own, so that its tasks and its parent's do not mix.
class ChildrenTest : public Session {
 protected:
  using Child = StartChildWorkflowExecutionCommandAttributes;

  ChildrenTest() : child_id(id + "-child"), child_queue(queue + "-child") {}

  Command child(const std::function<void(Child&)>& change = {}) const {
    Command command = start_child(child_id);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.mutable_task_queue()->set_name(child_queue);
    if (change) change(attributes);
    return command;
  }
  Task poll_child() { return poll_queue(child_queue, false, std::chrono::seconds(10)); }

  // A parent that has seen its child's start; the child's first task.
  Task parent_and_child(const std::function<void(Child&)>& change = {}) {
    start();
    respond(poll(), {child(change)});
    respond(poll(), {});
    return poll_child();
  }

  // The session's calls about the child instead of the parent.
  template <class Action>
  auto of_child(Action action) {
    std::swap(id, child_id);
    auto result = action();
    std::swap(id, child_id);
    return result;
  }
  std::string child_events() {
    return of_child([this] { return events(); });
  }
  HistoryEvent child_end() {
    return of_child([this] { return wait_closed(); });
  }
  // What the parent's next task shows that it did not know.
  std::string next_events() {
    const Task task = poll();
    std::string names;
    for (const HistoryEvent& event : task.history().events()) {
      const std::string name = short_name(event.event_type());
      if (name == "TaskCompleted") {
        names.clear();
      } else if (!absl::EndsWith(name, "Initiated")) {
        names += name + " ";
      }
    }
    respond(task, {});
    return names;
  }

  static Command signal_command(const std::string& workflow_id, const std::string& run_id = "",
                                bool child_only = false) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& a = *command.mutable_signal_external_workflow_execution_command_attributes();
    a.set_namespace_("default");
    a.mutable_execution()->set_workflow_id(workflow_id);
    a.mutable_execution()->set_run_id(run_id);
    a.set_signal_name("hello");
    *a.mutable_input() = payloads("\"said\"");
    (*a.mutable_header()->mutable_fields())["trace"] = payload("\"7\"");
    a.set_control("control");
    a.set_child_workflow_only(child_only);
    return command;
  }
  static Command cancel_command(const std::string& workflow_id, const std::string& run_id = "",
                                bool child_only = false) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& a = *command.mutable_request_cancel_external_workflow_execution_command_attributes();
    a.set_namespace_("default");
    a.set_workflow_id(workflow_id);
    a.set_run_id(run_id);
    a.set_reason("not needed");
    a.set_control("control");
    a.set_child_workflow_only(child_only);
    return command;
  }

  std::string child_id, child_queue;
};

// --- Ends of a child ---

TEST_F(ChildrenTest, child_fail_types) {
  const Task task = parent_and_child();
  Command fails = fail_workflow("no luck", true);
  auto& failure = *fails.mutable_fail_workflow_execution_command_attributes()->mutable_failure();
  failure.mutable_application_failure_info()->set_type("Unlucky");
  *failure.mutable_application_failure_info()->mutable_details() = payloads("\"why\"");
  failure.mutable_cause()->set_message("rain");
  failure.mutable_cause()->mutable_application_failure_info()->set_type("Weather");
  respond(task, {fails});

  EXPECT_EQ(next_events(), "ChildFailed TaskScheduled TaskStarted ");
  const auto failed = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                          .child_workflow_execution_failed_event_attributes();
  EXPECT_EQ(failed.failure().message(), "no luck");
  EXPECT_EQ(failed.failure().cause().message(), "rain");
  EXPECT_EQ(failed.retry_state(), enums::RETRY_STATE_RETRY_POLICY_NOT_SET);
}

TEST_F(ChildrenTest, child_fails_after_its_last_attempt) {
  const auto twice = [](Child& a) {
    base::set_duration(milliseconds(10), *a.mutable_retry_policy()->mutable_initial_interval());
    a.mutable_retry_policy()->set_maximum_attempts(2);
  };
  respond(parent_and_child(twice), {fail_workflow("once")});
  respond(poll_child(), {fail_workflow("twice")});

  EXPECT_EQ(next_events(), "ChildFailed TaskScheduled TaskStarted ");
  const auto failed = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                          .child_workflow_execution_failed_event_attributes();
  EXPECT_EQ(failed.failure().message(), "twice");
  EXPECT_EQ(failed.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST_F(ChildrenTest, child_fails_for_good) {
  const auto choosy = [](Child& a) {
    base::set_duration(milliseconds(10), *a.mutable_retry_policy()->mutable_initial_interval());
    a.mutable_retry_policy()->add_non_retryable_error_types("Fatal");
  };
  const Task task = parent_and_child(choosy);
  Command fails = fail_workflow("the end");
  fails.mutable_fail_workflow_execution_command_attributes()
      ->mutable_failure()
      ->mutable_application_failure_info()
      ->set_type("Fatal");
  respond(task, {fails});

  EXPECT_EQ(next_events(), "ChildFailed TaskScheduled TaskStarted ");
  EXPECT_EQ(event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                .child_workflow_execution_failed_event_attributes()
                .retry_state(),
            enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
}

TEST_F(ChildrenTest, child_canceled) {
  const Task first = parent_and_child();
  respond(first, {});
  ASSERT_TRUE(of_child([this] { return request_cancel(); }).ok());
  Command canceled = cancel_workflow();
  *canceled.mutable_cancel_workflow_execution_command_attributes()->mutable_details() =
      payloads("\"as you wish\"");
  respond(poll_child(), {canceled});

  EXPECT_EQ(next_events(), "ChildCanceled TaskScheduled TaskStarted ");
  const auto event = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
                         .child_workflow_execution_canceled_event_attributes();
  EXPECT_EQ(event.details().payloads(0).data(), "\"as you wish\"");
}

TEST_F(ChildrenTest, child_timed_out) {
  respond(parent_and_child([](Child& a) {
            base::set_duration(milliseconds(1000), *a.mutable_workflow_run_timeout());
          }),
          {});

  EXPECT_EQ(next_events(), "ChildTimedOut TaskScheduled TaskStarted ");
  EXPECT_EQ(event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT)
                .child_workflow_execution_timed_out_event_attributes()
                .retry_state(),
            enums::RETRY_STATE_RETRY_POLICY_NOT_SET);
}

TEST_F(ChildrenTest, child_terminated) {
  respond(parent_and_child(), {});
  ASSERT_TRUE(of_child([this] { return terminate("because"); }).ok());

  EXPECT_EQ(next_events(), "ChildTerminated TaskScheduled TaskStarted ");
}

// A chain of runs is one child: its parent hears of the end of the last run only.
TEST_F(ChildrenTest, child_retry_result_once) {
  const Task first = parent_and_child([](Child& a) {
    base::set_duration(milliseconds(10), *a.mutable_retry_policy()->mutable_initial_interval());
  });
  respond(first, {fail_workflow("again")});
  const Task second = poll_child();
  EXPECT_EQ(second.attempt(), 1);
  EXPECT_NE(second.workflow_execution().run_id(), first.workflow_execution().run_id());
  EXPECT_EQ(second.history().events(0).workflow_execution_started_event_attributes().attempt(), 2);
  respond(second, {complete_workflow("at last")});

  EXPECT_EQ(next_events(), "ChildCompleted TaskScheduled TaskStarted ");
  const auto done = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                        .child_workflow_execution_completed_event_attributes();
  EXPECT_EQ(done.result().payloads(0).data(), "\"at last\"");
  EXPECT_EQ(done.workflow_execution().run_id(), second.workflow_execution().run_id());
}

TEST_F(ChildrenTest, child_continues_as_new) {
  const Task first = parent_and_child();
  Command again = continue_as_new();
  again.mutable_continue_as_new_workflow_execution_command_attributes()
      ->mutable_task_queue()
      ->set_name(child_queue);
  respond(first, {again});
  const Task second = poll_child();
  const auto& started = second.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.parent_workflow_execution().workflow_id(), id);
  EXPECT_EQ(started.first_execution_run_id(), first.workflow_execution().run_id());
  respond(second, {complete_workflow("new")});

  EXPECT_EQ(next_events(), "ChildCompleted TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, child_of_a_child_knows_the_root) {
  const Task middle = parent_and_child();
  respond(middle, {start_child(id + "-grandchild")});
  respond(poll_child(), {});
  const Task task = poll();

  const auto& started = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.root_workflow_execution().workflow_id(), id);
  EXPECT_EQ(started.parent_workflow_execution().workflow_id(), child_id);
  respond(task, {});
}

TEST_F(ChildrenTest, child_takes_what_its_command_says) {
  const auto full = [](Child& a) {
    (*a.mutable_memo()->mutable_fields())["note"] = payload("\"kept\"");
    (*a.mutable_search_attributes()->mutable_indexed_fields())["GoldKw"] = payload("\"blue\"");
    (*a.mutable_header()->mutable_fields())["trace"] = payload("\"7\"");
    base::set_duration(std::chrono::seconds(100), *a.mutable_workflow_execution_timeout());
    base::set_duration(std::chrono::seconds(50), *a.mutable_workflow_run_timeout());
    base::set_duration(std::chrono::seconds(7), *a.mutable_workflow_task_timeout());
    a.set_control("control");
    a.set_cron_schedule("0 0 1 1 *");
    a.set_inherit_build_id(true);
    a.clear_task_queue();
  };
  start();
  respond(poll(), {child(full)});
  respond(poll(), {});

  const auto initiated = event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
                             .start_child_workflow_execution_initiated_event_attributes();
  EXPECT_TRUE(initiated.inherit_build_id());
  EXPECT_EQ(initiated.memo().fields().at("note").data(), "\"kept\"");
  const auto started = of_child([this] { return history(); })[0];
  const auto& a = started.workflow_execution_started_event_attributes();
  EXPECT_EQ(a.header().fields().at("trace").data(), "\"7\"");
  EXPECT_EQ(a.workflow_task_timeout().seconds(), 7);
  EXPECT_EQ(a.cron_schedule(), "0 0 1 1 *");
  EXPECT_GT(a.first_workflow_task_backoff().seconds(), 0);
}

// Nothing of its parent's: what the command leaves out is the default, what is too much is cut.
TEST_F(ChildrenTest, child_timeouts) {
  start([](Start& request) { request.mutable_workflow_task_timeout()->set_seconds(3); });
  Command cut = child([&](Child& a) {
    a.set_workflow_id(id + "-cut");
    base::set_duration(std::chrono::seconds(30), *a.mutable_workflow_execution_timeout());
    base::set_duration(std::chrono::seconds(40), *a.mutable_workflow_run_timeout());
    base::set_duration(std::chrono::seconds(500), *a.mutable_workflow_task_timeout());
  });
  Command longest = child([&](Child& a) {
    a.set_workflow_id(id + "-longest");
    base::set_duration(std::chrono::seconds(500), *a.mutable_workflow_task_timeout());
  });
  for (const Command& each : {child(), cut, longest}) {
    respond(poll(), {each});
    respond(poll_child(), {});
  }
  respond(poll(), {});

  std::vector<std::int64_t> task_timeouts;
  for (const HistoryEvent& event : history()) {
    if (event.has_start_child_workflow_execution_initiated_event_attributes()) {
      task_timeouts.push_back(event.start_child_workflow_execution_initiated_event_attributes()
                                  .workflow_task_timeout()
                                  .seconds());
    }
  }
  EXPECT_THAT(task_timeouts, testing::ElementsAre(10, 30, 120));
}

// --- Ids in use ---

TEST_F(ChildrenTest, child_already_exists) {
  of_child([this] { return start(); });
  respond(poll(), {});
  start();
  respond(poll(), {child()});

  EXPECT_EQ(next_events(), "StartChildFailed TaskScheduled TaskStarted ");
  const auto failed = event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
                          .start_child_workflow_execution_failed_event_attributes();
  EXPECT_EQ(failed.cause(),
            enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
  EXPECT_EQ(failed.initiated_event_id(), 5);
}

TEST_F(ChildrenTest, child_id_of_a_closed_run_may_be_refused) {
  of_child([this] { return start(); });
  respond(poll(), {complete_workflow()});
  start();
  respond(poll(), {child([](Child& a) {
            a.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
          })});

  EXPECT_EQ(next_events(), "StartChildFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, child_id_may_be_taken_over) {
  const std::string before = of_child([this] {
    std::string run_id = start();
    respond(poll(), {});
    return run_id;
  });
  start();
  respond(poll(), {child([](Child& a) {
            a.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
          })});

  EXPECT_EQ(next_events(), "ChildStarted TaskScheduled TaskStarted ");
  const HistoryEvent end = of_child([&] { return last_event(before); });
  EXPECT_EQ(end.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  respond(poll_child(), {complete_workflow()});
  EXPECT_EQ(next_events(), "ChildCompleted TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, bad_child_same_wft_cancel) {
  start();
  const Task task = poll();
  const auto refused = try_respond(task, {child(), cancel_command(child_id)});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  const auto failed =
      event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED).workflow_task_failed_event_attributes();
  EXPECT_EQ(
      failed.cause(),
      enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES);
}

// Server 1.32 has it switched off (system.enableCrossNamespaceCommands).
TEST_F(ChildrenTest, child_other_namespace) {
  const std::string other = id + "-ns";
  wf::RegisterNamespaceRequest request;
  request.set_namespace_(other);
  request.mutable_workflow_execution_retention_period()->set_seconds(86400);
  ASSERT_TRUE(rpc<wf::RegisterNamespaceResponse>(request).ok());
  start();
  const auto answer = try_respond(poll(), {child([&](Child& a) { a.set_namespace_(other); })});

  if (server_is("1.32")) {
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("not allowed"));
    return;
  }
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(next_events(), HasSubstr("Child"));
  const auto initiated = event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
                             .start_child_workflow_execution_initiated_event_attributes();
  EXPECT_EQ(initiated.namespace_(), other);
}

// Its task goes on: the namespace may come.
TEST_F(ChildrenTest, child_unknown_namespace) {
  start();
  const std::string none = id + "-none";
  const auto refused = try_respond(poll(), {child([&](Child& a) { a.set_namespace_(none); })});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), "Namespace " + none + " is not found.");
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
}

// --- The parent closes ---

TEST_F(ChildrenTest, parent_close_terminate) {
  const Task task = parent_and_child();
  ASSERT_TRUE(signal("end").ok());
  respond(poll(), {complete_workflow()});

  const HistoryEvent end = child_end();
  ASSERT_EQ(end.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  const auto& a = end.workflow_execution_terminated_event_attributes();
  EXPECT_EQ(a.reason(), "by parent close policy");
  EXPECT_EQ(child_events(), "Started TaskScheduled TaskStarted TaskFailed Terminated");
}

TEST_F(ChildrenTest, parent_close_cancel) {
  const Task task = parent_and_child(
      [](Child& a) { a.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL); });
  respond(task, {});
  ASSERT_TRUE(signal("end").ok());
  respond(poll(), {fail_workflow("over")});

  const Task canceled = poll_child();
  EXPECT_EQ(child_events(),
            "Started TaskScheduled TaskStarted TaskCompleted CancelRequested TaskScheduled "
            "TaskStarted");
  const auto asked = of_child([this] {
                       return event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
                     }).workflow_execution_cancel_requested_event_attributes();
  EXPECT_EQ(asked.external_workflow_execution().workflow_id(), id);
  respond(canceled, {cancel_workflow()});
  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
}

TEST_F(ChildrenTest, parent_close_abandon) {
  const Task task = parent_and_child(
      [](Child& a) { a.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_ABANDON); });
  ASSERT_TRUE(signal("end").ok());
  respond(poll(), {complete_workflow()});
  wait_closed();

  respond(task, {complete_workflow("alone")});

  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  EXPECT_THAT(events(), testing::EndsWith("Completed"));
}

TEST_F(ChildrenTest, parent_terminated) {
  respond(parent_and_child(), {});
  ASSERT_TRUE(terminate().ok());

  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

TEST_F(ChildrenTest, parent_times_out) {
  start([](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(2); });
  respond(poll(), {child()});
  respond(poll(), {});
  respond(poll_child(), {});

  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

// The new run has no children: those of the old one end as if it had closed.
TEST_F(ChildrenTest, parent_continues_as_new) {
  respond(parent_and_child(), {});
  ASSERT_TRUE(signal("again").ok());
  respond(poll(), {continue_as_new()});

  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  respond(poll(), {complete_workflow()});
  EXPECT_THAT(events(), testing::Not(HasSubstr("Child")));
}

// A child that continues as new is the same child: the policy finds the run that goes on.
TEST_F(ChildrenTest, parent_close_finds_the_last_run) {
  const Task first = parent_and_child();
  Command again = continue_as_new();
  again.mutable_continue_as_new_workflow_execution_command_attributes()
      ->mutable_task_queue()
      ->set_name(child_queue);
  respond(first, {again});
  respond(poll_child(), {});
  ASSERT_TRUE(terminate().ok());

  EXPECT_EQ(child_end().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

// --- Signals and cancellations from workflow to workflow ---

TEST_F(ChildrenTest, signal_external) {
  const Task task = parent_and_child();
  respond(task, {});
  ASSERT_TRUE(signal("go").ok());
  respond(poll(), {signal_command(child_id)});

  EXPECT_EQ(next_events(), "ExternalSignaled TaskScheduled TaskStarted ");
  respond(poll_child(), {});
  const auto signaled = of_child([this] {
                          return event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
                        }).workflow_execution_signaled_event_attributes();
  EXPECT_EQ(signaled.signal_name(), "hello");
  EXPECT_EQ(signaled.external_workflow_execution().workflow_id(), id);
  EXPECT_EQ(signaled.header().fields().at("trace").data(), "\"7\"");
}

TEST_F(ChildrenTest, signal_external_by_run_and_only_to_children) {
  const Task task = parent_and_child();
  respond(task, {});
  ASSERT_TRUE(signal("go").ok());
  respond(poll(), {signal_command(child_id, task.workflow_execution().run_id(), true)});

  EXPECT_EQ(next_events(), "ExternalSignaled TaskScheduled TaskStarted ");
  respond(poll_child(), {});
}

TEST_F(ChildrenTest, signal_external_that_is_no_child) {
  of_child([this] {
    std::string run_id = start();
    respond(poll(), {});
    return run_id;
  });
  start();
  respond(poll(), {signal_command(child_id, "", true)});

  EXPECT_EQ(next_events(), "SignalExternalFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, signal_and_cancel_external_without_a_namespace) {
  respond(parent_and_child(), {});
  ASSERT_TRUE(signal("go").ok());
  Command signals = signal_command(child_id), cancels = cancel_command(child_id);
  signals.mutable_signal_external_workflow_execution_command_attributes()->clear_namespace_();
  cancels.mutable_request_cancel_external_workflow_execution_command_attributes()
      ->clear_namespace_();
  respond(poll(), {signals});
  EXPECT_EQ(next_events(), "ExternalSignaled TaskScheduled TaskStarted ");
  respond(poll_child(), {});
  ASSERT_TRUE(signal("on").ok());
  respond(poll(), {cancels});
  EXPECT_EQ(next_events(), "ExternalCancelRequested TaskScheduled TaskStarted ");

  const auto initiated = event_of(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)
                             .signal_external_workflow_execution_initiated_event_attributes();
  EXPECT_EQ(initiated.namespace_(), "");
  EXPECT_NE(initiated.namespace_id(), "");
}

TEST_F(ChildrenTest, signal_external_nf) {
  start();
  respond(poll(), {signal_command(child_id)});

  EXPECT_EQ(next_events(), "SignalExternalFailed TaskScheduled TaskStarted ");
  const auto failed = event_of(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                          .signal_external_workflow_execution_failed_event_attributes();
  EXPECT_EQ(
      failed.cause(),
      enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
  EXPECT_EQ(failed.control(), "control");
}

TEST_F(ChildrenTest, signal_external_closed) {
  respond(parent_and_child(), {complete_workflow()});
  respond(poll(), {signal_command(child_id)});

  EXPECT_EQ(next_events(), "SignalExternalFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, self_signal_failed) {
  start();
  respond(poll(), {signal_command(id)});

  EXPECT_EQ(next_events(), "SignalExternalFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, cancel_external) {
  const Task task = parent_and_child();
  respond(task, {});
  ASSERT_TRUE(signal("stop").ok());
  respond(poll(), {cancel_command(child_id, "", true)});

  EXPECT_EQ(next_events(), "ExternalCancelRequested TaskScheduled TaskStarted ");
  respond(poll_child(), {cancel_workflow()});
  const auto asked = of_child([this] {
                       return event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
                     }).workflow_execution_cancel_requested_event_attributes();
  EXPECT_EQ(asked.cause(), "not needed");
  EXPECT_EQ(asked.external_workflow_execution().workflow_id(), id);
  EXPECT_EQ(next_events(), "ChildCanceled TaskScheduled TaskStarted ");
}

// Asked for twice, a child is asked once; both are told that it was.
TEST_F(ChildrenTest, cancel_external_twice) {
  respond(parent_and_child(), {});
  ASSERT_TRUE(signal("stop").ok());
  respond(poll(), {cancel_command(child_id)});
  EXPECT_EQ(next_events(), "ExternalCancelRequested TaskScheduled TaskStarted ");
  ASSERT_TRUE(signal("stop").ok());
  respond(poll(), {cancel_command(child_id)});

  EXPECT_EQ(next_events(), "ExternalCancelRequested TaskScheduled TaskStarted ");
  EXPECT_EQ(child_events(),
            "Started TaskScheduled TaskStarted TaskCompleted CancelRequested TaskScheduled");
}

TEST_F(ChildrenTest, cancel_external_nf) {
  start();
  respond(poll(), {cancel_command(child_id)});

  EXPECT_EQ(next_events(), "RequestCancelExternalFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, cancel_external_that_is_no_child) {
  of_child([this] {
    std::string run_id = start();
    respond(poll(), {});
    return run_id;
  });
  start();
  respond(poll(), {cancel_command(child_id, "", true)});

  EXPECT_EQ(next_events(), "RequestCancelExternalFailed TaskScheduled TaskStarted ");
}

TEST_F(ChildrenTest, self_cancel_failed) {
  start();
  respond(poll(), {cancel_command(id)});

  EXPECT_EQ(next_events(), "RequestCancelExternalFailed TaskScheduled TaskStarted ");
}

}  // namespace
}  // namespace chimera::conformance
