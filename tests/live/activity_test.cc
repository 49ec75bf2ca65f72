// Activities as workflows see them: retries, timeouts, heartbeats, cancellation, failures.
#include <atomic>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;

CHIMERA_LIVE(ActivityLive);

// The last attempt of all runs of a test's activity, with short waits between.
RetryPolicy quick(int maximum_attempts) {
  return {.initial_interval = 10ms, .maximum_attempts = maximum_attempts};
}

// --- Retries ---

int fail_until(int attempt) {
  const int now = activity::info().attempt;
  if (now < attempt) {
    throw ApplicationError(absl::StrCat("attempt ", now),
                           {.type = "TooEarly", .details = details(now, std::string("again"))});
  }
  return now;
}
struct Retries {
  int run(int attempt, int maximum) {
    return workflow::execute_activity<&fail_until>(
        {.start_to_close_timeout = 10s, .retry_policy = quick(maximum)}, attempt);
  }
};

TEST_P(ActivityLive, IsRetriedByItsPolicy) {
  registry().add(define_workflow<&Retries::run>("Retries")).add_activity<&fail_until>();
  start_worker();

  EXPECT_EQ(execute<&Retries::run>(3, 5), 3);
}

TEST_P(ActivityLive, SlotsFollowTheLoadAndPollsTheAdvice) {
  registry().add(define_workflow<&Retries::run>("Retries")).add_activity<&fail_until>();
  worker_options().resource_tuner = ResourceTuner{.targets = {.memory = 1, .cpu = 1}};
  worker_options().workflow_poll_autoscaling = PollerAutoscaling{};
  worker_options().activity_poll_autoscaling = PollerAutoscaling{.maximum = 3, .initial = 1};
  start_worker();

  EXPECT_EQ(execute<&Retries::run>(3, 5), 3);
}

TEST_P(ActivityLive, MaximumAttemptsEndWithTheLastFailure) {
  registry().add(define_workflow<&Retries::run>("Retries")).add_activity<&fail_until>();
  start_worker();

  const auto failure = failure_of(start<&Retries::run>(9, 2));

  const auto* outer = dynamic_cast<const ActivityError*>(failure.cause());
  ASSERT_NE(outer, nullptr) << failure.what();
  EXPECT_EQ(outer->activity_type(), "fail_until");
  EXPECT_EQ(outer->retry_state(), RetryState::kMaximumAttemptsReached);
  const auto* inner = dynamic_cast<const ApplicationError*>(outer->cause());
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(inner->message(), "attempt 2");
  EXPECT_EQ(inner->type(), "TooEarly");
  EXPECT_EQ(inner->details().get<int>(0), 2);
  EXPECT_EQ(inner->details().get<std::string>(1), "again");
  EXPECT_FALSE(inner->non_retryable());
}

void fail_for_good(std::string how) {
  if (how == "flag") throw ApplicationError("no", {.type = "Final", .non_retryable = true});
  throw ApplicationError("no", {.type = how});
}
struct FailsOnce {
  std::string run(std::string how) {
    try {
      workflow::execute_activity<&fail_for_good>(
          {.start_to_close_timeout = 10s,
           .retry_policy =
               RetryPolicy{.initial_interval = 10ms, .non_retryable_error_types = {"Listed"}}},
          how);
    } catch (const ActivityError& error) {
      if (error.retry_state() != RetryState::kNonRetryableFailure) throw;
      return error.find_cause<ApplicationError>()->type();
    }
    return "completed";
  }
};

TEST_P(ActivityLive, NonRetryableFailuresAreNotRetried) {
  registry().add(define_workflow<&FailsOnce::run>("FailsOnce")).add_activity<&fail_for_good>();
  start_worker();

  EXPECT_EQ(execute<&FailsOnce::run>("flag"), "Final");
  EXPECT_EQ(execute<&FailsOnce::run>("Listed"), "Listed");
}

int delay_next() {
  if (activity::info().attempt == 1)
    throw ApplicationError("soon", {.type = "Soon", .next_retry_delay = 20ms});
  return activity::info().attempt;
}
struct NextDelay {
  int run() {
    return workflow::execute_activity<&delay_next>(
        {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.initial_interval = 1h}});
  }
};

