#include "server/engine/pending/child.h"

#include "server/engine/turn/incoming.h"
#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ChildrenTest : public PendingFixture {
 protected:
  static command::Command start_child(
      const std::string& id,
      enums::ParentClosePolicy policy = enums::PARENT_CLOSE_POLICY_TERMINATE) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& a = *command.mutable_start_child_workflow_execution_command_attributes();
    a.set_workflow_id(id);
    a.mutable_workflow_type()->set_name("Child");
    a.set_parent_close_policy(policy);
    return command;
  }
  const OneRun* current(const std::string& id) { return engine.runs().current(ns(), id); }
};

TEST_F(ChildrenTest, ItsStartAndItsEndReachTheParent) {
  const RunPtr parent = start("parent");
  const std::int64_t before = parent->next_event_id();
  ASSERT_TRUE(respond(*parent, {start_child("child")}).ok());
  const OneRun* child = current("child");
  ASSERT_NE(child, nullptr);
  EXPECT_EQ(child->task_queue, "queue") << "its parent's";
  EXPECT_EQ(child->start().parent_workflow_execution().run_id(), parent->run_id);

  ASSERT_TRUE(respond(*child, {complete_workflow()}).ok());

  EXPECT_THAT(events(*parent, before), ElementsAre("START_CHILD_WORKFLOW_EXECUTION_INITIATED",
                                                   "CHILD_WORKFLOW_EXECUTION_STARTED",
                                                   "CHILD_WORKFLOW_EXECUTION_COMPLETED"));
  const HistoryEvent& end =
      *find_event(*parent, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
  const HistoryEvent& begin =
      *find_event(*parent, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
  EXPECT_EQ(end.child_workflow_execution_completed_event_attributes().started_event_id(),
            begin.event_id());
  EXPECT_EQ(parent->open<Children>().find(begin.event_id() - 1), nullptr);
}

TEST_F(ChildrenTest, ATakenIdFailsItsStart) {
  start("taken");
  const RunPtr parent = start("parent");

  ASSERT_TRUE(respond(*parent, {start_child("taken")}).ok());

  const HistoryEvent* failed =
      find_event(*parent, enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->start_child_workflow_execution_failed_event_attributes().cause(),
            enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
}

TEST_F(ChildrenTest, GoTheWayOfTheirPolicyWhenTheParentCloses) {
  const RunPtr parent = start("parent");
  ASSERT_TRUE(respond(*parent, {start_child("ended"),
                                start_child("left", enums::PARENT_CLOSE_POLICY_ABANDON),
                                start_child("asked", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL)})
                  .ok());

  ASSERT_TRUE(respond(*parent, {complete_workflow()}).ok());

  EXPECT_EQ(current("ended")->status, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_TRUE(current("left")->running());
  EXPECT_FALSE(current("left")->cancel_requested);
  EXPECT_TRUE(current("asked")->running());
  EXPECT_TRUE(current("asked")->cancel_requested);
}

TEST_F(ChildrenTest, AreShownWhileTheyAreOpen) {
  const RunPtr parent = start("parent");
  ASSERT_TRUE(respond(*parent, {start_child("child")}).ok());

  wf::DescribeWorkflowExecutionResponse shown;
  parent->pending().describe(engine.now(), shown);

  ASSERT_EQ(shown.pending_children_size(), 1);
  EXPECT_EQ(shown.pending_children(0).workflow_id(), "child");
  EXPECT_EQ(shown.pending_children(0).run_id(), current("child")->run_id);
}

TEST_F(ChildrenTest, AStartWithoutAnIdIsRefused) {
  const RunPtr parent = start("parent");

  EXPECT_THAT(respond(*parent, {start_child("")}).message(),
              HasSubstr("WorkflowId is not set on StartChildWorkflowExecutionCommand"));
}

}  // namespace
}  // namespace chimera::server
