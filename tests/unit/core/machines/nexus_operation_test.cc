#include "core/machines/nexus_operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;
using Cancel = NexusOperationCancellationType;
using Start = ResolveNexusOperationStart;

constexpr std::int64_t kScheduledId = 5;

ScheduleNexusOperation charge(Cancel cancel = Cancel::kWaitCancellationCompleted) {
  ScheduleNexusOperation command{7, cancel, {}};
  command.attributes.set_endpoint("bank");
  command.attributes.set_service("Payments");
  command.attributes.set_operation("charge");
  return command;
}

HistoryEvent scheduled(const std::string& service = "Payments",
                       const std::string& operation = "charge") {
  HistoryEvent one = event(NexusOperationMachine::kBegunBy, kScheduledId);
  one.mutable_nexus_operation_scheduled_event_attributes()->set_service(service);
  one.mutable_nexus_operation_scheduled_event_attributes()->set_operation(operation);
  return one;
}
HistoryEvent started() {
  HistoryEvent one = event(enums::EVENT_TYPE_NEXUS_OPERATION_STARTED);
  one.mutable_nexus_operation_started_event_attributes()->set_operation_token("token");
  return one;
}
HistoryEvent failed(const std::string& message) {
  HistoryEvent one = event(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED);
  one.mutable_nexus_operation_failed_event_attributes()->mutable_failure()->set_message(message);
  return one;
}

// One that is scheduled, or has started, too.
NexusOperationMachine open_operation(FakeRun& run, Cancel cancel, bool has_started) {
  auto operation = begun<NexusOperationMachine>(charge(cancel), run);
  EXPECT_TRUE(operation.on(scheduled(), run).ok());
  operation.began = kScheduledId;
  if (has_started) {
    EXPECT_TRUE(operation.on(started(), run).ok());
  }
  run.log();
  return operation;
}

TEST(NexusOperationTest, StartsAndCompletes) {
  FakeRun run;
  auto operation = begun<NexusOperationMachine>(charge(), run);
  EXPECT_EQ(run.log(), "send NexusOperationScheduled");
  EXPECT_EQ(run.commands.back()->schedule_nexus_operation_command_attributes().endpoint(), "bank");
  EXPECT_TRUE(operation.on(scheduled(), run).ok());
  EXPECT_TRUE(operation.on(started(), run).ok());
  EXPECT_EQ(std::get<Start::OperationToken>(run.job<Start>().status).token, "token");
  HistoryEvent completed = event(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED);
  completed.mutable_nexus_operation_completed_event_attributes()->mutable_result()->set_data("r");

  EXPECT_TRUE(operation.on(completed, run).ok());

  EXPECT_EQ(std::get<Completed>(run.job<ResolveNexusOperation>().result).result->data(), "r");
  EXPECT_TRUE(operation.done());
}

TEST(NexusOperationTest, ASynchronousOneStartsAndCompletesAtOnce) {
  FakeRun run;
  auto operation = open_operation(run, Cancel::kWaitCancellationCompleted, false);

  EXPECT_TRUE(operation.on(event(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED), run).ok());

  EXPECT_EQ(std::get<Completed>(run.job<ResolveNexusOperation>().result).result, nullptr);
  EXPECT_TRUE(std::holds_alternative<Start::StartedSync>(run.job<Start>().status));
}

TEST(NexusOperationTest, OneThatFailsBeforeItsStartHasNotStarted) {
  FakeRun run;
  auto operation = open_operation(run, Cancel::kWaitCancellationCompleted, false);
  EXPECT_TRUE(operation.on(failed("no"), run).ok());
  EXPECT_EQ(std::get<Failed>(run.job<Start>().status).failure->message(), "no");
  EXPECT_EQ(run.log(), "tell") << "one job: there is no result to come";
}

TEST(NexusOperationTest, OneThatEndsBadlyAfterItsStartSaysHow) {
  for (auto type :
       {enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED, enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT,
        enums::EVENT_TYPE_NEXUS_OPERATION_FAILED}) {
    FakeRun run;
    auto operation = open_operation(run, Cancel::kWaitCancellationCompleted, true);
    EXPECT_TRUE(operation.on(event(type), run).ok());
    const auto job = run.job<ResolveNexusOperation>();
    EXPECT_EQ(job.result.index(), type == enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED    ? 2u
                                  : type == enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT ? 3u
                                                                                        : 1u);
  }
}

