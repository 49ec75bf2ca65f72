// samples/cpp/window as a project would test it.
#include "samples/cpp/window/window.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace window {
namespace {

class WindowTest : public chimera::WorkflowTest {
 protected:
  WindowTest() { add_to(worker, records); }
  Records records;
};

TEST_F(WindowTest, EachRecordIsProcessedOnceAndTheHistoryStaysShort) {
  const auto handle = worker.start_workflow<kSlidingWindow>(
      Batch{.records = 45, .at_once = 4, .starts_per_run = 20});

  const Batch done = worker.result(handle);

  EXPECT_EQ(done.done, 45);
  EXPECT_EQ(done.runs, 3);
  EXPECT_THAT(done.under_way, testing::IsEmpty());
  const auto processed = records.processed();
  ASSERT_EQ(processed.size(), 45u);
  for (std::int64_t record = 0; record < 45; ++record) EXPECT_EQ(processed.count(record), 1u);
}

TEST_F(WindowTest, ARecordThatFailsMakesRoomToo) {
  for (const std::int64_t record : {0, 1, 2}) records.set_broken(record);

  const Batch done = worker.execute_workflow<kSlidingWindow>(Batch{.records = 6, .at_once = 3});

  EXPECT_EQ(done.done, 3);
  EXPECT_EQ(done.failed, 3);
}

TEST_F(WindowTest, SlowOnesHoldUpNoMoreThanTheirPlaces) {
  worker.mock_child_workflow<kProcessRecord>().returns().takes(std::chrono::hours(24));
  const auto handle = worker.start_workflow<kSlidingWindow>(Batch{.records = 9, .at_once = 3});
  const auto under_way = [&] { return handle.query<&SlidingWindow::progress>().under_way; };

  env.sleep(std::chrono::hours(1));
  EXPECT_THAT(under_way(), testing::ElementsAre(0, 1, 2));
  handle.signal<&SlidingWindow::report>(Report{.record = 1});
  env.sleep(std::chrono::hours(1));
  EXPECT_THAT(under_way(), testing::ElementsAre(0, 2, 3));
  handle.signal<&SlidingWindow::report>(Report{.record = 1});  // Again: counts once.
  env.sleep(std::chrono::hours(1));
  EXPECT_EQ(handle.query<&SlidingWindow::progress>().done, 1);
  handle.terminate("seen enough");
}

TEST_F(WindowTest, NothingToDoIsDoneAtOnce) {
  EXPECT_EQ(worker.execute_workflow<kSlidingWindow>(Batch{}).done, 0);
}

}  // namespace
}  // namespace window
