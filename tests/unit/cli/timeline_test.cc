#include "cli/timeline.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

namespace chimera::cli {
namespace {

using testing::HasSubstr;

api::history::v1::History history(const char* json) {
  api::history::v1::History parsed;
  auto status = google::protobuf::util::JsonStringToMessage(json, &parsed);
  EXPECT_TRUE(status.ok()) << status.message();
  return parsed;
}

const char kOrder[] = R"({"events": [
  {"eventId": 1, "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
   "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "Order"}, "taskQueue": {"name": "orders"}}},
  {"eventId": 4, "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
   "workflowTaskCompletedEventAttributes": {"sdkMetadata": {"sdkName": "chimera-cpp", "sdkVersion": "0.1.0"}}},
  {"eventId": 5, "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED",
   "activityTaskScheduledEventAttributes": {"activityType": {"name": "charge_card"}}},
  {"eventId": 6, "eventTime": "2026-01-01T00:00:01Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_STARTED",
   "activityTaskStartedEventAttributes": {"scheduledEventId": 5, "attempt": 2}},
  {"eventId": 7, "eventTime": "2026-01-01T00:00:02Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_FAILED",
   "activityTaskFailedEventAttributes": {"scheduledEventId": 5, "identity": "9@host", "failure": {"message": "no money",
     "applicationFailureInfo": {"type": "Broke"}, "cause": {"message": "account empty"}}}},
  {"eventId": 8, "eventTime": "2026-01-01T00:00:02Z", "eventType": "EVENT_TYPE_TIMER_STARTED",
   "timerStartedEventAttributes": {"timerId": "1", "startToFireTimeout": "86400s"}},
  {"eventId": 9, "eventTime": "2026-01-01T00:00:03Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
   "workflowExecutionSignaledEventAttributes": {"signalName": "approve"}},
  {"eventId": 10, "eventTime": "2026-01-02T00:00:02Z", "eventType": "EVENT_TYPE_TIMER_FIRED",
   "timerFiredEventAttributes": {"timerId": "1", "startedEventId": 8}},
  {"eventId": 11, "eventTime": "2026-01-02T00:00:02Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
   "workflowExecutionCompletedEventAttributes": {}}]})";

TEST(TimelineTest, MakesARowOfEachOperation) {
  Timeline timeline = build_timeline(history(kOrder));

  EXPECT_EQ(timeline.workflow_type, "Order");
  EXPECT_EQ(timeline.sdk, "chimera-cpp 0.1.0");
  EXPECT_EQ(timeline.outcome, Outcome::kCompleted);
  ASSERT_EQ(timeline.rows.size(), 3u);
  EXPECT_EQ(timeline.rows[0].name, "charge_card");
  EXPECT_EQ(timeline.rows[0].outcome, Outcome::kFailed);
  EXPECT_EQ(timeline.rows[0].note, "attempt 2, Broke: no money <- account empty");
  EXPECT_EQ(timeline.rows[0].end_ns, 2'000'000'000);
  EXPECT_EQ(timeline.rows[1].name, "24 h 00 min");
  EXPECT_EQ(timeline.rows[2].kind, "signal");
}

TEST(TimelineTest, OpenOperationsLastUntilTheEnd) {
  auto cut = history(kOrder);
  cut.mutable_events()->DeleteSubrange(7, 2);

  Timeline timeline = build_timeline(cut);

  EXPECT_EQ(timeline.outcome, Outcome::kOpen);
  EXPECT_EQ(timeline.rows[1].outcome, Outcome::kOpen);
  EXPECT_EQ(timeline.rows[1].end_ns, 3'000'000'000);
}

// A day's timer must not push the two seconds before it into one column.
TEST(TimelineTest, SqueezesLongWaits) {
  std::string picture = render_timeline(build_timeline(history(kOrder)), "order-17", {});

  EXPECT_THAT(picture, HasSubstr("order-17  Order (chimera-cpp 0.1.0)  completed"));
  EXPECT_THAT(picture, HasSubstr("long waits are drawn shorter"));
  EXPECT_THAT(picture, HasSubstr("Broke: no money <- account empty  [9@host]"));
}

TEST(TimelineTest, DrawsAnEmptyHistory) {
  std::string picture = render_timeline(build_timeline({}), "nobody", {});

  EXPECT_THAT(picture, HasSubstr("nobody"));
}

TEST(HumanDurationTest, PicksTheUnit) {
  EXPECT_EQ(human_duration(830'000'000), "830 ms");
  EXPECT_EQ(human_duration(1'250'000'000), "1.25 s");
  EXPECT_EQ(human_duration(125'000'000'000), "2 min 05 s");
  EXPECT_EQ(human_duration(7'380'000'000'000), "2 h 03 min");
}

}  // namespace
}  // namespace chimera::cli
