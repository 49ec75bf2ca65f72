// The transition tables as text: documentation that cannot lie.
#include <gtest/gtest.h>

#include "core/machines/activity.h"
#include "core/machines/cancel_external.h"
#include "core/machines/child_workflow.h"
#include "core/machines/nexus_operation.h"
#include "core/machines/patch.h"
#include "core/machines/signal_external.h"
#include "core/machines/timer.h"
#include "core/machines/update.h"

namespace chimera::core {
namespace {

TEST(TablesTest, Timer) {
  EXPECT_EQ(print_table(TimerMachine::kTable),
            "Commanded + TimerStarted -> Started: None\n"
            "Commanded + Cancel -> Done: DropCommand\n"
            "Started + TimerFired -> Done: Fire\n"
            "Started + Cancel -> CancelCommanded: CommandCancel\n"
            "CancelCommanded + TimerCanceled -> Done: None\n"
            "CancelCommanded + Cancel -> CancelCommanded: None\n");
}

TEST(TablesTest, SignalExternal) {
  EXPECT_EQ(print_table(SignalExternalMachine::kTable),
            "Commanded + Initiated -> Initiated: None\n"
            "Commanded + Cancel -> Done: DropCommandAndResolveCancelled\n"
            "Initiated + Signaled -> Done: Resolve\n"
            "Initiated + Failed -> Done: ResolveFailed\n"
            "Initiated + Cancel -> Initiated: None\n");
}

TEST(TablesTest, CancelExternal) {
  EXPECT_EQ(print_table(CancelExternalMachine::kTable),
            "Commanded + Initiated -> Initiated: None\n"
            "Initiated + CancelRequested -> Done: Resolve\n"
            "Initiated + Failed -> Done: ResolveFailed\n");
}

TEST(TablesTest, Update) {
  EXPECT_EQ(print_table(UpdateMachine::kTable),
            "Requested + Accept -> AcceptCommanded: SendAcceptance\n"
            "Requested + Reject -> Done: SendRejection\n"
            "AcceptCommanded + Reject -> AcceptAndCompleteCommanded: SendResponse\n"
            "AcceptCommanded + Complete -> AcceptAndCompleteCommanded: SendResponse\n"
            "AcceptCommanded + UpdateAccepted -> Accepted: None\n"
            "AcceptAndCompleteCommanded + UpdateAccepted -> CompleteCommanded: None\n"
            "Accepted + Reject -> CompleteCommanded: SendResponse\n"
            "Accepted + Complete -> CompleteCommanded: SendResponse\n"
            "CompleteCommanded + UpdateCompleted -> Done: None\n");
}

TEST(TablesTest, NexusOperation) {
  const std::string table = print_table(NexusOperationMachine::kTable);
  for (const char* row : {"Commanded + TryCancel -> Done: DropCommandAndFailStart\n",
                          "Scheduled + Completed -> Done: ResolveSync\n",
                          "Scheduled + TryCancel -> CancelResolved: "
                          "CommandCancelAndResolveCancelled\n",
                          "Started + Abandon -> Done: ResolveCancelled\n",
                          "StartedCancel + CancelDelivered -> Done: ResolveDelivered\n"})
    EXPECT_NE(table.find(row), std::string::npos) << row << table;
}

// The rules that matter most; the table itself is the whole truth.
TEST(TablesTest, Activity) {
  const std::string table = print_table(ActivityMachine::kTable);
  for (const char* row :
       {"Commanded + Scheduled -> Scheduled: None\n",
        "Commanded + TryCancel -> Done: DropCommandAndResolveCancelled\n",
        "Scheduled + TryCancel -> CancelResolved: CommandCancelAndResolveCancelled\n",
        "Scheduled + WaitCancel -> CancelWaiting: CommandCancel\n",
        "Scheduled + Abandon -> Done: ResolveCancelledAndSwallow\n",
        "CancelWaiting + Completed -> Done: ResolveCompleted\n",
        "CancelResolved + CancelRequested -> Done: Swallow\n"}) {
    EXPECT_NE(table.find(row), std::string::npos) << row << "is not in\n" << table;
  }
  EXPECT_EQ(table.find("Done +"), std::string::npos);
}

TEST(TablesTest, ChildWorkflow) {
  const std::string table = print_table(ChildWorkflowMachine::kTable);
  for (const char* row : {"Commanded + Abandon -> Done: DropCommandAndResolveStartCancelled\n",
                          "Initiated + Started -> Started: ResolveStarted\n",
                          "Initiated + StartFailed -> Done: ResolveStartFailed\n",
                          "Started + TryCancel -> Done: RequestCancelAndResolveCancelled\n",
                          "Started + WaitCancel -> StartedCancel: RequestCancel\n",
                          "Started + Abandon -> Done: ResolveCancelled\n"}) {
    EXPECT_NE(table.find(row), std::string::npos) << row << "is not in\n" << table;
  }
}

TEST(PatchMarkerTest, ReadsBothForms) {
  api::history::v1::MarkerRecordedEventAttributes marker;
  marker.set_marker_name(kPatchMarker);
  (*marker.mutable_details())["patch_id"].add_payloads()->set_data("old");
  (*marker.mutable_details())["deprecated"].add_payloads()->set_data("\x01");
  EXPECT_EQ(read_patch_marker(marker)->id, "old");
  EXPECT_TRUE(read_patch_marker(marker)->deprecated);

  api::command::v1::RecordMarkerCommandAttributes written;
  write_patch_marker({"a \"b\"", false}, written);
  EXPECT_EQ(written.details().at("patch-data").payloads(0).data(),
            R"({"id":"a \"b\"","deprecated":false})");
  marker.clear_details();
  *marker.mutable_details() = written.details();
  EXPECT_EQ(read_patch_marker(marker)->id, "a \"b\"");

  (*marker.mutable_details())["patch-data"].mutable_payloads(0)->set_data("[");
  EXPECT_FALSE(read_patch_marker(marker).has_value());
}

// The server indexes the attribute; a longer value would fail the whole task.
TEST(PatchMarkerTest, AListOfPatchesThatIsTooLongIsLeftOut) {
  ChangeVersions versions;
  versions.add_patch("b");
  versions.add_patch("a");
  EXPECT_EQ(versions.attribute()->data(), R"(["a","b"])");
  versions.add_patch(std::string(2048, 'x'));
  EXPECT_FALSE(versions.attribute().has_value());
}

}  // namespace
}  // namespace chimera::core
