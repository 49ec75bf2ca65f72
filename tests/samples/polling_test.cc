// samples/cpp/polling as a project would test it: what takes hours, in a test that does not.
#include "samples/cpp/polling/polling.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace polling {
namespace {

class PollingTest : public chimera::WorkflowTest {
 protected:
  PollingTest() { add_to(worker, reports); }
  Reports reports{20, std::chrono::milliseconds(1)};
};

TEST_F(PollingTest, OftenIsOneAttempt) {
  const auto handle = worker.start_workflow<kOftenPolling>("A");

  EXPECT_EQ(worker.result(handle), "report A");

  EXPECT_EQ(reports.asked("A"), 21);
  EXPECT_THAT(handle.fetch_history(), testing::Not(testing::HasSubstr("NotReady")));
}

TEST_F(PollingTest, OftenEndsWithItsWorkflow) {
  Reports never(1'000'000'000, std::chrono::milliseconds(1));
  chimera::TestWorker other(env);
  add_to(other, never);
  const auto handle = other.start_workflow<kOftenPolling>("A");
  while (never.asked("A") == 0) std::this_thread::yield();

  handle.cancel();

  EXPECT_THROW(handle.result(), chimera::WorkflowFailureError);
}

TEST_F(PollingTest, SeldomAsksEveryTenMinutesAndLeavesTheHistoryShort) {
  const chimera::Time begin = env.now();
  const auto handle = worker.start_workflow<kSeldomPolling>("B");

  EXPECT_EQ(worker.result(handle), "report B");

  EXPECT_EQ(reports.asked("B"), 21);
  EXPECT_GE(env.now() - begin, std::chrono::minutes(200));
  EXPECT_EQ(handle.describe().history_length, 11);
}

TEST_F(PollingTest, InSequenceGoesOnFromRunToRun) {
  const auto handle = worker.start_workflow<kSequencePolling>(7);

  EXPECT_EQ(worker.result(handle), "report 1, report 2, report 3");

  for (const char* page : {"1", "2", "3"}) EXPECT_EQ(reports.asked(page), 21) << page;
}

}  // namespace
}  // namespace polling
