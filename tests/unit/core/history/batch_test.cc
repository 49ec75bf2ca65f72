#include "core/history/batch.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/history/buffer.h"
#include "core/history/json.h"

namespace chimera::core {
namespace {

using api::history::v1::History;
using Kind = Batch::Kind;

// A letter an event: x ExecutionStarted, s WorkflowTaskScheduled, t Started, c Completed, f Failed,
// T TimerStarted, F TimerFired, U UpdateAccepted, g Signaled, e ExecutionCompleted, z Terminated.
History history(const std::string& letters, std::int64_t first_id = 1) {
  const std::map<char, EventType> types = {
      {'x', api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED},
      {'s', api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED},
      {'t', api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_STARTED},
      {'c', api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_COMPLETED},
      {'f', api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_FAILED},
      {'T', api::enums::v1::EVENT_TYPE_TIMER_STARTED},
      {'F', api::enums::v1::EVENT_TYPE_TIMER_FIRED},
      {'U', api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED},
      {'g', api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED},
      {'e', api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED},
      {'z', api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED}};
  History history;
  for (char letter : letters) {
    auto& event = *history.add_events();
    event.set_event_id(first_id++);
    event.set_event_type(types.at(letter));
  }
  return history;
}

struct Case {
  std::string letters;
  bool last_page;
  Kind kind;
  std::size_t end, lookahead_end;
};

class BatchTest : public ::testing::TestWithParam<Case> {};

TEST_P(BatchTest, EndsWhereTheTaskDoes) {
  const Case& given = GetParam();
  const History events = history(given.letters);
  const std::vector<const HistoryEvent*> pointers = [&] {
    std::vector<const HistoryEvent*> all;
    for (const auto& event : events.events()) all.push_back(&event);
    return all;
  }();

  const Batch batch = next_batch(pointers, given.last_page);

  EXPECT_EQ(batch.kind, given.kind);
  if (given.kind != Kind::kComplete) return;
  EXPECT_EQ(batch.end, given.end);
  EXPECT_EQ(batch.lookahead_end, given.lookahead_end);
}

INSTANTIATE_TEST_SUITE_P(
    Histories, BatchTest,
    ::testing::Values(
        Case{"", true, Kind::kNone, 0, 0},              //
        Case{"", false, Kind::kNeedMore, 0, 0},         //
        Case{"xst", true, Kind::kComplete, 3, 3},       // Live: the first task.
        Case{"xst", false, Kind::kNeedMore, 0, 0},      // What became of it is on the next page.
        Case{"xstc", false, Kind::kNeedMore, 0, 0},     // So are its commands.
        Case{"xstcT", false, Kind::kNeedMore, 0, 0},    //
        Case{"xstcTF", false, Kind::kComplete, 3, 5},   //
        Case{"xstcTFst", true, Kind::kComplete, 3, 5},  //
        Case{"cTFst", true, Kind::kComplete, 5, 5},     // A cached run's next task.
        Case{"xstfst", true, Kind::kComplete, 6, 6},    // A failed task never was.
        Case{"xstcstcT", true, Kind::kComplete, 3, 8},  // An empty task is a batch of its own.
        Case{"xstcstcU", true, Kind::kComplete, 3, 8},  // But looks at what came behind it.
        Case{"xstcst", false, Kind::kNeedMore, 0, 0},   //
        Case{"xstcst", true, Kind::kComplete, 3, 4},    //
        Case{"xstcTe", true, Kind::kComplete, 3, 6},    //
        Case{"cTe", true, Kind::kComplete, 3, 3},       // The end of a run.
        Case{"xsgz", false, Kind::kComplete, 4, 4},     //
        Case{"cTg", true, Kind::kComplete, 3, 3}));     // The rest, where no task was begun.

TEST(HistoryBufferTest, SkipsWhatItHasAndRefusesGaps) {
  const History first = history("xst"), second = history("tcT", 3), third = history("g", 8);
  const auto page = [](const History& events) {
    return std::make_shared<HistoryPage>(nullptr, &events, "");
  };
  HistoryBuffer buffer;

  EXPECT_TRUE(buffer.append(page(first), /*applied=*/1));
  EXPECT_TRUE(buffer.append(page(second), 1));
  EXPECT_FALSE(buffer.append(page(third), 1));

  EXPECT_EQ(buffer.events().size(), 4u);  // 2 to 5.
  EXPECT_EQ(buffer.last_id(), 5);
}

// Pages are let go when their last event was applied, not earlier: jobs point into them.
TEST(HistoryBufferTest, HandsOverThePagesOfWhatIsApplied) {
  const History first = history("xst"), second = history("cT", 4);
  auto one = std::make_shared<HistoryPage>(nullptr, &first, ""),
       two = std::make_shared<HistoryPage>(nullptr, &second, "");
  HistoryBuffer buffer;
  ASSERT_TRUE(buffer.append(one, 0) && buffer.append(two, 0));

  std::vector<std::shared_ptr<const void>> keep;
  buffer.pop(4, keep);

  EXPECT_EQ(keep.size(), 2u);
  keep.clear();
  EXPECT_EQ(one.use_count(), 1);
  EXPECT_EQ(two.use_count(), 2);
  EXPECT_EQ(buffer.events().size(), 1u);
}

}  // namespace
}  // namespace chimera::core
