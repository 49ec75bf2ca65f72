// Signals and cancellations of other workflows.
#include <gtest/gtest.h>

#include "core/machines/cancel_external.h"
#include "core/machines/signal_external.h"
#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;

TEST(SignalExternalTest, TellsHowItFared) {
  FakeRun run;
  auto signal = begun<SignalExternalMachine>({7, {}}, run);
  EXPECT_EQ(
      run.commands.back()->signal_external_workflow_execution_command_attributes().namespace_(),
      "default");
  EXPECT_TRUE(signal.on(event(SignalExternalMachine::kBegunBy), run).ok());
  cancel(signal, run);
  EXPECT_EQ(run.log(), "send SignalExternalWorkflowExecutionInitiated") << "too late to cancel";
  HistoryEvent failed = event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  failed.mutable_signal_external_workflow_execution_failed_event_attributes()->set_cause(
      enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND);

  EXPECT_TRUE(signal.on(failed, run).ok());

  EXPECT_EQ(run.job<ResolveSignalExternalWorkflow>().failure->application_failure_info().type(),
            "NamespaceNotFound");
  EXPECT_TRUE(signal.done());
}

TEST(SignalExternalTest, IsTakenBackBeforeItIsSent) {
  FakeRun run;
  auto signal = begun<SignalExternalMachine>({7, {}}, run);
  run.log();
  cancel(signal, run);
  EXPECT_EQ(run.log(), "take back, tell");
  EXPECT_EQ(run.job<ResolveSignalExternalWorkflow>().failure->message(),
            "Signal was cancelled before being sent");
}

TEST(CancelExternalTest, SaysWhoAsked) {
  FakeRun run;
  RequestCancelExternalWorkflowExecution command{7, {}};
  command.attributes.set_reason("late");
  auto request = begun<CancelExternalMachine>(std::move(command), run);
  EXPECT_EQ(
      run.commands.back()->request_cancel_external_workflow_execution_command_attributes().reason(),
      "Cancel requested by workflow with run id run with reason: late");
  EXPECT_TRUE(request.on(event(CancelExternalMachine::kBegunBy), run).ok());
  EXPECT_TRUE(
      request.on(event(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED), run).ok());
  EXPECT_EQ(run.job<ResolveRequestCancelExternalWorkflow>().failure, nullptr);
  EXPECT_TRUE(request.done());
}

TEST(CancelExternalTest, OfAChildIsNotTheLanguagesBusiness) {
  FakeRun run;
  CancelExternalMachine request;
  request.seq = kOwnSeq;
  RequestCancelExternalWorkflowExecution command{kOwnSeq, {}};
  command.attributes.set_reason("late");
  Command none{CancelTimer{}};
  request.begin(command, none, run);
  EXPECT_EQ(
      run.commands.back()->request_cancel_external_workflow_execution_command_attributes().reason(),
      "late");
  EXPECT_TRUE(request.on(event(CancelExternalMachine::kBegunBy), run).ok());
  run.log();
  EXPECT_TRUE(
      request.on(event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED), run)
          .ok());
  EXPECT_EQ(run.log(), "");
  EXPECT_TRUE(request.done());
}

}  // namespace
}  // namespace chimera::core::testing
