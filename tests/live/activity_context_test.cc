// What activities are told and tell: tokens, the worker's shutdown, beats by themselves, other
// threads, and how many begin in a second.
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include "absl/synchronization/notification.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace activity_context_test {

using testing::HasSubstr;

CHIMERA_LIVE(ActivityContextLive);

const RetryPolicy kTwice{.initial_interval = 10ms, .maximum_attempts = 2};

// --- Beats by themselves ---

// Longer than the heartbeat timeout, without a word; the first attempt then fails.
int long_call() {
  const activity::Info& info = activity::info();
  const activity::AutoHeartbeat beating;
  if (info.attempt == 1) activity::heartbeat(17);
  EXPECT_FALSE(activity::wait_for_cancelled(1500ms));
  if (info.attempt == 1) throw ApplicationError("stumbled");
  return info.heartbeat_details.get<int>();
}
struct Calls {
  int run() {
    return workflow::execute_activity<&long_call>(
        {.start_to_close_timeout = 60s, .heartbeat_timeout = 1s, .retry_policy = kTwice});
  }
};

TEST_P(ActivityContextLive, AnAutoHeartbeatKeepsALongCallAlive) {
  registry().add(define_workflow<&Calls::run>("Calls")).add_activity<&long_call>();
  start_worker();

  EXPECT_EQ(execute<&Calls::run>(), 17);
}

// --- Tokens ---

std::string wait_with_a_token() {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  const std::stop_token token = activity::cancellation_token();
  while (!token.stop_requested()) {
    activity::heartbeat();
    changed.wait_for(lock, token, 50ms, [] { return false; });
  }
  return activity::is_cancelled() ? "told" : "not told";
}
struct Asks {
  bool go = false;
  void release() { go = true; }
  std::string run() {
    auto handle = workflow::start_activity<&wait_with_a_token>(
        {.start_to_close_timeout = 60s,
         .heartbeat_timeout = 10s,
         .cancellation_type = ActivityCancellationType::kWaitCancellationCompleted});
    workflow::wait_condition([this] { return go; });
    handle.cancel();
    return handle.get();
  }
};

TEST_P(ActivityContextLive, ACancellationStopsTheToken) {
  registry()
      .add(define_workflow<&Asks::run>("Asks").signal<&Asks::release>("release"))
      .add_activity<&wait_with_a_token>();
  worker_options().max_heartbeat_throttle_interval = 50ms;
  start_worker();
  const auto handle = start<&Asks::run>();
  eventually([&] { return handle.describe().history_length >= 5; }, "the activity's schedule");
  handle.signal<&Asks::release>();

  EXPECT_EQ(handle.result(), "told");
}

// --- What an operator does ---

// The first attempt goes on until it is told to stop, and says why to the next one.
std::string until_told() {
  const activity::Info& info = activity::info();
  if (info.attempt > 1 || !info.heartbeat_details.empty())
    return info.heartbeat_details.get<std::string>();
  while (!activity::is_cancelled()) {
    activity::heartbeat(std::string("nothing"));
    static_cast<void>(activity::wait_for_cancelled(50ms));
  }
  const activity::CancellationDetails why = activity::cancellation_details();
  const std::string told = absl::StrCat(why.paused ? "paused" : "", why.reset ? "reset" : "",
                                        why.cancel_requested ? "cancelled" : "");
  activity::heartbeat(told);
  throw ApplicationError(told);
}
struct IsOperated {
  std::string run() {
    return workflow::execute_activity<&until_told>({.start_to_close_timeout = 60s,
                                                    .heartbeat_timeout = 30s,
                                                    .retry_policy = kTwice,
                                                    .activity_id = "a"});
  }
};

