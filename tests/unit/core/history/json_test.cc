#include "core/history/json.h"

#include <gtest/gtest.h>

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;

TEST(HistoryJsonTest, ReadsLongAndShortEnumNames) {
  const std::string json = R"({"events":[
    {"eventId":"1","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
     "workflowExecutionStartedEventAttributes":{"taskQueue":{"name":"q","kind":"Normal"},"initiator":"CronSchedule"}},
    {"eventId":"2","eventType":"ActivityTaskFailed","someNewField":1,
     "activityTaskFailedEventAttributes":{"retryState":"MaximumAttemptsReached"}}]})";

  const auto history = history_from_json(json);

  ASSERT_TRUE(history.ok()) << history.status();
  const auto& started = history->events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  EXPECT_EQ(history->events(1).event_type(), enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  EXPECT_EQ(history->events(1).activity_task_failed_event_attributes().retry_state(),
            enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST(HistoryJsonTest, WritesWhatItReads) {
  api::history::v1::History history;
  history.add_events()->set_event_type(enums::EVENT_TYPE_TIMER_FIRED);
  history.mutable_events(0)->mutable_timer_fired_event_attributes()->set_timer_id("\xc3\xa4");

  const auto json = history_to_json(history);

  ASSERT_TRUE(json.ok());
  EXPECT_EQ(history_from_json(*json)->SerializeAsString(), history.SerializeAsString());
}

TEST(HistoryJsonTest, SaysWhatIsWrong) {
  EXPECT_EQ(history_from_json("{").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(history_from_json("{}").status().message(), "the history has no \"events\"");
  EXPECT_NE(history_from_json(R"({"events":[{"eventId":{}}]})").status().message().find("History"),
            std::string::npos);
}

}  // namespace
}  // namespace chimera::core
