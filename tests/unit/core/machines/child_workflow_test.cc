#include "core/machines/child_workflow.h"

#include <gtest/gtest.h>

#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;
using enum ChildWorkflowCancellationType;
using Start = ResolveChildWorkflowExecutionStart;

StartChildWorkflowExecution ship(ChildWorkflowCancellationType cancellation = kTryCancel) {
  StartChildWorkflowExecution command{7, cancellation};
  command.attributes.set_workflow_id("ship-1");
  command.attributes.mutable_workflow_type()->set_name("Ship");
  return command;
}

HistoryEvent initiated(const std::string& id = "ship-1", const std::string& type = "Ship") {
  HistoryEvent initiated = event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, 5);
  auto& attributes = *initiated.mutable_start_child_workflow_execution_initiated_event_attributes();
  attributes.set_workflow_id(id);
  attributes.mutable_workflow_type()->set_name(type);
  return initiated;
}

HistoryEvent started() {
  HistoryEvent started = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, 6);
  started.mutable_child_workflow_execution_started_event_attributes()
      ->mutable_workflow_execution()
      ->set_run_id("run of ship-1");
  return started;
}

ChildWorkflowMachine confirmed(ChildWorkflowCancellationType cancellation, FakeRun& run) {
  auto child = begun<ChildWorkflowMachine>(ship(cancellation), run);
  child.began = 5;
  EXPECT_TRUE(child.on(initiated(), run).ok());
  run.log();
  return child;
}

TEST(ChildWorkflowTest, KnowsItsNames) {
  FakeRun run;
  auto child = begun<ChildWorkflowMachine>(ship(), run);
  EXPECT_EQ(child.namespace_(), "default");
  EXPECT_EQ(child.workflow_id(), "ship-1");
  EXPECT_EQ(child.type(), "Ship");
  EXPECT_EQ(child.on(initiated("ship-2"), run).message(),
            "event 5, StartChildWorkflowExecutionInitiated, child workflow Ship (id ship-2): the "
            "child workflow ids differ");
  EXPECT_FALSE(child.on(initiated("ship-1", "Sail"), run).ok());
}

TEST(ChildWorkflowTest, TellsOfItsStartAndItsEnd) {
  FakeRun run;
  auto child = confirmed(kTryCancel, run);
  EXPECT_TRUE(child.on(started(), run).ok());
  EXPECT_EQ(std::get<Start::Succeeded>(run.job<Start>().status).run_id, "run of ship-1");

  HistoryEvent terminated = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED);
  EXPECT_TRUE(child.on(terminated, run).ok());

  const auto job = run.job<ResolveChildWorkflowExecution>();
  const auto& failure = *std::get<Failed>(job.result).failure;
  EXPECT_EQ(failure.message(), "Child Workflow execution terminated");
  const auto& info = failure.child_workflow_execution_failure_info();
  EXPECT_EQ(info.workflow_execution().run_id(), "run of ship-1");
  EXPECT_EQ(info.started_event_id(), 6);
  EXPECT_TRUE(child.done());
}

TEST(ChildWorkflowTest, EachKindOfCancellation) {
  FakeRun run;
  auto tried = confirmed(kTryCancel, run);
  EXPECT_TRUE(tried.on(started(), run).ok());
  run.log();
  cancel(tried, run);
  EXPECT_EQ(run.log(), "issue, tell, swallow 5");
  const auto& request =
      std::get<RequestCancelExternalWorkflowExecution>(run.issued.back()).attributes;
  EXPECT_EQ(request.workflow_id(), "ship-1");
  EXPECT_EQ(request.run_id(), "run of ship-1");
  EXPECT_TRUE(request.child_workflow_only());

  auto waited = confirmed(kWaitCancellationCompleted, run);
  cancel(waited, run);
  cancel(waited, run);
  EXPECT_EQ(run.log(), "issue");

  auto abandoned = confirmed(kAbandon, run);
  cancel(abandoned, run);
  EXPECT_EQ(run.log(), "tell, swallow 5");

  auto unsent = begun<ChildWorkflowMachine>(ship(kAbandon), run);
  run.log();
  cancel(unsent, run);
  EXPECT_EQ(run.log(), "take back, tell");
  EXPECT_TRUE(std::holds_alternative<Cancelled>(run.job<Start>().status));
}

}  // namespace
}  // namespace chimera::core::testing
