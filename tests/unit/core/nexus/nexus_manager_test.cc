#include "core/nexus/nexus_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/proto_time.h"
#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

namespace nexus = api::nexus::v1;
namespace wf = api::workflowservice::v1;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeClock;
using testing::FakeTimers;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Keeps what would be sent; the test says when it has gone.
class FakeSink : public NexusSink {
 public:
  void completed(const Task&, NexusResult::Completed result, Done done) override {
    completions.push_back(std::move(result.response));
    finish(std::move(done));
  }
  void failed(const Task&, NexusResult::Failed result, Done done) override {
    failures.push_back(std::move(result.failure));
    finish(std::move(done));
  }
  void finish(Done done) {
    if (holds) {
      held = std::move(done);
    } else {
      std::move(done)(absl::OkStatus());
    }
  }

  bool holds = false;
  Done held;
  std::vector<nexus::Response> completions;
  std::vector<api::failure::v1::Failure> failures;
};

class FakeLanguage : public NexusLanguage {
 public:
  void start(NexusTask task) override { tasks.push_back(std::move(task)); }
  void cancel(const std::string& token, NexusCancelReason reason) override {
    cancelled.push_back(token);
    reasons.push_back(reason);
  }
  std::vector<NexusTask> tasks;
  std::vector<std::string> cancelled;
  std::vector<NexusCancelReason> reasons;
};

NexusResult synchronous(const std::string& data) {
  NexusResult::Completed completed;
  completed.response.mutable_start_operation()->mutable_sync_success()->mutable_payload()->set_data(
      data);
  return {std::move(completed)};
}

class NexusManagerTest : public ::testing::Test {
 protected:
  NexusManagerTest() {
    metrics_ = std::make_unique<SdkMetrics>(registry_, "default", "orders");
    manager_.emplace(NexusManagerOptions{.language_of =
                                             [this](const std::string& service) {
                                               return service == "Payments" ? &language_ : nullptr;
                                             },
                                         .known_services = "Payments",
                                         .metrics = metrics_.get(),
                                         .figures = &figures_},
                     sink_, timers_, clock_);
  }

  static NexusManager::Polled start_request(const std::string& service = "Payments") {
    auto task = std::make_shared<wf::PollNexusTaskQueueResponse>();
    task->set_task_token("token");
    task->mutable_request()->mutable_start_operation()->set_service(service);
    task->mutable_request()->mutable_start_operation()->set_operation("charge");
    return task;
  }
  NexusHandle& started() {
    manager_->start(start_request(), permit_);
    return *language_.tasks.back().handle;
  }
  double failed(const std::string& reason) {
    return metrics_->counter("nexus_task_execution_failed", {{"failure_reason", reason}}).value();
  }

  FakeTimers timers_;
  FakeClock clock_{timers_};
  Metrics registry_;
  std::unique_ptr<SdkMetrics> metrics_;
  TaskFigures figures_;
  const std::shared_ptr<FakeSink> sink_ = std::make_shared<FakeSink>();
  FakeLanguage language_;
  std::shared_ptr<void> permit_ = std::make_shared<int>(1);
  std::optional<NexusManager> manager_;
};

TEST_F(NexusManagerTest, AnswersAndGivesTheSlotBack) {
  sink_->holds = true;
  int idle = 0;
  NexusHandle& handle = started();
  manager_->when_idle([&] { ++idle; });

  handle.complete(synchronous("42"));
  handle.complete(synchronous("43"));  // Only the first answer counts.

  ASSERT_EQ(sink_->completions.size(), 1u);
  EXPECT_EQ(sink_->completions[0].start_operation().sync_success().payload().data(), "42");
  EXPECT_EQ(permit_.use_count(), 2) << "the server does not have it yet";
  EXPECT_EQ(idle, 0);
  std::move(sink_->held)(absl::OkStatus());
  EXPECT_EQ(permit_.use_count(), 1);
  EXPECT_EQ(idle, 1);
  EXPECT_EQ(figures_.processed.load(), 1);
  EXPECT_EQ(figures_.failed.load(), 0);
}

TEST_F(NexusManagerTest, NamesOfHeadersAreInSmallLetters) {
  auto task = start_request();
  (*task->mutable_request()->mutable_header())["X-Caller"] = "Me";
  (*task->mutable_request()->mutable_start_operation()->mutable_callback_header())["Token"] = "T";

  manager_->start(task, permit_);

  const nexus::Request& request = language_.tasks.at(0).message->request();
  EXPECT_EQ(request.header().at("x-caller"), "Me");
  EXPECT_EQ(request.header().size(), 1u);
  EXPECT_EQ(request.start_operation().callback_header().at("token"), "T");
  language_.tasks[0].handle->complete(synchronous(""));
}

TEST_F(NexusManagerTest, AServiceThatNobodyHasIsNotFound) {
  manager_->start(start_request("Loans"), permit_);
  ASSERT_EQ(sink_->failures.size(), 1u);
  EXPECT_EQ(sink_->failures[0].nexus_handler_failure_info().type(), "NOT_FOUND");
  EXPECT_THAT(sink_->failures[0].message(), HasSubstr("No handler for service 'Loans'."));
  EXPECT_THAT(sink_->failures[0].message(), HasSubstr("Payments"));
  EXPECT_EQ(failed("handler_error_NOT_FOUND"), 1);
  EXPECT_EQ(permit_.use_count(), 1);
}

