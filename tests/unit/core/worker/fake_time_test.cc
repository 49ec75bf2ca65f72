// What a worker does when time passes, with its clock, timers and threads turned by hand: the
// watchdog over workflow code, and how long the end of a worker waits for what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rpc/connect.h"
#include "core/telemetry/metrics.h"
#include "core/worker/worker.h"
#include "tests/support/fake_timers.h"
#include "tests/support/hand_executor.h"
#include "tests/support/scripted_server.h"
#include "tests/unit/core/worker/tiny_language.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
using namespace std::chrono_literals;
using testing::complete_workflow;
using testing::first_task;
using ::testing::HasSubstr;
using testing::ScriptedServer;
using testing::TinyActivities;
using testing::TinyWorkflows;

// Its runs answer when the test says so.
class SlowWorkflows : public WorkflowLanguage {
 public:
  const LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<WorkflowInstance>> create(const RunContext&) override {
    return std::make_unique<Instance>(*this);
  }
  void answer() { std::exchange(done, nullptr)(Completion{Completion::Success{}}); }

  ActivationDone done;  // Of the last activation; null: it has its answer.

 private:
  struct Instance : WorkflowInstance {
    explicit Instance(SlowWorkflows& owner_in) : owner(owner_in) {}
    std::optional<Completion> activate(std::shared_ptr<const Activation>,
                                       ActivationDone done) override {
      owner.done = std::move(done);
      return std::nullopt;
    }
    std::size_t memory_bytes() const override { return 100; }
    SlowWorkflows& owner;
  };
  const LanguageIdentity identity_{"slow", "1", "slow"};
};