TEST_P(ActivityLive, NextRetryDelayWinsOverThePolicy) {
  registry().add(define_workflow<&NextDelay::run>("NextDelay")).add_activity<&delay_next>();
  start_worker();

  EXPECT_EQ(execute<&NextDelay::run>(), 2);
}

// --- Failures ---

void throw_something(std::string what) {
  if (what == "out_of_range") throw std::out_of_range("vector::at");
  if (what == "42") throw 42;  // NOLINT
  if (what == "nested") {
    try {
      throw std::invalid_argument("the inner one");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("the outer one"));
    }
  }
  try {
    throw ApplicationError("the disk is full", {.type = "Disk", .details = details(7)});
  } catch (...) {
    throw ApplicationError("cannot write", {.type = "Write", .cause = std::current_exception()});
  }
}
struct Describes {
  std::string run(std::string what) {
    try {
      workflow::execute_activity<&throw_something>(
          {.start_to_close_timeout = 10s, .retry_policy = quick(1)}, what);
    } catch (const ActivityError& error) {
      std::string chain;
      for (const FailureError* at = error.cause(); at != nullptr; at = at->cause()) {
        const auto& failure = dynamic_cast<const ApplicationError&>(*at);
        absl::StrAppend(&chain, failure.type(), ": ", failure.message(), "; ");
        if (!failure.details().empty())
          absl::StrAppend(&chain, "[", failure.details().get<int>(), "]");
      }
      return chain;
    }
    return "completed";
  }
};

TEST_P(ActivityLive, EveryExceptionArrivesWithItsTypeAndCauses) {
  registry().add(define_workflow<&Describes::run>("Describes")).add_activity<&throw_something>();
  start_worker();

  EXPECT_EQ(execute<&Describes::run>("cause"), "Write: cannot write; Disk: the disk is full; [7]");
  EXPECT_EQ(execute<&Describes::run>("out_of_range"), "std::out_of_range: vector::at; ");
  EXPECT_EQ(execute<&Describes::run>("42"), "int: an exception of type int: 42; ");
  EXPECT_EQ(execute<&Describes::run>("nested"),
            "std::runtime_error: the outer one; std::invalid_argument: the inner one; ");
}

struct CallsByName {
  std::string run(std::string name) {
    try {
      return workflow::execute_activity<std::string>(
          name, {.start_to_close_timeout = 10s, .retry_policy = quick(1)}, std::string("seven"));
    } catch (const ActivityError& error) {
      return describe(error.cause());
    }
  }
};
int add_one(int value) { return value + 1; }

TEST_P(ActivityLive, UnknownNamesAndWrongArgumentsAreNamed) {
  registry().add(define_workflow<&CallsByName::run>("CallsByName")).add_activity<&add_one>();
  start_worker();

  EXPECT_THAT(execute<&CallsByName::run>("nothing"),
              HasSubstr("type nothing is not registered on this worker. It knows: add_one"));
  EXPECT_THAT(execute<&CallsByName::run>("add_one"),
              HasSubstr(R"(argument 1: expected integer, got "seven")"));
}

// --- Timeouts ---

int wait_until_cancelled(bool beat) {
  if (beat) activity::heartbeat(activity::info().attempt);
  activity::wait_for_cancelled(20s);
  return 0;
}
struct TimesOut {
  std::string run(ActivityOptions options, bool beat) {
    options.retry_policy = quick(1);
    try {
      static_cast<void>(workflow::execute_activity<&wait_until_cancelled>(options, beat));
    } catch (const ActivityError& error) {
      const auto* timeout = error.find_cause<TimeoutError>();
      if (timeout == nullptr) throw;
      std::string text = absl::StrCat(static_cast<int>(timeout->type()));
      if (!timeout->last_heartbeat_details().empty())
        absl::StrAppend(&text, " after ", timeout->last_heartbeat_details().get<int>());
      return text;
    }
    return "completed";
  }
};
struct StartToClose : TimesOut {
  std::string run() { return TimesOut::run({.start_to_close_timeout = 200ms}, false); }
};
struct ScheduleToClose : TimesOut {
  std::string run() { return TimesOut::run({.schedule_to_close_timeout = 200ms}, false); }
};
struct ScheduleToStart : TimesOut {
  std::string run() {
    return TimesOut::run({.task_queue = workflow::info().task_queue + "-nobody",
                          .schedule_to_start_timeout = 200ms,
                          .start_to_close_timeout = 10s},
                         false);
  }
};
struct Heartbeat : TimesOut {
  std::string run() {
    return TimesOut::run({.start_to_close_timeout = 20s, .heartbeat_timeout = 300ms}, true);
  }
};

