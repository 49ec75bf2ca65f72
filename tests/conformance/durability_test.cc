// Q: durability. The server dies by SIGKILL and starts again on its file.
#include "core/base/proto_time.h"
#include "tests/conformance/own_server.h"
#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

class DurabilityTest : public OnOwnServer<UpdateSession> {
 protected:
  // Calls `action` for a workflow and a queue of its own.
  void of(const std::string& name, const std::function<void()>& action) {
    const std::string id_before = id, queue_before = queue;
    id += "-" + name;
    queue += "-" + name;
    action();
    id = id_before;
    queue = queue_before;
  }

  // Reaches a state, dies in it, finds it unchanged, and goes on from there to the run's end.
  void dies_in(const std::function<void()>& reach, const std::function<void()>& go_on) {
    reach();
    const std::string before = events();
    die_and_come_back();
    EXPECT_EQ(events(), before);
    go_on();
    EXPECT_NE(wait_closed().event_type(), enums::EVENT_TYPE_UNSPECIFIED);
  }
};

// In the middle of a batch: it goes on behind what it has done, and does nothing twice.
TEST_F(DurabilityTest, kill9_batch_under_way) {
  if (target().genuine) GTEST_SKIP() << "it does again what it has not reported";
  constexpr int kMany = 120;
  wf::StartBatchOperationRequest batch;
  batch.set_namespace_(ns);
  batch.set_job_id(id + "-job");
  batch.set_reason("go");
  batch.mutable_signal_operation()->set_signal("go");
  for (int i = 0; i < kMany; ++i) {
    start([&](Start& request) { request.set_workflow_id(absl::StrCat(id, "-", i)); });
    batch.add_executions()->set_workflow_id(absl::StrCat(id, "-", i));
  }
  ASSERT_TRUE(rpc<wf::StartBatchOperationResponse>(batch).ok());
  wf::DescribeBatchOperationRequest ask;
  ask.set_namespace_(ns);
  ask.set_job_id(batch.job_id());
  auto described = rpc<wf::DescribeBatchOperationResponse>(ask);
  // Its rate lets no more than some go at once.
  while (described.ok() && described->complete_operation_count() < kMany / 4)
    described = rpc<wf::DescribeBatchOperationResponse>(ask);
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->state(), enums::BATCH_OPERATION_STATE_RUNNING);

  die_and_come_back();

  do {
    described = rpc<wf::DescribeBatchOperationResponse>(ask);
  } while (described.ok() && described->state() == enums::BATCH_OPERATION_STATE_RUNNING);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->state(), enums::BATCH_OPERATION_STATE_COMPLETED);
  EXPECT_EQ(described->complete_operation_count(), kMany);
  for (int i = 0; i < kMany; ++i) {
    of(absl::StrCat(i), [&] { EXPECT_EQ(events(), "Started TaskScheduled Signaled") << i; });
  }
}

