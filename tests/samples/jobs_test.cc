#include "samples/cpp/jobs/jobs.h"

#include "chimera/worker.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

class JobsSample : public testing::Test {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has no activities that stand alone";
  }
  Client client_ = Client::connect({.target_host = target().address});
};

TEST_F(JobsSample, AnImageIsRenderedOnceHoweverOftenItIsAskedFor) {
  jobs::Studio studio(1ms);
  Worker worker(client_, {.task_queue = jobs::kTaskQueue});
  worker.add(jobs::kRender, studio);
  const auto first = jobs::submit(client_, {.name = "cat.png", .width = 200});
  const auto again = jobs::submit(client_, {.name = "cat.png", .width = 200}, /*urgent=*/true);
  EXPECT_EQ(first.run_id(), again.run_id());
  EXPECT_EQ(jobs::progress(first), 0);
  worker.start();

  EXPECT_EQ(first.result(), "cat.png@200");
  EXPECT_EQ(again.result(), "cat.png@200");
  EXPECT_EQ(studio.steps(), jobs::kSteps);
  const auto wrong = jobs::submit(client_, {.name = "dog.png"});
  EXPECT_THROW((void)wrong.result(), ActivityFailureError);
  Live::eventually(
      [&] {
        const auto counts = jobs::overview(client_);
        return counts.contains("Completed") && counts.contains("Failed");
      },
      "the overview");
  worker.shutdown();
}

TEST_F(JobsSample, AJobThatIsInterruptedGoesOnWhereItStopped) {
  jobs::Studio studio(20ms);
  const auto work = [&] {
    auto worker = std::make_unique<Worker>(
        client_,
        WorkerOptions{.task_queue = jobs::kTaskQueue, .max_heartbeat_throttle_interval = 10ms});
    worker->add(jobs::kRender, studio);
    worker->start();
    return worker;
  };
  const auto job = jobs::submit(client_, {.name = "bird.png", .width = 100});
  auto worker = work();
  Live::eventually([&] { return jobs::progress(job) >= 3; }, "three steps");
  worker->shutdown();  // The activity is cancelled, which is no end of the job.
  worker = work();
  EXPECT_EQ(job.result(), "bird.png@100");
  EXPECT_LE(studio.steps(), jobs::kSteps + 2) << "steps that were told are not done again";
  EXPECT_GT(job.describe().attempt, 1);
  worker->shutdown();
}

}  // namespace
}  // namespace chimera::live