TEST_P(ActivityLive, EachTimeoutSaysWhichOneItWas) {
  registry()
      .add(define_workflow<&StartToClose::run>())
      .add(define_workflow<&ScheduleToClose::run>())
      .add(define_workflow<&ScheduleToStart::run>())
      .add(define_workflow<&Heartbeat::run>())
      .add_activity<&wait_until_cancelled>();
  start_worker();

  EXPECT_EQ(execute<&StartToClose::run>(), "1");
  EXPECT_EQ(execute<&ScheduleToStart::run>(), "2");
  EXPECT_EQ(execute<&ScheduleToClose::run>(), "3");
  EXPECT_EQ(execute<&Heartbeat::run>(), "4 after 1");
}

struct NoTimeout {
  int run() { return workflow::execute_activity<&add_one>({.heartbeat_timeout = 1s}, 1); }
};

// The options are a fault of the code: the task fails, and the message says what is missing.
TEST_P(ActivityLive, MissingTimeoutFailsTheTaskOnly) {
  registry().add(define_workflow<&NoTimeout::run>("NoTimeout")).add_activity<&add_one>();
  do_not_replay();
  start_worker();

  const auto handle = start<&NoTimeout::run>();

  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
             "a failed workflow task");
  EXPECT_THAT(handle.fetch_history(), HasSubstr("needs a start_to_close_timeout"));
  EXPECT_EQ(handle.describe().status, WorkflowExecutionStatus::kRunning);
  handle.terminate();
}

// --- Heartbeats and cancellation ---

int resume_from_heartbeat() {
  const activity::Info& info = activity::info();
  if (info.attempt == 1) {
    activity::heartbeat(41, std::string("half way"));
    throw ApplicationError("stumbled");
  }
  return info.heartbeat_details.get<int>(0) + static_cast<int>(info.heartbeat_details.size());
}
struct Resumes {
  int run() {
    return workflow::execute_activity<&resume_from_heartbeat>(
        {.start_to_close_timeout = 10s, .heartbeat_timeout = 5s, .retry_policy = quick(2)});
  }
};

TEST_P(ActivityLive, HeartbeatDetailsReachTheNextAttempt) {
  registry().add(define_workflow<&Resumes::run>("Resumes")).add_activity<&resume_from_heartbeat>();
  start_worker();

  EXPECT_EQ(execute<&Resumes::run>(), 43);
}

// Beats until it is cancelled, tells the workflow so, and then ends as it is told to.
std::atomic<int> beats_cancelled{0};
std::string beat(std::string end) {
  for (int i = 0; !activity::wait_for_cancelled(50ms) && i < 400; ++i) activity::heartbeat(i);
  ++beats_cancelled;
  if (end == "cancelled") activity::throw_if_cancelled();
  return "returned";
}
struct Cancels {
  bool go = false;
  void release() { go = true; }
  std::string run(int type, std::string end) {
    auto handle = workflow::start_activity<&beat>(
        {.start_to_close_timeout = 30s,
         .heartbeat_timeout = 10s,
         .retry_policy = quick(1),
         .cancellation_type = static_cast<ActivityCancellationType>(type)},
        end);
    workflow::wait_condition([this] { return go; });
    handle.cancel();
    try {
      return handle.get();
    } catch (const ActivityError& error) {
      return is_cancelled(error) ? "cancelled" : error.what();
    }
  }
};