TEST_F(DurabilityTest, kill9_paused) {
  if (target().genuine) GTEST_SKIP() << "server 1.29 has no pauses";
  wf::PauseWorkflowExecutionRequest pause;
  wf::UnpauseWorkflowExecutionRequest unpause;
  dies_in(
      [&] {
        start();
        pause.set_namespace_(ns);
        pause.set_workflow_id(id);
        ASSERT_TRUE(rpc<wf::PauseWorkflowExecutionResponse>(pause).ok());
      },
      [&] {
        EXPECT_EQ(describe().workflow_execution_info().status(),
                  enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
        unpause.set_namespace_(ns);
        unpause.set_workflow_id(id);
        ASSERT_TRUE(rpc<wf::UnpauseWorkflowExecutionResponse>(unpause).ok());
        respond(poll(), {complete_workflow()});
      });
}

// kill9_each_state, a case for each.
// A run's own clock, and what is left of its fast-forward.
TEST_F(DurabilityTest, kill9_time_skipped) {
  if (target().genuine) GTEST_SKIP() << "server 1.29 has no such clocks";
  const auto clock = [this] {
    return base::to_wall_time(
        describe().workflow_extended_info().time_skipping_info().current_time());
  };
  base::WallTime begun{}, before{};
  ActivityTask activity;
  dies_in(
      [&] {
        start([](Start& request) {
          auto& config = *request.mutable_time_skipping_config();
          config.set_enabled(true);
          config.mutable_fast_forward_config()->set_id("f");
          config.mutable_fast_forward_config()->mutable_duration()->set_seconds(3 * 3600);
        });
        respond(poll(), {start_timer("a", std::chrono::hours{1})});
        respond(poll(), {start_timer("b", std::chrono::hours{5}), schedule_activity("c")});
        activity = poll_activity();
        begun = base::to_wall_time(history().front().event_time());
        before = clock();
      },
      [&] {
        EXPECT_GE(clock(), before);
        EXPECT_LT(clock(), before + std::chrono::minutes{10});
        ASSERT_TRUE(complete_activity(activity).ok());
        respond(poll(), {});
        EXPECT_FALSE(
            describe().workflow_extended_info().time_skipping_info().effective_config().enabled());
        EXPECT_GE(clock(), begun + std::chrono::hours{3});
        EXPECT_LT(clock(), begun + std::chrono::minutes{190});
        die_and_come_back();
        EXPECT_GE(clock(), begun + std::chrono::hours{3});
        ASSERT_TRUE(terminate().ok());
      });
}

TEST_F(DurabilityTest, kill9_task_scheduled) {
  dies_in([&] { start(); }, [&] { respond(poll(), {complete_workflow()}); });
}

TEST_F(DurabilityTest, kill9_task_started) {
  Task task;
  dies_in(
      [&] {
        start();
        task = poll();
      },
      [&] { respond(task, {complete_workflow()}); });
}

TEST_F(DurabilityTest, kill9_activity_scheduled) {
  dies_in(
      [&] {
        start();
        respond(poll(), {schedule_activity("a")});
      },
      [&] {
        ASSERT_TRUE(complete_activity(poll_activity()).ok());
        respond(poll(), {complete_workflow()});
      });
}

TEST_F(DurabilityTest, kill9_activity_started) {
  ActivityTask activity;
  dies_in(
      [&] {
        start();
        respond(poll(), {schedule_activity("a")});
        activity = poll_activity();
        wf::RecordActivityTaskHeartbeatRequest beat;
        beat.set_namespace_(ns);
        beat.set_task_token(activity.task_token());
        *beat.mutable_details() = payloads("7");
        ASSERT_TRUE(rpc<wf::RecordActivityTaskHeartbeatResponse>(beat).ok());
      },
      [&] {
        ASSERT_EQ(describe().pending_activities_size(), 1);
        EXPECT_EQ(describe().pending_activities(0).heartbeat_details().payloads(0).data(), "7");
        ASSERT_TRUE(complete_activity(activity).ok());
        respond(poll(), {complete_workflow()});
      });
}

TEST_F(DurabilityTest, kill9_activity_backs_off) {
  dies_in(
      [&] {
        start();
        respond(poll(), {schedule_activity("a", [](auto& a) {
                  a.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
                })});
        ASSERT_TRUE(fail_activity(poll_activity(), "once").ok());
      },
      [&] {
        const ActivityTask again = poll_activity();
        EXPECT_EQ(again.attempt(), 2);
        ASSERT_TRUE(complete_activity(again).ok());
        respond(poll(), {complete_workflow()});
      });
}

TEST_F(DurabilityTest, kill9_delayed) {
  dies_in(
      [&] {
        start([](Start& request) { request.mutable_workflow_start_delay()->set_seconds(2); });
      },
      [&] { respond(poll(), {complete_workflow()}); });
}

TEST_F(DurabilityTest, kill9_cancel_requested) {
  dies_in(
      [&] {
        start();
        respond(poll(), {});
        ASSERT_TRUE(request_cancel().ok());
      },
      [&] { respond(poll(), {cancel_workflow()}); });
}

TEST_F(DurabilityTest, kill9_child_started) {
  Task child;
  dies_in(
      [&] {
        start();
        respond(poll(), {start_child(id + "-child")});
        Task parent;
        for (int i = 0; i < 2; ++i) {
          Task task = poll();
          (task.workflow_type().name() == "Child" ? child : parent) = task;
        }
        respond(parent, {});
      },
      [&] {
        respond(child, {complete_workflow("from child")});
        respond(poll(), {complete_workflow()});
      });
}

TEST_F(DurabilityTest, kill9_closed) {
  dies_in(
      [&] {
        start();
        respond(poll(), {complete_workflow()});
      },
      [] {});
}

TEST_F(DurabilityTest, what_was_deleted_stays_so) {
  start();
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
  for (int i = 0; i < 50 && described(newer).ok(); ++i) no_task_within(milliseconds(1));
  die_and_come_back();

  EXPECT_EQ(described("").code(), absl::StatusCode::kNotFound);
}

TEST_F(DurabilityTest, signals_held_back_are_kept) {
  start();
  const Task task = poll();
  ASSERT_TRUE(signal("go", "one-request").ok());
  die_and_come_back();

  ASSERT_TRUE(signal("go", "one-request").ok());
  respond(task, {});

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted Signaled TaskScheduled");
}

TEST_F(DurabilityTest, reply_implies_durable) {
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 20; ++i) {
      of(absl::StrCat(life, "-", i), [&] {
        start();
        ASSERT_TRUE(signal("one").ok());
        if (i % 2 == 0) {
          respond(poll(), {schedule_activity("a"), start_timer("t", std::chrono::hours(1))});
        }
      });
    }
    die_and_come_back();
    for (int i = 0; i < 20; ++i) {
      of(absl::StrCat(life, "-", i), [&] {
        EXPECT_EQ(events(), i % 2 == 0 ? "Started TaskScheduled Signaled TaskStarted TaskCompleted "
                                         "ActivityScheduled TimerStarted"
                                       : "Started TaskScheduled Signaled");
      });
    }
  }
}

