#include "core/activity/activity_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/proto_time.h"
#include "core/telemetry/log.h"
#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeClock;
using testing::FakeTimers;

api::common::v1::Payloads details(const std::string& text) {
  api::common::v1::Payloads result;
  result.add_payloads()->set_data(text);
  return result;
}

// Keeps what would be sent; the test answers heartbeats.
class FakeSink : public ActivitySink {
 public:
  void report(const Task& task, ActivityResult result,
              std::optional<api::common::v1::Payloads> kept, Done done) override {
    if (auto* completed = std::get_if<ActivityResult::Completed>(&result.status)) {
      wf::RespondActivityTaskCompletedRequest request;
      request.set_task_token(task->task_token());
      if (completed->result) *request.mutable_result()->add_payloads() = *completed->result;
      completions.push_back(request);
    } else if (auto* failed = std::get_if<ActivityResult::Failed>(&result.status)) {
      wf::RespondActivityTaskFailedRequest request;
      *request.mutable_failure() = failed->failure;
      if (kept) *request.mutable_last_heartbeat_details() = *kept;
      failures.push_back(request);
    } else {
      wf::RespondActivityTaskCanceledRequest request;
      *request.mutable_details() = std::get<ActivityResult::Cancelled>(result.status).details;
      cancellations.push_back(request);
    }
    std::move(done)(absl::OkStatus());
  }
  void heartbeat(const Task&, api::common::v1::Payloads details, HeartbeatDone done) override {
    heartbeats.push_back(details.payloads(0).data());
    answer_heartbeat = std::move(done);
  }

  std::vector<wf::RespondActivityTaskCompletedRequest> completions;
  std::vector<wf::RespondActivityTaskFailedRequest> failures;
  std::vector<wf::RespondActivityTaskCanceledRequest> cancellations;
  std::vector<std::string> heartbeats;
  HeartbeatDone answer_heartbeat;
};

class FakeLanguage : public ActivityLanguage {
 public:
  void start(ActivityTask task) override { tasks.push_back(std::move(task)); }
  void cancel(const std::string& token, const ActivityCancellation& cancellation) override {
    cancels.push_back(cancellation);
  }
  std::vector<ActivityTask> tasks;
  std::vector<ActivityCancellation> cancels;
};

class ActivityManagerTest : public ::testing::Test {
 protected:
  ActivityManagerTest() {
    options_.language_of = [this](const std::string& type) {
      return type == "charge_card" ? &language_ : nullptr;
    };
    options_.known_types = "charge_card";
    manager_.emplace(options_, timers_, clock_);
  }

  // Starts a task and gives its handle; null when no language got it.
  ActivityHandle* start(seconds heartbeat_timeout = seconds(0), seconds start_to_close = {},
                        const std::string& type = "charge_card") {
    auto task = std::make_shared<wf::PollActivityTaskQueueResponse>();
    task->set_task_token("token");
    task->mutable_activity_type()->set_name(type);
    task->mutable_heartbeat_timeout()->set_seconds(heartbeat_timeout.count());
    task->mutable_start_to_close_timeout()->set_seconds(start_to_close.count());
    manager_->start(task, permit_, sink_);
    return language_.tasks.empty() ? nullptr : language_.tasks.back().handle.get();
  }

  void answer(absl::StatusOr<wf::RecordActivityTaskHeartbeatResponse> reply) {
    std::move(std::exchange(io_.answer_heartbeat, nullptr))(std::move(reply));
  }

  FakeTimers timers_;
  FakeClock clock_{timers_};
  const std::shared_ptr<FakeSink> sink_ = std::make_shared<FakeSink>();
  FakeSink& io_ = *sink_;
  FakeLanguage language_;
  ActivityManagerOptions options_;
  std::shared_ptr<void> permit_ = std::make_shared<int>(1);
  std::optional<ActivityManager> manager_;
};

TEST_F(ActivityManagerTest, ReportsTheResultAndGivesTheSlotBack) {
  ActivityHandle& handle = *start();
  EXPECT_EQ(permit_.use_count(), 2);
  api::common::v1::Payload result;
  result.set_data("42");

  handle.complete({ActivityResult::Completed{result}});

  ASSERT_EQ(io_.completions.size(), 1u);
  EXPECT_EQ(io_.completions[0].task_token(), "token");
  EXPECT_EQ(io_.completions[0].result().payloads(0).data(), "42");
  EXPECT_EQ(permit_.use_count(), 1);
  EXPECT_TRUE(manager_->idle());
}