TEST_P(ActivityLive, EachCancellationTypeEndsAsItSays) {
  registry()
      .add(define_workflow<&Cancels::run>("Cancels").signal<&Cancels::release>("release"))
      .add_activity<&beat>();
  start_worker();
  const auto run = [&](ActivityCancellationType type, const std::string& end) {
    const auto handle = start<&Cancels::run>(static_cast<int>(type), end);
    eventually([&] { return handle.describe().history_length >= 5; },  // The activity is scheduled.
               "the activity's schedule");
    handle.template signal<&Cancels::release>();
    const std::string result = handle.result();
    return std::pair(result, handle.fetch_history());
  };
  using Type = ActivityCancellationType;

  const auto waited = run(Type::kWaitCancellationCompleted, "cancelled");
  EXPECT_EQ(waited.first, "cancelled");
  EXPECT_EQ(count_events(waited.second, "ACTIVITY_TASK_CANCELED"), 1);
  EXPECT_EQ(run(Type::kWaitCancellationCompleted, "returns").first, "returned");
  const auto tried = run(Type::kTryCancel, "cancelled");
  EXPECT_EQ(tried.first, "cancelled");
  EXPECT_EQ(count_events(tried.second, "ACTIVITY_TASK_CANCEL_REQUESTED"), 1);
  const auto abandoned = run(Type::kAbandon, "cancelled");
  EXPECT_EQ(abandoned.first, "cancelled");
  EXPECT_EQ(count_events(abandoned.second, "ACTIVITY_TASK_CANCEL_REQUESTED"), 0);
}

// --- Completing elsewhere, and what an activity knows ---

absl::Notification* token_ready = nullptr;
std::string token;
std::string complete_elsewhere() {
  token = activity::info().task_token;
  token_ready->Notify();
  activity::raise_complete_async();
}
struct CompletesElsewhere {
  std::string run() {
    return workflow::execute_activity<&complete_elsewhere>(
        {.start_to_close_timeout = 20s, .retry_policy = quick(1)});
  }
};

TEST_P(ActivityLive, IsCompletedAndFailedByItsToken) {
  registry()
      .add(define_workflow<&CompletesElsewhere::run>("CompletesElsewhere"))
      .add_activity<&complete_elsewhere>();
  start_worker();

  absl::Notification first;
  token_ready = &first;
  const auto completes = start<&CompletesElsewhere::run>();
  first.WaitForNotification();
  client().get_async_activity_handle(token).complete("by hand");
  EXPECT_EQ(completes.result(), "by hand");

  absl::Notification second;
  token_ready = &second;
  const auto fails = start<&CompletesElsewhere::run>();
  second.WaitForNotification();
  client().get_async_activity_handle(token).fail(ApplicationError("by hand", {.type = "Hand"}));
  EXPECT_EQ(failure_of(fails).cause()->find_cause<ApplicationError>()->type(), "Hand");
}

struct EndsElsewhere {
  std::string run() {
    return workflow::execute_activity<&complete_elsewhere>(
        {.start_to_close_timeout = 20s,
         .retry_policy = quick(1),
         .cancellation_type = ActivityCancellationType::kWaitCancellationCompleted});
  }
};

// What a heartbeat says.
std::string told(const AsyncActivityHandle& activity) {
  try {
    activity.heartbeat("half");
    return "go on";
  } catch (const AsyncActivityCancelledError& error) {
    return error.what();
  }
}

TEST_P(ActivityLive, HeartbeatsAndEndsAsCancelledByItsToken) {
  registry()
      .add(define_workflow<&EndsElsewhere::run>("EndsElsewhere"))
      .add_activity<&complete_elsewhere>();
  start_worker();

  absl::Notification ready;
  token_ready = &ready;
  const auto handle = start<&EndsElsewhere::run>();
  ready.WaitForNotification();
  const AsyncActivityHandle activity = client().get_async_activity_handle(token);
  EXPECT_EQ(told(activity), "go on");
  handle.cancel();
  eventually([&] { return told(activity) == "the activity shall stop: it was asked to"; },
             "the cancellation");
  activity.report_cancellation("by hand");
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(handle).cause()), nullptr);
  EXPECT_EQ(told(activity), "the activity shall stop: it is over, or there was none");
}