TEST_F(DurabilityTest, timer_over_restart) {
  start();
  respond(poll(),
          {start_timer("short", milliseconds(500)), start_timer("long", milliseconds(6000))});
  const absl::Time armed = absl::Now();
  die_and_come_back(absl::Seconds(1));

  // The one fell due while nobody was there.
  Task task = poll();
  EXPECT_EQ(task.history().events(task.history().events_size() - 3).event_type(),
            enums::EVENT_TYPE_TIMER_FIRED);
  respond(task, {});
  task = poll(std::chrono::seconds(15));
  const absl::Duration waited = absl::Now() - armed;
  respond(task, {complete_workflow()});

  EXPECT_GE(waited, absl::Milliseconds(5900));
  EXPECT_LE(waited, absl::Milliseconds(6500) + absl::FromChrono(target().timer_slack));
}

TEST_F(DurabilityTest, timeouts_over_restart) {
  start([](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(3); });
  respond(poll(), {schedule_activity("a", [](auto& a) {
            a.mutable_schedule_to_close_timeout()->set_seconds(1);
          })});
  die_and_come_back();

  respond(poll(), {});
  EXPECT_EQ(wait_closed().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
  EXPECT_THAT(events(), testing::HasSubstr("ActivityTimedOut"));
}

TEST_F(DurabilityTest, update_after_restart) {
  start();
  respond(poll(), {});
  std::thread caller([this] {
    EXPECT_TRUE(update("done").ok());
    EXPECT_TRUE(update("accepted", enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED).ok());
  });
  respond_done(poll(), "first");
  const Task second = poll();
  const auto accepted = accept(second);
  const auto completed = complete(second, "later");
  respond(second, {protocol_message(accepted.id())},
          [&](Respond& request) { *request.add_messages() = accepted; });
  caller.join();
  const std::string before = events();
  die_and_come_back();

  EXPECT_EQ(events(), before);
  const auto known = update("done");  // The same id again.
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(known->outcome().success().payloads(0).data(), "\"first\"");
  ASSERT_TRUE(signal("go").ok());
  respond(poll(), {protocol_message(completed.id())},
          [&](Respond& request) { *request.add_messages() = completed; });
  const auto outcome = update("accepted");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->outcome().success().payloads(0).data(), "\"later\"");
}

TEST_F(DurabilityTest, big_history_reload) {
  start();
  for (int i = 0; i < 3; ++i) {
    std::vector<Command> markers;
    for (int m = 0; m < 1000; ++m) markers.push_back(marker(absl::StrCat("m", i, "-", m)));
    respond(poll(), markers);
    ASSERT_TRUE(signal("more").ok());
  }
  const auto before = history();
  die_and_come_back();

  const auto after = history();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    ASSERT_EQ(after[i].SerializeAsString(), before[i].SerializeAsString()) << i;
  Task task = poll();
  EXPECT_GE(task.started_event_id(), 3000);
  respond(task, {complete_workflow()});
}

}  // namespace
}  // namespace chimera::conformance