TEST_P(ActivityContextLive, APauseAndAResetAreToldAsSuch) {
  registry().add(define_workflow<&IsOperated::run>("IsOperated")).add_activity<&until_told>();
  worker_options().max_heartbeat_throttle_interval = 50ms;
  start_worker();
  namespace ws = temporal::api::workflowservice::v1;
  using State = temporal::api::enums::v1::PendingActivityState;
  const auto call = [&](const char* method, auto request) {
    request.set_namespace_("default");
    return client().call_raw("temporal.api.workflowservice.v1.WorkflowService", method,
                             request.SerializeAsString());
  };
  const auto operate = [&](const char* method, auto request, const auto& handle) {
    request.mutable_execution()->set_workflow_id(handle.id());
    request.set_id("a");
    static_cast<void>(call(method, request));
  };
  const auto until = [&](const auto& handle, State state, const char* what) {
    ws::DescribeWorkflowExecutionRequest request;
    request.mutable_execution()->set_workflow_id(handle.id());
    eventually(
        [&] {
          ws::DescribeWorkflowExecutionResponse told;
          told.ParseFromString(call("DescribeWorkflowExecution", request));
          return told.pending_activities_size() == 1 &&
                 told.pending_activities(0).state() == state &&
                 told.pending_activities(0).has_heartbeat_details();
        },
        what);
  };

  const auto paused = start<&IsOperated::run>();
  until(paused, State::PENDING_ACTIVITY_STATE_STARTED, "a heartbeat");
  operate("PauseActivity", ws::PauseActivityRequest(), paused);
  until(paused, State::PENDING_ACTIVITY_STATE_PAUSED, "the attempt's end");
  operate("UnpauseActivity", ws::UnpauseActivityRequest(), paused);
  EXPECT_EQ(paused.result(), "paused");

  const auto reset = start<&IsOperated::run>();
  until(reset, State::PENDING_ACTIVITY_STATE_STARTED, "a heartbeat");
  operate("ResetActivity", ws::ResetActivityRequest(), reset);
  EXPECT_EQ(reset.result(), "reset");
}

// --- The shutdown ---

absl::Notification* begun = nullptr;
std::string until_shutdown() {
  bool stopped = false;
  const std::stop_callback callback(activity::worker_shutdown_token(), [&] { stopped = true; });
  begun->Notify();
  if (!activity::wait_for_worker_shutdown(60s)) return "no shutdown";
  if (!activity::is_worker_shutdown() || activity::is_cancelled()) return "cancelled, too";
  return "saved";
}
struct Saves {
  std::string run() {
    return workflow::execute_activity<&until_shutdown>({.start_to_close_timeout = 100s});
  }
};

TEST_P(ActivityContextLive, TheShutdownIsToldBeforeTheCancellation) {
  absl::Notification notified;
  begun = &notified;
  registry().add(define_workflow<&Saves::run>("Saves")).add_activity<&until_shutdown>();
  worker_options().graceful_shutdown_timeout = 60s;
  start_worker();
  const auto handle = start<&Saves::run>();
  notified.WaitForNotification();

  stop_worker();

  EXPECT_EQ(count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED"), 1);
  start_worker();
  EXPECT_EQ(handle.result(), "saved");
}

// --- Other threads ---

std::string with_threads() {
  const ContextScope scope(Context::current().with("tenant", "ann"));
  std::string id;
  std::optional<activity::Context> kept;
  std::thread([&, context = activity::Context()] {
    kept = context;
    EXPECT_THROW(activity::info(), std::logic_error);
    const activity::ContextScope here(context);
    EXPECT_EQ(Context::current().get<std::string>("tenant"), "ann");
    id = activity::info().activity_type;
    activity::heartbeat(4);
    activity::logger().info("from a thread of its own");
    EXPECT_FALSE(activity::is_cancelled());
    EXPECT_THROW(activity::raise_complete_async(), std::logic_error);
  }).join();
  EXPECT_EQ(activity::info().activity_type, id);
  std::thread([context = *kept] {  // Outlives the activity.
    const activity::ContextScope here(context);
    try {
      for (;;) {
        activity::heartbeat(5);
        std::this_thread::yield();
      }
    } catch (const std::logic_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("which has ended"));
    }
  })
      .detach();
  return id;
}
struct Threads {
  std::string run() {
    return workflow::execute_activity<&with_threads>({.start_to_close_timeout = 60s});
  }
};

