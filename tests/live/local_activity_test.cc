// Local activities: they run inside a workflow task, in this worker.
#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

#include "sdk-cpp/src/sanitizers.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

CHIMERA_LIVE(LocalActivityLive);

std::string where(std::string name) {
  const activity::Info& info = activity::info();
  return absl::StrCat(name, info.is_local ? " local " : " remote ", info.attempt, " ",
                      info.workflow_type);
}
struct Asks {
  std::string run(std::string name) {
    return workflow::execute_local_activity<&where>({.start_to_close_timeout = 10s}, name);
  }
};

TEST_P(LocalActivityLive, RunsInTheWorkersOwnProcess) {
  registry().add(define_workflow<&Asks::run>("Asks")).add_activity<&where>();
  start_worker();

  const auto handle = start<&Asks::run>("ann");

  EXPECT_EQ(handle.result(), "ann local 1 Asks");
  const std::string history = handle.fetch_history();
  EXPECT_EQ(count_events(history, "MARKER_RECORDED"), 1);
  EXPECT_EQ(count_events(history, "ACTIVITY_TASK_SCHEDULED"), 0);
  EXPECT_EQ(count_events(history, "WORKFLOW_TASK_COMPLETED"), 1) << "in one workflow task";
}

int third_time() {
  if (activity::info().attempt < 3) throw ApplicationError("again", {.type = "Flaky"});
  return activity::info().attempt;
}
struct Retries {
  std::string run(bool by_timer) {
    LocalActivityOptions options{.start_to_close_timeout = 10s,
                                 .retry_policy = RetryPolicy{.initial_interval = 20ms}};
    if (by_timer) options.local_retry_threshold = 1ms;
    const int attempt = workflow::execute_local_activity<&third_time>(options);
    options.retry_policy->maximum_attempts = 2;
    try {
      static_cast<void>(workflow::execute_local_activity<&third_time>(options));
    } catch (const ApplicationError& error) {
      return absl::StrCat(attempt, " ", error.type());
    }
    return "no error";
  }
};

TEST_P(LocalActivityLive, IsTriedAgainInTheWorkerOrByTimer) {
  registry().add(define_workflow<&Retries::run>("Retries")).add_activity<&third_time>();
  start_worker();

  EXPECT_EQ(execute<&Retries::run>(false), "3 Flaky");
  const auto by_timer = start<&Retries::run>(true);
  EXPECT_EQ(by_timer.result(), "3 Flaky");
  EXPECT_EQ(count_events(by_timer.fetch_history(), "TIMER_FIRED"), 3);
}

// A heartbeat has the last fifth of its task's time; sanitizers need more of it.
#if defined(CHIMERA_ASAN) || defined(CHIMERA_TSAN)
constexpr std::chrono::milliseconds kTaskTimeout = 3s;
#else
constexpr std::chrono::milliseconds kTaskTimeout = 1s;
#endif

int long_work() {
  activity::wait_for_cancelled(kTaskTimeout * 7 / 2);
  return activity::is_cancelled() ? -1 : 7;
}
struct Long {
  int run() {
    return workflow::execute_local_activity<&long_work>({.start_to_close_timeout = 60s});
  }
};

TEST_P(LocalActivityLive, OutlivesManyTaskTimeouts) {
  registry().add(define_workflow<&Long::run>("Long")).add_activity<&long_work>();
  start_worker();
  WorkflowOptions with = options();
  with.task_timeout = kTaskTimeout;

  const auto handle = client().start_workflow<&Long::run>(with);

  EXPECT_EQ(handle.result(), 7);
  const std::string history = handle.fetch_history();
  EXPECT_GE(count_events(history, "WORKFLOW_TASK_COMPLETED"), 4);
  EXPECT_EQ(count_events(history, "WORKFLOW_TASK_TIMED_OUT"), 0);
}

struct Cancels {
  std::string run(ActivityCancellationType type) {
    auto handle = workflow::start_local_activity<&long_work>(
        {.start_to_close_timeout = 60s, .cancellation_type = type});
    workflow::wait_condition([&] { return stop_; });
    handle.cancel();
    try {
      return absl::StrCat("ended ", handle.get());
    } catch (const ActivityError& error) {
      return error.what();
    }
  }
  void stop() { stop_ = true; }

