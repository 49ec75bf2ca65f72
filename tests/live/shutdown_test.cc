// What SIGTERM does to the workers of a process.
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "chimera/activity.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace shutdown_test {

struct Answers {
  std::string run() { return "here"; }
};

class ShutdownLive : public Live {};

TEST_P(ShutdownLive, OneSignalDrainsEveryWorkerOfTheProcess) {
  const auto answers = define_workflow<&Answers::run>("Answers");
  registry().add(answers);  // For the replay at the end.
  Client& shared = client();
  std::vector<std::thread> running;
  for (const char* name : {"-a", "-b"}) {
    WorkerOptions with;
    with.task_queue = queue() + name;
    with.max_cached_workflows = GetParam();
    running.emplace_back([&shared, &answers, with] {
      Worker worker(shared, with);
      worker.add(answers);
      worker.run();
    });
  }
  for (const char* name : {"-a", "-b"}) {  // Both poll, so both listen.
    WorkflowOptions with = options();
    with.task_queue = queue() + name;
    EXPECT_EQ(shared.start_workflow<&Answers::run>(with).result(), "here");
  }

  std::raise(SIGTERM);

  for (std::thread& each : running) each.join();
}

// A process may run as many workers as it likes.
TEST_P(ShutdownLive, OneSignalReachesSeventyWorkers) {
  const auto answers = define_workflow<&Answers::run>("Answers");
  registry().add(answers);
  Client& shared = client();
  std::vector<std::thread> running;
  std::vector<std::string> queues;
  for (int i = 0; i < 70; ++i) queues.push_back(absl::StrCat(queue(), "-", i));
  for (const std::string& name : queues) {
    running.emplace_back([&, name] {
      WorkerOptions with;
      with.task_queue = name;
      with.max_cached_workflows = GetParam();
      with.max_concurrent_workflow_tasks = 2;
      with.max_concurrent_workflow_task_polls = 2;
      Worker worker(shared, with);
      worker.add(answers);
      worker.run();
    });
  }
  for (const std::string& name : queues) {
    WorkflowOptions with = options();
    with.task_queue = name;
    EXPECT_EQ(shared.start_workflow<&Answers::run>(with).result(), "here");
  }

  std::raise(SIGTERM);

  for (std::thread& each : running) each.join();
}

// --- A worker that is busy when it is told to stop ---

std::atomic<int> beats{0}, told{0};

// Works until it is told to stop, and says how it heard.
std::string toil() {
  ++beats;
  activity::wait_for_cancelled(60s);
  ++told;
  if (activity::is_worker_shutdown()) activity::throw_if_cancelled();
  return "never told";
}
std::string dawdle() {
  ++beats;
  return activity::wait_for_cancelled(200ms) ? "cut short" : "done";
}

struct Toils {
  std::string run(std::string activity) {
    return workflow::execute_activity<std::string>(
        activity, {.start_to_close_timeout = 60s,
                   .retry_policy = RetryPolicy{.initial_interval = 1ms, .maximum_attempts = 3}});
  }
};
const auto kToils = define_workflow<&Toils::run>("Toils");

TEST_P(ShutdownLive, AnActivityMayFinishWithinTheGracefulTime) {
  beats = 0;
  registry().add(kToils).add_activity<&dawdle>("dawdle");
  worker_options().graceful_shutdown_timeout = 30s;
  start_worker();
  const auto handle = start<&Toils::run>("dawdle");
  eventually([] { return beats.load() == 1; }, "the activity runs");

  stop_worker();

  start_worker();
  EXPECT_EQ(handle.result(), "done");
  EXPECT_EQ(beats.load(), 1);
  EXPECT_EQ(count_events(handle.fetch_history(), "WORKFLOW_TASK_TIMED_OUT"), 0);
}

// It is then tried again elsewhere; here the "elsewhere" is the next worker.
TEST_P(ShutdownLive, AnActivityIsCancelledAfterTheGracefulTimeAndTriedAgain) {
  beats = told = 0;
  registry().add(kToils).add_activity<&toil>("toil");
  worker_options().graceful_shutdown_timeout = 10ms;
  start_worker();
  const auto handle = start<&Toils::run>("toil");
  eventually([] { return beats.load() == 1; }, "the activity runs");

  stop_worker();
  EXPECT_EQ(told.load(), 1);

  start_worker();
  eventually([] { return beats.load() == 2; }, "the next attempt runs");
  handle.terminate("seen enough");
}

// Runs tasks one after the other without end, by timers and by signals to itself.
struct Ticks {
  int count = 0;
  int run(int until) {
    while (count < until) workflow::sleep(1ms);
    return count;
  }
  void tick() { ++count; }
};
const auto kTicks = define_workflow<&Ticks::run>("Ticks").signal<&Ticks::tick>("tick");

// The polls that wait when the worker stops must not take a task with them: a task that is lost
// this way shows as one that timed out, ten seconds later. A server that cannot answer the polls
// may hand a task to one that is being cancelled; then the run must still end.
TEST_P(ShutdownLive, NoWorkflowTaskIsLostWhenABusyWorkerStops) {
  constexpr int kRuns = 10, kTicksEach = 20;
  registry().add(kTicks);
  start_worker();
  std::vector<WorkflowHandle<int>> handles;
  for (int i = 0; i < kRuns; ++i) handles.push_back(start<&Ticks::run>(kTicksEach));
  std::thread sender([&] {
    for (int i = 0; i < kTicksEach; ++i) {
      for (const auto& handle : handles) handle.signal<&Ticks::tick>();
    }
  });

  for (int restart = 0; restart < 5; ++restart) {
    stop_worker();
    start_worker();
  }

  sender.join();
  for (const auto& handle : handles) {
    EXPECT_EQ(handle.result(), kTicksEach);
    if (!target().ends_polls) continue;
    EXPECT_EQ(count_events(handle.fetch_history(), "WORKFLOW_TASK_TIMED_OUT"), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(, ShutdownLive, testing::Values(1000, 0),
                         [](const auto& info) { return info.param == 0 ? "uncached" : "cached"; });

}  // namespace shutdown_test
}  // namespace chimera::live
