#include "core/history/events.h"

#include <set>

#include <gtest/gtest.h>

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;

// The protocol's list; the code reads it off the messages' fields.
TEST(EventsTest, CommandEventsAreThoseThatATaskCommanded) {
  const std::set<EventType> expected = {
      enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
      enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
      enums::EVENT_TYPE_MARKER_RECORDED,
      enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
      enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
      enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
      enums::EVENT_TYPE_TIMER_CANCELED,
      enums::EVENT_TYPE_TIMER_STARTED,
      enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
      enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
      enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
      enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
  };
  std::set<EventType> actual;
  for (int type = 0; type <= enums::EventType_MAX; ++type) {
    if (is_command_event(static_cast<EventType>(type))) actual.insert(static_cast<EventType>(type));
  }
  EXPECT_EQ(actual, expected);
}

TEST(EventsTest, NamesAreThoseOfTheProtocol) {
  EXPECT_EQ(event_name(enums::EVENT_TYPE_TIMER_STARTED), "TimerStarted");
  EXPECT_FALSE(is_command_event(static_cast<EventType>(1000)));
}

}  // namespace
}  // namespace chimera::core