// Its first attempt fails by hand, with what the second finds.
std::string fails_elsewhere_once() {
  const activity::Info& info = activity::info();
  if (info.attempt > 1) return info.heartbeat_details.get<std::string>();
  token = info.task_token;
  token_ready->Notify();
  activity::raise_complete_async();
}
struct TriesTwice {
  std::string run() {
    return workflow::execute_activity<&fails_elsewhere_once>(
        {.start_to_close_timeout = 20s, .retry_policy = quick(2), .activity_id = "twice"});
  }
};

TEST_P(ActivityLive, IsReachedByItsIdsToo) {
  registry()
      .add(define_workflow<&CompletesElsewhere::run>("CompletesElsewhere"))
      .add(define_workflow<&TriesTwice::run>("TriesTwice"))
      .add_activity<&complete_elsewhere>()
      .add_activity<&fails_elsewhere_once>();
  start_worker();

  absl::Notification ready;
  token_ready = &ready;
  const auto retried = start<&TriesTwice::run>();
  ready.WaitForNotification();
  const auto first = client().get_async_activity_handle(retried.id(), retried.run_id(), "twice");
  EXPECT_EQ(told(first), "go on");
  first.fail(ApplicationError("once"));
  EXPECT_EQ(retried.result(), "half");
  absl::Notification again;
  token_ready = &again;
  const auto by_token = start<&TriesTwice::run>();
  again.WaitForNotification();
  client().get_async_activity_handle(token).fail(ApplicationError("once"), "what is known");
  EXPECT_EQ(by_token.result(), "what is known");

  try {
    first.complete("late");
    ADD_FAILURE() << "completed";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("cannot complete the activity 'twice' of workflow '"));
  }
  EXPECT_THROW(client().get_async_activity_handle(""), std::invalid_argument);
  EXPECT_THROW(client().get_async_activity_handle("w", "", ""), std::invalid_argument);
}

struct Bank {
  std::string name;
  std::string who() { return name + " " + activity::info().activity_id; }
};
struct Asks {
  std::string run() {
    return workflow::execute_activity<&Bank::who>(
        {.start_to_close_timeout = 10s, .activity_id = "the-id", .summary = "asks the bank"});
  }
};

TEST_P(ActivityLive, MayBeAMethodOfAnObject) {
  Bank bank{"First National"};
  registry().add(define_workflow<&Asks::run>("Asks")).add_activity<&Bank::who>(bank, "who");
  start_worker();

  EXPECT_EQ(execute<&Asks::run>(), "First National the-id");
}

struct Known {
  std::string activity_type, workflow_id, workflow_run_id, workflow_type, workflow_namespace;
  std::string task_queue;
  int attempt = 0;
  double start_to_close_seconds = 0;
};
Known tell() {
  const activity::Info& info = activity::info();
  return {info.activity_type,
          info.workflow_id,
          info.workflow_run_id,
          info.workflow_type,
          info.workflow_namespace,
          info.task_queue,
          info.attempt,
          std::chrono::duration<double>(info.start_to_close_timeout).count()};
}
struct Tells {
  Known run() { return workflow::execute_activity<&tell>({.start_to_close_timeout = 7s}); }
};

TEST_P(ActivityLive, KnowsWhoseItIs) {
  registry().add(define_workflow<&Tells::run>("Tells")).add_activity<&tell>();
  start_worker();

  const auto handle = start<&Tells::run>();
  const Known known = handle.result();

  EXPECT_EQ(known.activity_type, "tell");
  EXPECT_EQ(known.workflow_id, handle.id());
  EXPECT_EQ(known.workflow_run_id, handle.run_id());
  EXPECT_EQ(known.workflow_type, "Tells");
  EXPECT_EQ(known.workflow_namespace, "default");
  EXPECT_EQ(known.task_queue, queue());
  EXPECT_EQ(known.attempt, 1);
  EXPECT_EQ(known.start_to_close_seconds, 7);
}

}  // namespace
}  // namespace chimera::live