class FakeTimeTest : public ::testing::Test {
 protected:
  FakeTimeTest() {
    for (const char* name : {"GetSystemInfo", "DescribeNamespace", "ShutdownWorker",
                             "RespondWorkflowTaskFailed", "RespondActivityTaskCompleted"})
      server_->always(name, [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
    ConnectionOptions connection;
    connection.transport = server_;
    connection.metrics = std::make_shared<Metrics>();
    connect_async(std::move(connection), {timers_, [] { return 0.5; }},
                  [this](auto made) { connection_ = *std::move(made); });
    timers_.advance(0s);
  }
  ~FakeTimeTest() override {
    code_ = testing::complete_at_once;  // The test's own may hold what has ended with it.
    if (!ended_) end(0s);
    while (answer_what_is_left()) pass(0s);
    pass(2min);
    worker_.reset();
    executor_.run();
  }

  void start() {
    options_.task_queue = "orders";
    options_.lanes = 2;
    options_.deadlock_timeout = 2s;
    worker_ =
        *Worker::create(connection_, options_, {&clock_, &timers_, &executor_, [] { return 7; }});
    ASSERT_TRUE(worker_->add_workflow("Order", workflows_).ok());
    ASSERT_TRUE(worker_->add_workflow("Slow", slow_).ok());
    ASSERT_TRUE(worker_->add_activity("charge", activities_).ok());
    absl::Status status = absl::UnknownError("not started");
    worker_->start_async([&](absl::Status started) { status = std::move(started); });
    pass(0s);
    ASSERT_TRUE(status.ok()) << status;
  }
  void pass(std::chrono::nanoseconds time) {
    executor_.run();
    // In steps, so that what timers post has run before the next.
    for (const auto end = timers_.now() + time; timers_.now() < end;) {
      timers_.advance(std::min<std::chrono::nanoseconds>(end - timers_.now(), 100ms));
      executor_.run();
    }
    timers_.advance(0s);
    executor_.run();
  }
  void give(const wf::PollWorkflowTaskQueueResponse& task) {
    server_
        ->next("PollWorkflowTaskQueue",
               [](const auto& call) {
                 return call.template as<wf::PollWorkflowTaskQueueRequest>().task_queue().kind() ==
                        api::enums::v1::TASK_QUEUE_KIND_NORMAL;
               })
        ->answer(task);
    pass(0s);
  }
  void shut_down() {
    worker_->initiate_shutdown();
    worker_->when_ended([this](absl::Status status) { ended_ = std::move(status); });
    pass(0s);
  }
  void end(std::chrono::nanoseconds time) {
    shut_down();
    pass(time);
  }

  // A worker leaves a lane behind whose code, or whose task's answer, does not come back; here it
  // does, after the test. False: nothing is left.
  bool answer_what_is_left() {
    if (slow_.done) {
      slow_.answer();
      return true;
    }
    if (server_->waiting("RespondWorkflowTaskCompleted") == 0) return false;
    server_->next("RespondWorkflowTaskCompleted")
        ->answer(wf::RespondWorkflowTaskCompletedResponse());
    return true;
  }

  testing::FakeTimers timers_;
  testing::FakeClock clock_{timers_};
  testing::HandExecutor executor_;
  std::shared_ptr<ScriptedServer> server_ = std::make_shared<ScriptedServer>(timers_);
  std::shared_ptr<Connection> connection_;
  WorkerOptions options_;
  TinyWorkflows::Code code_ = testing::complete_at_once;
  TinyWorkflows workflows_{"C++", [this](const RunContext& run, const Activation& activation) {
                             return code_(run, activation);
                           }};
  SlowWorkflows slow_;
  std::vector<std::shared_ptr<ActivityHandle>> running_;  // Activities that the test ends.
  TinyActivities activities_{"C++", [this](ActivityTask task) { running_.push_back(task.handle); }};
  std::unique_ptr<Worker> worker_;  // Ends before what it borrows.
  std::optional<absl::Status> ended_;
};

TEST_F(FakeTimeTest, CodeMayTakeAllButTheDeadlockTimeout) {
  code_ = [this](const RunContext&, const Activation&) {
    timers_.advance(1990ms);
    return std::vector<Command>();
  };
  start();

  give(first_task("run"));

  EXPECT_EQ(server_->waiting("RespondWorkflowTaskFailed"), 0);
  EXPECT_EQ(server_->waiting("RespondWorkflowTaskCompleted"), 1);
}

TEST_F(FakeTimeTest, CodeThatTakesLongerFailsItsTaskOnceAndAtOnce) {
  std::vector<std::chrono::nanoseconds> told;
  const base::SteadyTime began = timers_.now();
  std::string message;
  server_->always("RespondWorkflowTaskFailed", [&](ScriptedServer::Call& call) {
    told.push_back(timers_.now() - began);
    message = call.as<wf::RespondWorkflowTaskFailedRequest>().failure().message();
    call.finish(absl::OkStatus());
  });
  bool elsewhere = false;
  code_ = [&](const RunContext& run, const Activation&) {
    std::vector<Command> commands;
    if (run.run_id == "other") {
      elsewhere = true;
      commands.push_back(complete_workflow());
      return commands;
    }
    for (int i = 0; i < 30; ++i) {
      timers_.advance(1s);
      executor_.run();  // The reporter and the other lane.
      // The stuck lane gets none of these, whichever lane is theirs by their id.
      if (i == 10) give(first_task("other"));
    }
    return commands;
  };
  start();

  give(first_task("stuck"));

  ASSERT_EQ(told.size(), 1u);
  EXPECT_GE(told[0], 2s);
  EXPECT_LE(told[0], 3s);  // The code looks away for a second.
  EXPECT_THAT(message, HasSubstr("[TMPRL1101]"));
  EXPECT_THAT(message, HasSubstr("id-stuck"));
  EXPECT_TRUE(elsewhere);
}

TEST_F(FakeTimeTest, AWorkerWithoutWorkEndsAtOnce) {
  start();

  shut_down();

  ASSERT_TRUE(ended_.has_value());
  EXPECT_TRUE(ended_->ok()) << *ended_;
}

TEST_F(FakeTimeTest, TheEndWaitsFifteenSecondsForCodeThatDoesNotYield) {
  std::vector<bool> over;
  code_ = [&](const RunContext&, const Activation&) {
    shut_down();
    for (const auto step : {14s, 3s}) {
      for (int i = 0; i < step / 1s; ++i) {
        timers_.advance(1s);
        executor_.run();
      }
      over.push_back(ended_.has_value());
    }
    return std::vector<Command>();
  };
  start();

  give(first_task("stuck"));

  EXPECT_EQ(over, (std::vector{false, true}));
  EXPECT_THAT(ended_->message(), HasSubstr("neither returned nor reacted to its eviction"));
}

TEST_F(FakeTimeTest, TheEndWaitsAMinuteForAnAnswerOfALanguageOnItsOwnThread) {
  start();
  give(first_task("run", "Slow"));
  ASSERT_TRUE(slow_.done);

  end(58s);
  EXPECT_FALSE(ended_.has_value());
  pass(4s);

  ASSERT_TRUE(ended_.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(*ended_)) << *ended_;
}

TEST_F(FakeTimeTest, TheEndComesWithTheLateAnswer) {
  start();
  give(first_task("run", "Slow"));
  end(30s);
  ASSERT_FALSE(ended_.has_value());

  slow_.answer();
  pass(0s);
  server_->next("RespondWorkflowTaskCompleted")->answer(wf::RespondWorkflowTaskCompletedResponse());
  pass(0s);
  slow_.answer();  // To its eviction.
  pass(0s);

  ASSERT_TRUE(ended_.has_value());
  EXPECT_TRUE(ended_->ok()) << *ended_;
}

// They end by their own timeouts, as other activities do.
TEST_F(FakeTimeTest, TheEndWaitsForLocalActivitiesHoweverLongTheyTake) {
  code_ = [](const RunContext&, const Activation& activation) {
    std::vector<Command> commands;
    if (std::holds_alternative<InitializeWorkflow>(activation.jobs.front())) {
      ScheduleLocalActivity local{.seq = 1};
      local.activity_type = "charge";
      local.start_to_close_timeout = 1h;
      commands.push_back(Command{.variant = std::move(local)});
    } else {
      commands.push_back(complete_workflow());
    }
    return commands;
  };
  server_->always("RespondWorkflowTaskCompleted", [](ScriptedServer::Call& call) {
    call.answer(wf::RespondWorkflowTaskCompletedResponse());
  });
  start();
  give(first_task("run"));
  ASSERT_EQ(running_.size(), 1u);

  end(10min);
  EXPECT_FALSE(ended_.has_value());
  running_[0]->complete({ActivityResult::Completed{}});
  pass(2s);

  ASSERT_TRUE(ended_.has_value());
  EXPECT_TRUE(ended_->ok()) << *ended_;
}

class HeartbeatTest : public FakeTimeTest {
 protected:
  HeartbeatTest() {
    server_->always("DescribeNamespace", [](ScriptedServer::Call& call) {
      wf::DescribeNamespaceResponse reply;
      reply.mutable_namespace_info()->mutable_capabilities()->set_worker_heartbeats(true);
      call.answer(reply);
    });
    options_.worker_heartbeat_interval = 60s;
  }
  api::worker::v1::WorkerHeartbeat heard() {
    auto call = server_->next("RecordWorkerHeartbeat");
    const auto request = call->as<wf::RecordWorkerHeartbeatRequest>();
    EXPECT_EQ(request.worker_heartbeat_size(), 1);
    call->finish(absl::OkStatus());
    return request.worker_heartbeat(0);
  }
};

TEST_F(HeartbeatTest, ComeAtTheStartAndAtIntervals) {
  options_.plugins = {"mine"};
  options_.max_concurrent_activities = 7;
  start();
  const auto first = heard();
  EXPECT_EQ(first.task_queue(), "orders");
  EXPECT_EQ(first.status(), api::enums::v1::WORKER_STATUS_RUNNING);
  EXPECT_EQ(first.activity_task_slots_info().slot_supplier_kind(), "Fixed");
  EXPECT_EQ(first.activity_task_slots_info().current_available_slots() +
                first.activity_task_slots_info().current_used_slots(),
            7);
  EXPECT_EQ(first.workflow_poller_info().current_pollers(), 1);
  EXPECT_EQ(first.workflow_sticky_poller_info().current_pollers(), 4);
  EXPECT_EQ(first.plugins(0).name(), "mine");
  EXPECT_FALSE(first.has_elapsed_since_last_heartbeat());

  give(first_task("run"));
  server_->next("RespondWorkflowTaskCompleted")->answer(wf::RespondWorkflowTaskCompletedResponse());
  pass(59s);
  EXPECT_EQ(server_->waiting("RecordWorkerHeartbeat"), 0);
  pass(1s);
  const auto second = heard();
  EXPECT_EQ(second.elapsed_since_last_heartbeat().seconds(), 60);
  EXPECT_EQ(second.workflow_task_slots_info().last_interval_processed_tasks(), 1);
  EXPECT_EQ(second.worker_instance_key(), first.worker_instance_key());

  pass(60s);
  EXPECT_EQ(heard().workflow_task_slots_info().last_interval_processed_tasks(), 0);
}

TEST_F(HeartbeatTest, TheLastIsThatOfTheGoodbye) {
  std::optional<wf::ShutdownWorkerRequest> goodbye;
  server_->always("ShutdownWorker", [&](ScriptedServer::Call& call) {
    goodbye = call.as<wf::ShutdownWorkerRequest>();
    call.finish(absl::OkStatus());
  });
  start();
  heard();
  end(10min);
  ASSERT_TRUE(goodbye.has_value());
  EXPECT_EQ(goodbye->worker_heartbeat().status(), api::enums::v1::WORKER_STATUS_SHUTTING_DOWN);
  EXPECT_EQ(server_->waiting("RecordWorkerHeartbeat"), 0);
}

TEST_F(HeartbeatTest, AServerThatDoesNotKnowThemIsToldNoMore) {
  start();
  server_->next("RecordWorkerHeartbeat")->finish(absl::UnimplementedError("what?"));
  pass(10min);
  EXPECT_EQ(server_->waiting("RecordWorkerHeartbeat"), 0);
}

TEST_F(HeartbeatTest, OneThatIsLostIsFollowedByTheNext) {
  start();
  server_->next("RecordWorkerHeartbeat")->finish(absl::UnavailableError("no server"));
  pass(60s);
  heard();
}

TEST_F(HeartbeatTest, ANamespaceThatTakesNoneGetsNone) {
  server_->always("DescribeNamespace",
                  [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
  start();
  pass(10min);
  EXPECT_EQ(server_->waiting("RecordWorkerHeartbeat"), 0);
}

TEST_F(HeartbeatTest, SayOnWhatTheWorkerRuns) {
  options_.language_runtime = "CPython 3.12.1";
  start();
  const auto with = heard().environment();
  ASSERT_EQ(with.runtimes_size(), 2);
  EXPECT_EQ(with.runtimes(0).type(),
            api::worker::v1::EnvironmentInfo::Runtime::RUNTIME_TYPE_CPYTHON);
  EXPECT_EQ(with.runtimes(0).version(), "3.12.1");
  EXPECT_TRUE(with.platform().has_linux());
}

TEST_F(HeartbeatTest, OrKeepItBack) {
  options_.disable_environment_info = true;
  start();
  EXPECT_FALSE(heard().has_environment());
}

}  // namespace
}  // namespace chimera::core