TEST_F(ActivityManagerTest, TellsWhenItHasBecomeIdle) {
  int told = 0;
  manager_->when_idle([&] { ++told; });
  EXPECT_EQ(told, 1);  // It is.
  ActivityHandle& handle = *start();

  manager_->when_idle([&] { ++told; });
  EXPECT_EQ(told, 1);
  handle.complete({ActivityResult::Completed{}});

  EXPECT_EQ(told, 2);
}

TEST_F(ActivityManagerTest, OnlyTheFirstAnswerCounts) {
  ActivityHandle& handle = *start();

  handle.complete({ActivityResult::Completed{}});
  handle.complete({ActivityResult::Failed{}});

  EXPECT_EQ(io_.completions.size(), 1u);
  EXPECT_TRUE(io_.failures.empty());
}

TEST_F(ActivityManagerTest, AnUnknownTypeFailsTheTaskAndNamesTheKnownOnes) {
  start({}, {}, "nobody");

  ASSERT_EQ(io_.failures.size(), 1u);
  const auto& failure = io_.failures[0].failure();
  EXPECT_EQ(failure.application_failure_info().type(), "NotFoundError");
  EXPECT_FALSE(failure.application_failure_info().non_retryable());
  EXPECT_NE(failure.message().find("nobody"), std::string::npos);
  EXPECT_NE(failure.message().find("charge_card"), std::string::npos);
}

TEST_F(ActivityManagerTest, OneHeartbeatPerIntervalAndTheNewestWins) {
  ActivityHandle& handle = *start(seconds(10));  // So one each 8 s.

  handle.heartbeat(details("1"));
  answer(wf::RecordActivityTaskHeartbeatResponse());
  handle.heartbeat(details("2"));
  handle.heartbeat(details("3"));
  timers_.advance(std::chrono::milliseconds(7999));
  EXPECT_EQ(io_.heartbeats, (std::vector<std::string>{"1"}));
  timers_.advance(std::chrono::milliseconds(1));

  EXPECT_EQ(io_.heartbeats, (std::vector<std::string>{"1", "3"}));
  answer(wf::RecordActivityTaskHeartbeatResponse());
  handle.complete({ActivityResult::Completed{}});
}

TEST_F(ActivityManagerTest, TheNextHeartbeatWaitsForTheReply) {
  ActivityHandle& handle = *start(seconds(10));

  handle.heartbeat(details("1"));
  handle.heartbeat(details("2"));
  timers_.advance(seconds(9));
  EXPECT_EQ(io_.heartbeats, (std::vector<std::string>{"1"}));
  answer(wf::RecordActivityTaskHeartbeatResponse());

  EXPECT_EQ(io_.heartbeats, (std::vector<std::string>{"1", "2"}));
  answer(wf::RecordActivityTaskHeartbeatResponse());
  handle.complete({ActivityResult::Completed{}});
}

TEST_F(ActivityManagerTest, AFailureTakesTheKeptDetailsAlong) {
  ActivityHandle& handle = *start(seconds(10));
  handle.heartbeat(details("1"));
  answer(wf::RecordActivityTaskHeartbeatResponse());
  handle.heartbeat(details("2"));

  handle.complete({ActivityResult::Failed{}});

  ASSERT_EQ(io_.failures.size(), 1u);
  EXPECT_EQ(io_.failures[0].last_heartbeat_details().payloads(0).data(), "2");
}

// Otherwise the heartbeat could come after the end, and a retry would start from nothing.
TEST_F(ActivityManagerTest, TheEndWaitsForTheHeartbeatUnderWay) {
  ActivityHandle& handle = *start(seconds(10));
  handle.heartbeat(details("1"));

  handle.complete({ActivityResult::Completed{}});
  EXPECT_TRUE(io_.completions.empty());
  answer(wf::RecordActivityTaskHeartbeatResponse());

  EXPECT_EQ(io_.completions.size(), 1u);
}

TEST_F(ActivityManagerTest, ACancellationIsDeliveredOnceAndMayBeAnswered) {
  ActivityHandle& handle = *start(seconds(10));
  wf::RecordActivityTaskHeartbeatResponse cancel;
  cancel.set_cancel_requested(true);

  handle.heartbeat(details("1"));
  answer(cancel);
  handle.heartbeat(details("2"));
  timers_.advance(seconds(8));
  answer(cancel);
  handle.complete({ActivityResult::Cancelled{}});

  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].cancelled);
  EXPECT_EQ(io_.cancellations.size(), 1u);
}

TEST_F(ActivityManagerTest, ATaskThatTheServerForgotIsCancelled) {
  ActivityHandle& handle = *start(seconds(10));

  handle.heartbeat(details("1"));
  answer(absl::NotFoundError("activity is gone"));

  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].not_found);
  handle.complete({ActivityResult::Cancelled{}});
}

