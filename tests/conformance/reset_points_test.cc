// J: which events a run can be reset to: those that begin a batch of events, where a workflow task
// is open.
#include <future>

#include "tests/conformance/reset_session.h"
#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

using testing::StartsWith;

class ResetPointsTest : public UpdateSession {
 protected:
  // What a reset to each event from the second on comes to: "ok", "boundary" or "task" (none is
  // open). The last reset's run stays.
  std::string points(const std::string& base) {
    const std::int64_t last = static_cast<std::int64_t>(history(base).size());
    std::string all;
    for (std::int64_t finish = 2; finish <= last; ++finish) {
      absl::StrAppend(&all, finish > 2 ? " " : "", finish, ":", outcome(base, finish));
    }
    return all;
  }

  std::string outcome(const std::string& base, std::int64_t finish) {
    auto reply = reset(base, finish);
    if (reply.ok()) return "ok";
    const absl::Status& status = reply.status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    if (status.message() ==
        absl::StrCat("StateRebuilder unable to Rebuild mutable state to event ID: ", finish - 1,
                     ", version: 0, this event must be at the boundary"))
      return "boundary";
    if (status.message() == absl::StrCat("Can only reset workflow to event ID in range "
                                         "[WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: ",
                                         finish))
      return "task";
    return std::string(status.message());
  }

  absl::StatusOr<wf::ResetWorkflowExecutionResponse> reset(const std::string& base,
                                                           std::int64_t finish) {
    wf::ResetWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution(base);
    request.set_reason("again");
    request.set_workflow_task_finish_event_id(finish);
    request.set_request_id(absl::StrCat(id, "-reset-", ++resets_));
    return rpc<wf::ResetWorkflowExecutionResponse>(request);
  }

  std::string events_of_reset(const std::string& base, std::int64_t finish) {
    auto reply = reset(base, finish);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? events(reply->run_id()) : "";
  }

 private:
  int resets_ = 0;
};

TEST_F(ResetPointsTest, signals_before_the_first_task) {
  const std::string base = start();
  ASSERT_TRUE(signal("one").ok());
  ASSERT_TRUE(signal("two").ok());
  respond(poll(), {});
  ASSERT_EQ(events(base), "Started TaskScheduled Signaled Signaled TaskStarted TaskCompleted");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:ok 6:ok");
  EXPECT_EQ(events_of_reset(base, 4),
            "Started TaskScheduled Signaled TaskStarted TaskFailed Signaled TaskScheduled");
  EXPECT_EQ(events_of_reset(base, 5),
            "Started TaskScheduled Signaled Signaled TaskStarted TaskFailed TaskScheduled");
}

TEST_F(ResetPointsTest, behind_a_completed_task) {
  const std::string base = start();
  respond(poll(), {schedule_activity("a")});
  ASSERT_TRUE(complete_activity(poll_activity()).ok());
  ASSERT_TRUE(signal("one").ok());
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled ActivityStarted "
            "ActivityCompleted TaskScheduled Signaled");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:boundary 6:task 7:boundary 8:boundary 9:ok");
}

TEST_F(ResetPointsTest, before_the_first_task_is_due) {
  const std::string base =
      start([](Start& request) { request.mutable_workflow_start_delay()->set_seconds(3600); });
  ASSERT_TRUE(signal("one").ok());
  ASSERT_EQ(events(base), "Started Signaled");

  EXPECT_EQ(points(base), "2:task");
}

TEST_F(ResetPointsTest, a_task_that_failed_before_a_signal) {
  const std::string base = start();
  ASSERT_TRUE(fail_task(poll()).ok());
  ASSERT_TRUE(signal("one").ok());
  EXPECT_EQ(events(base), "Started TaskScheduled TaskStarted TaskFailed Signaled");
  respond(poll(), {});
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskFailed Signaled TaskScheduled TaskStarted "
            "TaskCompleted");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:ok 6:ok 7:boundary 8:ok");
  EXPECT_EQ(events_of_reset(base, 5),
            "Started TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskFailed "
            "Signaled TaskScheduled");
  EXPECT_EQ(events_of_reset(base, 6),
            "Started TaskScheduled TaskStarted TaskFailed Signaled TaskScheduled TaskStarted "
            "TaskFailed TaskScheduled");
}

TEST_F(ResetPointsTest, a_task_that_failed_twice) {
  const std::string base = start();
  ASSERT_TRUE(fail_task(poll()).ok());
  ASSERT_TRUE(fail_task(poll()).ok());
  respond(poll(), {});
  ASSERT_TRUE(signal("one").ok());
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskCompleted "
            "Signaled TaskScheduled");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:ok 6:boundary 7:ok 8:task 9:boundary");
}

TEST_F(ResetPointsTest, a_task_that_timed_out) {
  const std::string base =
      start([](Start& request) { request.mutable_workflow_task_timeout()->set_seconds(1); });
  poll();
  respond(poll(), {});
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskTimedOut TaskScheduled TaskStarted "
            "TaskCompleted");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:ok 6:boundary 7:ok");
}

TEST_F(ResetPointsTest, a_task_for_an_update) {
  const std::string base = start();
  respond(poll(), {});
  auto answer = std::async(std::launch::async, [&] { return update("u"); });
  respond_done(poll(), "\"done\"");
  EXPECT_TRUE(answer.get().ok());
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskCompleted TaskScheduled TaskStarted "
            "TaskCompleted UpdateAccepted UpdateCompleted");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:task 6:boundary 7:ok 8:boundary 9:boundary");
}

TEST_F(ResetPointsTest, a_task_for_an_update_that_failed) {
  const std::string base = start();
  respond(poll(), {});
  auto answer = std::async(std::launch::async, [&] { return update("u"); });
  ASSERT_TRUE(fail_task(poll()).ok());
  respond_done(poll(), "\"done\"");
  answer.get().IgnoreError();
  ASSERT_THAT(events(base), StartsWith("Started TaskScheduled TaskStarted TaskCompleted "
                                       "TaskScheduled TaskStarted TaskFailed TaskScheduled "
                                       "TaskStarted TaskCompleted"));

  EXPECT_THAT(points(base), StartsWith("2:boundary 3:ok 4:ok 5:task 6:boundary 7:ok 8:ok "
                                       "9:boundary 10:ok"));
}

TEST_F(ResetPointsTest, a_task_that_the_start_gave) {
  Start request = start_request();
  request.set_request_eager_execution(true);
  auto started = rpc<wf::StartWorkflowExecutionResponse>(request);
  ASSERT_TRUE(started.ok()) << started.status();
  ASSERT_TRUE(started->has_eager_workflow_task());
  respond(started->eager_workflow_task(), {});

  EXPECT_EQ(points(started->run_id()), "2:boundary 3:boundary 4:ok");
}

TEST_F(ResetPointsTest, a_task_that_an_answer_gave) {
  const std::string base = start();
  const auto reply = respond(poll(), {}, [](Respond& request) {
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
  });
  respond(reply.workflow_task(), {});
  ASSERT_EQ(events(base),
            "Started TaskScheduled TaskStarted TaskCompleted TaskScheduled TaskStarted "
            "TaskCompleted");

  EXPECT_EQ(points(base), "2:boundary 3:ok 4:ok 5:boundary 6:boundary 7:ok");
}

}  // namespace
}  // namespace chimera::conformance