TEST_F(NexusManagerTest, ARequestOfAnUnknownKindIsRefused) {
  auto task = std::make_shared<wf::PollNexusTaskQueueResponse>();
  task->set_task_token("token");
  manager_->start(task, permit_);
  ASSERT_EQ(sink_->failures.size(), 1u);
  EXPECT_EQ(sink_->failures[0].nexus_handler_failure_info().type(), "BAD_REQUEST");
}

TEST_F(NexusManagerTest, TellsOnceWhenTheCallerGivesUp) {
  auto task = start_request();
  (*task->mutable_request()->mutable_header())["request-timeout"] = "9.5s";
  const base::WallTime before = clock_.now();
  manager_->start(task, permit_);
  EXPECT_EQ(language_.tasks.at(0).deadline, before + milliseconds(9500));

  timers_.advance(milliseconds(9499));
  EXPECT_THAT(language_.reasons, IsEmpty());
  timers_.advance(milliseconds(2));
  manager_->begin_shutdown(seconds(0));

  EXPECT_THAT(language_.reasons, ElementsAre(NexusCancelReason::kTimedOut));
  language_.tasks[0].handle->complete({NexusResult::CancelAcknowledged{}});
  EXPECT_TRUE(sink_->completions.empty() && sink_->failures.empty()) << "nobody waits for it";
  EXPECT_EQ(failed("timeout"), 1);
  EXPECT_EQ(permit_.use_count(), 1);
}

TEST_F(NexusManagerTest, ATimeoutThatCannotBeReadIsNone) {
  auto task = start_request();
  (*task->mutable_request()->mutable_header())["request-timeout"] = "soon";
  manager_->start(task, permit_);
  EXPECT_EQ(language_.tasks.at(0).deadline, std::nullopt);
  EXPECT_EQ(timers_.pending(), 0u);
  language_.tasks[0].handle->complete(synchronous(""));
}

TEST_F(NexusManagerTest, AnAnswerInTimeLeavesNoTimer) {
  auto task = start_request();
  (*task->mutable_request()->mutable_header())["request-timeout"] = "1m";
  manager_->start(task, permit_);
  language_.tasks.at(0).handle->complete(synchronous(""));
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(NexusManagerTest, AShutdownCancelsAfterItsGrace) {
  started();
  manager_->begin_shutdown(seconds(5));
  timers_.advance(seconds(4));
  EXPECT_THAT(language_.reasons, IsEmpty());
  timers_.advance(seconds(2));
  EXPECT_THAT(language_.reasons, ElementsAre(NexusCancelReason::kWorkerShutdown));
  EXPECT_THAT(language_.cancelled, ElementsAre("token"));
  language_.tasks[0].handle->complete(synchronous(""));

  started();  // A poll's that was under way.
  EXPECT_EQ(language_.reasons.size(), 2u);
  language_.tasks[1].handle->complete(synchronous(""));
}

// The caller would wait for its timeout.
TEST_F(NexusManagerTest, ACancellationThatNobodyAskedForIsAFailure) {
  started().complete({NexusResult::CancelAcknowledged{}});
  ASSERT_EQ(sink_->failures.size(), 1u);
  EXPECT_EQ(sink_->failures[0].nexus_handler_failure_info().type(), "INTERNAL");
}

TEST_F(NexusManagerTest, AnAnswerThatIsNoneIsAFailure) {
  NexusResult::Completed empty, cancel, wrong;
  empty.response.mutable_start_operation();
  cancel.response.mutable_cancel_operation();
  wrong.response.mutable_start_operation()->mutable_failure()->mutable_server_failure_info();
  for (auto* answer : {&empty, &cancel, &wrong}) started().complete({std::move(*answer)});
  started().complete({NexusResult::Failed{}});

  EXPECT_TRUE(sink_->completions.empty());
  ASSERT_EQ(sink_->failures.size(), 4u);
  for (const auto& failure : sink_->failures)
    EXPECT_EQ(failure.nexus_handler_failure_info().type(), "INTERNAL");
}

TEST_F(NexusManagerTest, CountsHowOperationsFail) {
  NexusResult::Completed failure, cancelled, old;
  failure.response.mutable_start_operation()->mutable_failure()->mutable_application_failure_info();
  cancelled.response.mutable_start_operation()->mutable_failure()->mutable_canceled_failure_info();
  old.response.mutable_start_operation()->mutable_operation_error()->set_operation_state("failed");
  for (auto* answer : {&failure, &cancelled, &old}) started().complete({std::move(*answer)});
  EXPECT_EQ(failed("operation_failed"), 2);
  EXPECT_EQ(failed("operation_canceled"), 1);
  EXPECT_EQ(figures_.failed.load(), 3);
}

TEST(NexusDurationTest, IsANumberAndAUnit) {
  EXPECT_EQ(parse_nexus_duration("10m"), minutes(10));
  EXPECT_EQ(parse_nexus_duration(" 30s "), seconds(30));
  EXPECT_EQ(parse_nexus_duration("9.5ms"), std::chrono::microseconds(9500));
  for (const char* text : {"", "s", "5", "5h", "-5s", "1e3s", "99999999999m", "1.2.3s", "5 s"})
    EXPECT_EQ(parse_nexus_duration(text), std::nullopt) << text;
}

}  // namespace
}  // namespace chimera::core
