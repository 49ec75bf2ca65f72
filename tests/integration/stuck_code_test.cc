// Code that does not let go: loops without a wait, and catch (...) around a wait.
#include <atomic>

#include "absl/strings/str_cat.h"

#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

namespace enums = api::enums::v1;

std::atomic<bool> release{false};

class BusyWorkflow {
 public:
  std::string run(bool busy) {
    while (busy && !release.load()) {
    }
    return "done";
  }
};
const auto kBusy = define_workflow<&BusyWorkflow::run>("Busy");

// Catches everything around its wait: once, or for as long as it is thrown at.
class SwallowingWorkflow {
 public:
  std::string run(bool again) {
    do {
      try {
        workflow::wait_condition([this] { return done_; });
        return "went on";
      } catch (...) {
        swallowed_ = true;
      }
    } while (again);
    return "swallowed";
  }
  void finish() { done_ = true; }

 private:
  bool done_ = false, swallowed_ = false;
};
const auto kSwallowing = define_workflow<&SwallowingWorkflow::run>("Swallowing")
                             .signal<&SwallowingWorkflow::finish>("finish");

class StuckCodeTest : public World {};

TEST_F(StuckCodeTest, ABusyLoopIsNamedAndHoldsUpNobodyElse) {
  release = false;
  WorkerOptions options = this->options();
  options.deadlock_timeout = 300ms;
  Worker worker(client_, options);
  worker.add(kBusy);
  worker.start();

  auto stuck = client_.start_workflow<&BusyWorkflow::run>(start("stuck"), true);
  HistoryEvent failed = wait_for("stuck", enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  for (int i = 0; i < 4; ++i) {
    auto other =
        client_.start_workflow<&BusyWorkflow::run>(start(absl::StrCat("other-", i)), false);
    EXPECT_EQ(other.result(), "done");
  }
  release = true;

  const auto& failure = failed.workflow_task_failed_event_attributes().failure();
  EXPECT_THAT(failure.message(), HasSubstr("[TMPRL1101]"));
  EXPECT_THAT(failure.message(), HasSubstr("workflow Busy (id stuck, run " + stuck.run_id()));
  EXPECT_THAT(failure.message(), HasSubstr("within 0.3 second"));
#ifndef CHIMERA_TSAN  // Which holds signals back from code that makes no call it knows.
  EXPECT_THAT(failure.stack_trace(), HasSubstr("  at "));
#endif
  EXPECT_EQ(logged("TMPRL1101").size(), 1u);
  stuck.terminate();
  worker.shutdown();
  EXPECT_NO_THROW(worker.wait());
}

// An eviction unwinds the fiber; code that swallows that must neither answer the server nor hang,
// and the run goes on from its history.
TEST_F(StuckCodeTest, CatchAllAroundAWaitSurvivesEvictionAndIsNamed) {
  WorkerOptions options = this->options();
  options.max_cached_workflows = 1;
  Worker worker(client_, options);
  worker.add(kSwallowing);
  worker.start();
  std::vector<WorkflowHandle<std::string>> runs;
  for (int i = 0; i < 8; ++i) {
    std::string id = absl::StrCat("run-", i);
    runs.push_back(client_.start_workflow<&SwallowingWorkflow::run>(start(id), i % 2 == 1));
    wait_for(id, enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  }

  for (auto& run : runs) run.signal<&SwallowingWorkflow::finish>();

  for (auto& run : runs) EXPECT_EQ(run.result(), "went on");
  auto lines = logged("swallowed the unwinding");
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines[0], HasSubstr("workflow Swallowing (id run-"));
  EXPECT_THAT(lines[0], HasSubstr("must rethrow"));
}

}  // namespace
}  // namespace chimera::integration
