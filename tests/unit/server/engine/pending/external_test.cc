// Signals and cancels to other workflows.
#include "server/engine/pending/external_cancel.h"
#include "server/engine/pending/external_signal.h"
#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class ExternalTest : public PendingFixture {
 protected:
  static command::Command signal(const std::string& id) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& a = *command.mutable_signal_external_workflow_execution_command_attributes();
    a.mutable_execution()->set_workflow_id(id);
    a.set_signal_name("go");
    return command;
  }
  static command::Command cancel(const std::string& id) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    command.mutable_request_cancel_external_workflow_execution_command_attributes()
        ->set_workflow_id(id);
    return command;
  }
};

TEST_F(ExternalTest, ASignalReachesItsTargetAndTheSenderHears) {
  const RunPtr target = start("target");
  const RunPtr sender = start("sender");
  const std::int64_t before = sender->next_event_id();

  ASSERT_TRUE(respond(*sender, {signal("target")}).ok());

  EXPECT_THAT(events(*target), Contains("WORKFLOW_EXECUTION_SIGNALED"));
  EXPECT_THAT(events(*sender, before), ElementsAre("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                                                   "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"));
}

TEST_F(ExternalTest, ASignalToNobodyFails) {
  const RunPtr sender = start("sender");

  ASSERT_TRUE(respond(*sender, {signal("nobody")}).ok());

  EXPECT_THAT(events(*sender), Contains("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"));
}

TEST_F(ExternalTest, ASignalWaitsForATargetThatIsAboutToClose) {
  const RunPtr target = start("target");
  begin_task(*target);
  const RunPtr other = start("other");
  ASSERT_TRUE(respond(*other, {signal("target")}).ok());
  // The close meets the buffered signal, and its retry begins.
  ASSERT_FALSE(answer(*target, {complete_workflow()}).ok());
  begin_task(*target);
  ASSERT_TRUE(target->is_closing());
  const RunPtr sender = start("sender");

  ASSERT_TRUE(respond(*sender, {signal("target")}).ok());
  EXPECT_THAT(events(*sender), testing::Not(Contains("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")));
  ASSERT_TRUE(answer(*target, {complete_workflow()}).ok());

  EXPECT_THAT(events(*sender), Contains("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"));
}

TEST_F(ExternalTest, ACancelReachesItsTargetOnce) {
  const RunPtr target = start("target");
  const RunPtr sender = start("sender");
  const std::int64_t before = sender->next_event_id();

  ASSERT_TRUE(respond(*sender, {cancel("target"), cancel("target")}).ok());

  EXPECT_TRUE(target->cancel_requested);
  const auto all = events(*target);
  EXPECT_EQ(std::count(all.begin(), all.end(), "WORKFLOW_EXECUTION_CANCEL_REQUESTED"), 1);
  EXPECT_THAT(events(*sender, before),
              ElementsAre("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                          "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
                          "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
                          "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED"));
}

TEST_F(ExternalTest, ACancelOfNobodyFails) {
  const RunPtr sender = start("sender");

  ASSERT_TRUE(respond(*sender, {cancel("nobody")}).ok());

  EXPECT_THAT(events(*sender), Contains("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"));
}

TEST_F(ExternalTest, AChildOfTheSameTaskCannotBeCancelled) {
  const RunPtr sender = start("sender");
  command::Command child;
  child.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& a = *child.mutable_start_child_workflow_execution_command_attributes();
  a.set_workflow_id("child");
  a.mutable_workflow_type()->set_name("Child");

  EXPECT_THAT(respond(*sender, {child, cancel("child")}).message(),
              HasSubstr("not allowed in same workflow task"));
}

}  // namespace
}  // namespace chimera::server
