#include "core/converter/value_words.h"

#include "gtest/gtest.h"

#include "core/base/api.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;

TEST(ValueWordsTest, SayWhatAValueIs) {
  api::command::v1::ScheduleActivityTaskCommandAttributes activity;
  activity.mutable_activity_type()->set_name("pack");
  EXPECT_EQ(value_words(activity, "input"), "the arguments of activity pack");
  EXPECT_EQ(value_words(api::common::v1::Memo(), "fields"), "the memo");
  EXPECT_EQ(value_words(wf::TerminateWorkflowExecutionRequest(), "details"),
            "the details of TerminateWorkflowExecutionRequest");
}

TEST(ValueWordsTest, AndWhoseTheyAre) {
  wf::RespondWorkflowTaskCompletedRequest task;
  task.set_namespace_("default");
  task.set_resource_id("workflow:order-1");
  const ValueOwner own = owner_of_values(task, {});
  EXPECT_EQ(own, (ValueOwner{.namespace_ = "default", .workflow_id = "order-1"}));

  api::command::v1::StartChildWorkflowExecutionCommandAttributes child;
  child.set_workflow_id("child-1");
  child.mutable_workflow_type()->set_name("Child");
  EXPECT_EQ(
      owner_of_values(child, own),
      (ValueOwner{.namespace_ = "default", .workflow_id = "child-1", .workflow_type = "Child"}));
  api::command::v1::ScheduleActivityTaskCommandAttributes activity;
  activity.set_activity_id("1");
  EXPECT_EQ(owner_of_values(activity, own), own);

  wf::RespondActivityTaskCompletedByIdRequest by_id;
  by_id.set_activity_id("5");
  by_id.set_run_id("run");
  EXPECT_EQ(owner_of_values(by_id, {}), (ValueOwner{.run_id = "run", .activity_id = "5"}));
}

}  // namespace
}  // namespace chimera::core
