#include "samples/cpp/jobs/jobs.h"

#include "chimera/worker.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

class JobsSample : public Live {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has no activities that stand alone";
  }
};
INSTANTIATE_TEST_SUITE_P(, JobsSample, testing::Values(std::size_t{1000}), cache_name);

TEST_P(JobsSample, AnImageIsRenderedOnceHoweverOftenItIsAskedFor) {
  jobs::Studio studio(1ms);
  Worker worker(client(), {.task_queue = jobs::kTaskQueue});
  worker.add(jobs::kRender, studio);
  const auto first = jobs::submit(client(), {.name = "cat.png", .width = 200});
  const auto again = jobs::submit(client(), {.name = "cat.png", .width = 200}, /*urgent=*/true);
  EXPECT_EQ(first.run_id(), again.run_id());
  EXPECT_EQ(jobs::progress(first), 0);
  worker.start();

  EXPECT_EQ(first.result(), "cat.png@200");
  EXPECT_EQ(again.result(), "cat.png@200");
  EXPECT_EQ(studio.steps(), jobs::kSteps);
  const auto wrong = jobs::submit(client(), {.name = "dog.png"});
  EXPECT_THROW((void)wrong.result(), ActivityFailureError);
  const auto both_are_shown = [&] {
    const auto counts = jobs::overview(client());
    return counts.contains("Completed") && counts.contains("Failed");
  };
  eventually(both_are_shown, "the overview");
  worker.shutdown();
}

TEST_P(JobsSample, AJobThatIsInterruptedGoesOnWhereItStopped) {
  jobs::Studio studio(20ms);
  const auto work = [&] {
    auto worker = std::make_unique<Worker>(
        client(),
        WorkerOptions{.task_queue = jobs::kTaskQueue, .max_heartbeat_throttle_interval = 10ms});
    worker->add(jobs::kRender, studio);
    worker->start();
    return worker;
  };
  const auto job = jobs::submit(client(), {.name = "bird.png", .width = 100});
  auto worker = work();
  eventually([&] { return jobs::progress(job) >= 3; }, "three steps");
  worker->shutdown();  // The activity is cancelled, which is no end of the job.
  worker = work();
  EXPECT_EQ(job.result(), "bird.png@100");
  EXPECT_LE(studio.steps(), jobs::kSteps + 2) << "steps that were told are not done again";
  EXPECT_GT(job.describe().attempt, 1);
  worker->shutdown();
}

}  // namespace
}  // namespace chimera::live