 private:
  bool stop_ = false;
};
inline const auto kCancels =
    define_workflow<&Cancels::run>("Cancels").signal<&Cancels::stop>("stop");

TEST_P(LocalActivityLive, IsCancelledWithoutWaitingForItOrWaits) {
  registry().add(kCancels).add_activity<&long_work>();
  start_worker();
  WorkflowOptions with = options();
  with.task_timeout = kTaskTimeout;
  const auto tried =
      client().start_workflow<&Cancels::run>(with, ActivityCancellationType::kTryCancel);
  tried.signal<&Cancels::stop>();
  EXPECT_THAT(tried.result(), testing::HasSubstr("Local Activity cancelled"));

  with = options();
  with.task_timeout = kTaskTimeout;
  const auto waited = client().start_workflow<&Cancels::run>(
      with, ActivityCancellationType::kWaitCancellationCompleted);
  waited.signal<&Cancels::stop>();
  EXPECT_EQ(waited.result(), "ended -1") << "its own end counts";
}

int times_two(int number) { return 2 * number; }
struct Fan {
  int run(int width) {
    std::vector<workflow::ActivityHandle<int>> handles;
    for (int i = 0; i < width; ++i) {
      handles.push_back(
          workflow::start_local_activity<&times_two>({.start_to_close_timeout = 10s}, i));
    }
    int sum = 0;
    for (auto& handle : handles) sum += handle.get();
    return sum;
  }
};
inline const auto kFan = define_workflow<&Fan::run>("Fan");

TEST_P(LocalActivityLive, HundredsAtOnceOnFewSlots) {
  worker_options().max_concurrent_local_activities = 2;
  registry().add(kFan).add_activity<&times_two>();
  start_worker();

  EXPECT_EQ(execute<&Fan::run>(300), 300 * 299);
}

// Quick, until it meets the number for which it waits.
absl::Notification* gate = nullptr;
int mostly_quick(int number) {
  if (number == 100) gate->WaitForNotification();
  return number;
}
struct Steps {
  int run(int last) {
    int sum = 0;
    for (int i = last - 50; i <= last; ++i)
      sum += workflow::execute_local_activity<&mostly_quick>({.start_to_close_timeout = 30s}, i);
    return sum;
  }
};

// A quick type runs on its lane's thread; when it lasts for once, the lane's other runs go on, and
// its own gets its heartbeats. The run's code then goes on in another thread.
TEST_P(LocalActivityLive, AQuickTypeThatLastsDoesNotHoldItsLane) {
  registry()
      .add(define_workflow<&Steps::run>("Steps"))
      .add(kFan)
      .add_activity<&mostly_quick>()
      .add_activity<&times_two>();
  start_worker();
  EXPECT_EQ(execute<&Steps::run>(50), 50 * 51 / 2);  // Proves it quick.

  absl::Notification opened;
  gate = &opened;
  std::vector<decltype(start<&Steps::run>(0))> held;
  for (int i = 0; i < 5; ++i) {
    WorkflowOptions with = options();
    with.task_timeout = kTaskTimeout;
    held.push_back(client().start_workflow<&Steps::run>(with, 100));
  }
  for (const auto& handle : held)
    eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") > 0; },
               "the heartbeat of a task that is held up");
  EXPECT_EQ(execute<&Fan::run>(30), 30 * 29);
  opened.Notify();

  for (auto& handle : held) EXPECT_EQ(handle.result(), 51 * 75);
  EXPECT_EQ(execute<&Steps::run>(50), 50 * 51 / 2);
}

TEST_P(LocalActivityLive, AWorkerThatStopsWaitsForItsLocalActivities) {
  registry().add(define_workflow<&Long::run>("Long")).add_activity<&long_work>();
  start_worker();
  WorkflowOptions with = options();
  with.task_timeout = kTaskTimeout;
  const auto handle = client().start_workflow<&Long::run>(with);
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") > 0; },
             "the first heartbeat");

  stop_worker();

  EXPECT_EQ(handle.result(), 7);
}

}  // namespace
}  // namespace chimera::live