TEST(NexusOperationTest, IsTakenBackBeforeItIsSent) {
  FakeRun run;
  auto operation = begun<NexusOperationMachine>(charge(), run);
  run.log();
  cancel(operation, run);
  EXPECT_EQ(run.log(), "take back, tell");
  const auto failure = std::get<Failed>(run.job<Start>().status).failure;
  EXPECT_EQ(failure->message(), "Nexus Operation cancelled before scheduled");
  EXPECT_EQ(failure->nexus_operation_execution_failure_info().service(), "Payments");
  EXPECT_TRUE(failure->cause().has_canceled_failure_info());
}

TEST(NexusOperationTest, TryCancelResolvesAtOnceAndSwallowsWhatComesLater) {
  for (bool has_started : {false, true}) {
    FakeRun run;
    auto operation = open_operation(run, Cancel::kTryCancel, has_started);
    cancel(operation, run);
    cancel(operation, run);
    EXPECT_EQ(run.log(), "send NexusOperationCancelRequested, tell");
    EXPECT_EQ(run.commands.back()
                  ->request_cancel_nexus_operation_command_attributes()
                  .scheduled_event_id(),
              kScheduledId);
    EXPECT_EQ(std::get<Cancelled>(run.job<ResolveNexusOperation>().result).failure->message(),
              "Nexus operation cancelled after starting");
    EXPECT_TRUE(operation.on(event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED), run).ok());
    EXPECT_EQ(run.log(), "swallow 5");
    EXPECT_TRUE(operation.done());
  }
}

// The official core takes its end for nondeterminism, for ever.
TEST(NexusOperationTest, AnAbandonedOneMayEndAsItLikes) {
  for (bool has_started : {false, true}) {
    FakeRun run;
    auto operation = open_operation(run, Cancel::kAbandon, has_started);
    cancel(operation, run);
    EXPECT_EQ(run.log(), "swallow 5, tell") << "no command";
    EXPECT_TRUE(operation.done());
  }
}

TEST(NexusOperationTest, WaitingForTheEndTakesWhateverEndComes) {
  FakeRun run;
  auto operation = open_operation(run, Cancel::kWaitCancellationCompleted, true);
  cancel(operation, run);
  cancel(operation, run);
  EXPECT_EQ(run.log(), "send NexusOperationCancelRequested");
  for (auto type : {enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
                    enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED,
                    enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED})
    EXPECT_TRUE(operation.on(event(type), run).ok());
  EXPECT_EQ(run.log(), "");
  EXPECT_TRUE(operation.on(event(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED), run).ok());
  EXPECT_EQ(run.log(), "tell, swallow 5") << "the answer to the request may come after the end";
}

TEST(NexusOperationTest, WaitingForTheRequestEndsWithIt) {
  for (bool has_started : {false, true}) {
    FakeRun run;
    auto operation = open_operation(run, Cancel::kWaitCancellationRequested, has_started);
    cancel(operation, run);
    EXPECT_TRUE(operation.on(event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED), run).ok());
    run.log();
    EXPECT_TRUE(
        operation.on(event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED), run).ok());
    EXPECT_EQ(run.log(), "tell, swallow 5");
    EXPECT_EQ(std::get<Cancelled>(run.job<ResolveNexusOperation>().result).failure->message(),
              "Nexus operation cancellation request completed");
  }
}

TEST(NexusOperationTest, ARequestThatIsNotDeliveredFailsTheOperation) {
  FakeRun run;
  auto operation = open_operation(run, Cancel::kWaitCancellationRequested, true);
  cancel(operation, run);
  HistoryEvent undelivered = event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED);
  undelivered.mutable_nexus_operation_cancel_request_failed_event_attributes()
      ->mutable_failure()
      ->set_message("gone");
  EXPECT_TRUE(operation.on(undelivered, run).ok());
  const auto failure = std::get<Failed>(run.job<ResolveNexusOperation>().result).failure;
  EXPECT_EQ(failure->message(), "Nexus operation cancellation request failed");
  EXPECT_EQ(failure->cause().message(), "gone");
  EXPECT_EQ(failure->nexus_operation_execution_failure_info().operation_token(), "token");
}

TEST(NexusOperationTest, AnotherServiceOrOperationIsNotTheCodes) {
  for (const auto& other : {scheduled("Loans"), scheduled("Payments", "refund")}) {
    FakeRun run;
    auto operation = begun<NexusOperationMachine>(charge(), run);
    EXPECT_THAT(operation.on(other, run).message(), ::testing::HasSubstr("differ"));
  }
}

}  // namespace
}  // namespace chimera::core::testing