TEST_F(ActivityManagerTest, ACancellationThatNobodyAskedForIsAFailure) {
  start()->complete({ActivityResult::Cancelled{}});

  EXPECT_TRUE(io_.cancellations.empty());
  ASSERT_EQ(io_.failures.size(), 1u);
  EXPECT_EQ(io_.failures[0].failure().application_failure_info().type(), "CancelledError");
}

TEST_F(ActivityManagerTest, ShutdownCancelsAfterTheGraceAndLetsTheServerTryElsewhere) {
  ActivityHandle& handle = *start();

  manager_->begin_shutdown(seconds(3));
  timers_.advance(seconds(2));
  EXPECT_TRUE(language_.cancels.empty());
  timers_.advance(seconds(1));
  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].worker_shutdown);
  EXPECT_FALSE(manager_->idle());
  handle.complete({ActivityResult::Cancelled{}});

  EXPECT_TRUE(manager_->idle());
  ASSERT_EQ(io_.failures.size(), 1u);
  EXPECT_EQ(io_.failures[0].failure().application_failure_info().type(), "WorkerShutdown");
}

TEST_F(ActivityManagerTest, CodeThatRunsPastItsTimeoutIsTold) {
  ActivityHandle& handle = *start({}, seconds(10));

  timers_.advance(std::chrono::milliseconds(14999));
  EXPECT_TRUE(language_.cancels.empty());
  timers_.advance(std::chrono::milliseconds(1));

  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].timed_out && language_.cancels[0].not_found);
  handle.complete({ActivityResult::Cancelled{}});
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(ActivityManagerTest, AHeartbeatThatIsRefusedIsLogged) {
  std::vector<std::string> said;
  set_log_sink([&said](const LogRecord& record) { said.push_back(record.message); });
  ActivityHandle& handle = *start(seconds(10));

  handle.heartbeat(details("1"));
  answer(absl::ResourceExhaustedError("larger than max"));
  set_log_sink({});

  EXPECT_THAT(said, ElementsAre("a heartbeat was not recorded: larger than max"));
  EXPECT_TRUE(language_.cancels.empty());
  handle.complete({ActivityResult::Completed{}});
}

TEST_F(ActivityManagerTest, SilenceBeyondTheHeartbeatTimeoutIsTold) {
  ActivityHandle& handle = *start(seconds(10));
  timers_.advance(seconds(9));
  handle.heartbeat(details("1"));
  answer(wf::RecordActivityTaskHeartbeatResponse());

  timers_.advance(seconds(14));
  EXPECT_TRUE(language_.cancels.empty());
  timers_.advance(seconds(1));

  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].timed_out && language_.cancels[0].not_found);
  handle.complete({ActivityResult::Cancelled{}});
}

TEST_F(ActivityManagerTest, CompletingElsewhereSaysNothingToTheServer) {
  start()->complete({ActivityResult::WillCompleteAsync{}});

  EXPECT_TRUE(io_.completions.empty());
  EXPECT_TRUE(manager_->idle());
  EXPECT_EQ(permit_.use_count(), 1);
}

TEST_F(ActivityManagerTest, CountsWithTheOfficialNames) {
  Metrics metrics;
  SdkMetrics sdk(metrics, "default", "orders");
  options_.metrics = &sdk;
  manager_.emplace(options_, timers_, clock_);

  start()->complete({ActivityResult::Failed{}});

  std::string text = metrics.prometheus_text();
  EXPECT_NE(
      text.find("temporal_activity_task_received{activity_type=\"charge_card\",eager=\"false\""),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("failure_reason=\"ActivityError\""), std::string::npos) << text;
  EXPECT_NE(text.find("temporal_activity_execution_latency_count"), std::string::npos) << text;
}

TEST_F(ActivityManagerTest, CountsByTheInjectedClock) {
  Metrics metrics;
  SdkMetrics sdk(metrics, "default", "orders");
  options_.metrics = &sdk;
  manager_.emplace(options_, timers_, clock_);
  auto task = std::make_shared<wf::PollActivityTaskQueueResponse>();
  task->set_task_token("token");
  task->mutable_activity_type()->set_name("charge_card");
  base::set_timestamp(clock_.now(), *task->mutable_scheduled_time());
  manager_->start(task, permit_, sink_);

  timers_.advance(seconds(7));
  language_.tasks.back().handle->complete({ActivityResult::Completed{}});

  const std::string text = metrics.prometheus_text();
  const std::size_t at = text.find("temporal_activity_succeed_endtoend_latency_sum{");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(text.substr(text.find('}', at), 7), "} 7000\n") << text;
}

}  // namespace
}  // namespace chimera::core