TEST_P(ActivityContextLive, OtherThreadsMaySpeakForTheActivity) {
  registry().add(define_workflow<&Threads::run>("Threads")).add_activity<&with_threads>();
  start_worker();

  EXPECT_EQ(execute<&Threads::run>(), "with_threads");
}

// --- Rates ---

std::atomic<std::int64_t> last_begin{0};
int call_partner(int number) {
  last_begin.store(std::chrono::steady_clock::now().time_since_epoch().count());
  return number;
}
struct Fan {
  int run(int calls) {
    std::vector<workflow::Task<int>> tasks;
    for (int i = 0; i < calls; ++i) {
      tasks.push_back(workflow::spawn([i] {
        return i % 2 == 0
                   ? workflow::execute_activity<&call_partner>({.start_to_close_timeout = 60s}, 1)
                   : workflow::execute_local_activity<&call_partner>(
                         {.start_to_close_timeout = 60s}, 1);
      }));
    }
    int sum = 0;
    for (auto& task : tasks) sum += task.get();
    return sum;
  }
};

struct Twice {
  int run() {
    const ActivityOptions options{.start_to_close_timeout = 1h};
    auto first = workflow::start_activity<&call_partner>(options, 1);
    auto second = workflow::start_activity<&call_partner>(options, 1);
    return first.get() + second.get();
  }
};

struct TwiceHere {
  int run() {
    const LocalActivityOptions options{.start_to_close_timeout = 1h};
    auto first = workflow::start_local_activity<&call_partner>(options, 1);
    auto second = workflow::start_local_activity<&call_partner>(options, 2);
    return first.get() + second.get();
  }
};

TEST_P(ActivityContextLive, NoMoreBeginThanTheRateAllows) {
  registry().add(define_workflow<&Fan::run>("Fan")).add_activity<&call_partner>();
  worker_options().max_per_second_of_activity = {{"call_partner", 20}};
  start_worker();
  const auto before = std::chrono::steady_clock::now().time_since_epoch();

  EXPECT_EQ(execute<&Fan::run>(6), 6);

  EXPECT_GE(std::chrono::nanoseconds(last_begin) - before, 5 * 50ms);
}

TEST_P(ActivityContextLive, WhatWaitsForItsTurnDoesNotHoldUpTheEnd) {
  registry().add(define_workflow<&Twice::run>("Twice")).add_activity<&call_partner>();
  worker_options().max_per_second_of_activity = {{"call_partner", 0.001}};
  do_not_replay();
  start_worker();
  const auto handle = start<&Twice::run>();
  eventually([&] { return count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED") > 0; },
             "the first activity");

  stop_worker();

  handle.terminate();
}

// The worker's end waits for local activities, so that they do not wait for their turn.
TEST_P(ActivityContextLive, NorDoesALocalOneThatWaits) {
  registry().add(define_workflow<&TwiceHere::run>("TwiceHere")).add_activity<&call_partner>();
  worker_options().max_per_second_of_activity = {{"call_partner", 0.001}};
  last_begin.store(0);
  start_worker();
  const auto handle = start<&TwiceHere::run>();
  eventually([] { return last_begin.load() != 0; }, "the first activity");

  stop_worker();

  EXPECT_EQ(handle.result(), 3);
}

TEST_P(ActivityContextLive, WrongRatesAreRefusedByName) {
  registry().add_activity<&call_partner>();
  do_not_replay();
  for (const double rate : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    worker_options().max_per_second_of_activity = {{"call_partner", rate}};
    EXPECT_THAT([&] { start_worker(); },
                testing::ThrowsMessage<std::invalid_argument>(
                    HasSubstr("max_per_second_of_activity[\"call_partner\"] must be above 0")));
  }
  worker_options().max_per_second_of_activity = {{"call_partners", 1}};
  EXPECT_THAT([&] { start_worker(); },
              testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("max_per_second_of_activity[\"call_partners\"] is of no activity")));
}

}  // namespace activity_context_test
}  // namespace chimera::live
