// Timers, conditions, cancellation, compensation, versioning, determinism, continue-as-new.
#include <atomic>
#include <cstdio>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;

CHIMERA_LIVE(TimerLive);
CHIMERA_LIVE(CancelLive);
CHIMERA_LIVE(FailureLive);
CHIMERA_LIVE(StateLive);

std::string echo(const std::string& text) { return text; }
const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// Waits for a signal that nobody sends; what cancellations end.
void wait_for_ever() {
  workflow::wait_condition([] { return false; });
}

// --- Timers, conditions, tasks ---

struct Timers {
  bool released = false;
  void release() { released = true; }
  std::string run() {
    std::vector<std::string> seen;
    const Time before = workflow::now();
    workflow::sleep(30ms);
    seen.push_back(workflow::now() - before >= 30ms ? "slept" : "woke early");
    seen.push_back(workflow::wait_condition([] { return false; }, 30ms) ? "held" : "timed out");
    seen.push_back(workflow::wait_condition([] { return true; }, 1h) ? "held" : "timed out");
    seen.push_back(workflow::wait_condition([this] { return released; }, 1h) ? "held"
                                                                             : "timed out");
    workflow::sleep(0s);  // No timer.
    return absl::StrJoin(seen, ",");
  }
};

TEST_P(TimerLive, SleepsAndConditionsWithTimeouts) {
  registry().add(define_workflow<&Timers::run>("Timers").signal<&Timers::release>("release"));
  start_worker();

  const auto handle = start<&Timers::run>();
  eventually([&] { return count_events(handle.fetch_history(), "TIMER_STARTED") == 3; },
             "the third timer");
  handle.signal<&Timers::release>();

  EXPECT_EQ(handle.result(), "slept,timed out,held,held");
  EXPECT_EQ(count_events(handle.fetch_history(), "TIMER_CANCELED"), 1);
}

// --- Races, whose winners a restarted worker must find again ---

std::atomic<bool> slow_may_end{false};
std::string slow() {
  while (!slow_may_end) activity::wait_for_cancelled(10ms);
  return "activity";
}
struct Races {
  bool polled = false;
  void poll() { polled = true; }
  std::string run() {
    const auto activity = workflow::start_activity<&slow>(kOptions);
    std::vector<std::string> order;
    order.push_back(workflow::wait_condition([&] { return activity.done(); }, 30ms) ? "activity"
                                                                                    : "timer");
    while (!polled) workflow::sleep(20ms);
    order.push_back("signal");
    order.push_back(activity.get());
    return absl::StrJoin(order, ",");
  }
};

TEST_P(TimerLive, RacesEndAlikeAfterARestart) {
  slow_may_end = false;
  registry()
      .add(define_workflow<&Races::run>("Races").signal<&Races::poll>("poll"))
      .add_activity<&slow>();
  start_worker();
  const auto handle = start<&Races::run>();
  eventually([&] { return count_events(handle.fetch_history(), "TIMER_FIRED") >= 3; },
             "the loop around the signal");

  slow_may_end = true;
  stop_worker();
  // A task that the server gave out as the worker went holds the event back until it times out.
  eventually([&] { return count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED") == 1; },
             "the activity's end");
  start_worker();
  handle.signal<&Races::poll>();

  EXPECT_EQ(handle.result(), "timer,signal,activity");
  EXPECT_EQ(count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED"), 0);
}

struct Tasks {
  std::string run() {
    std::vector<std::string> seen;
    auto slow = workflow::spawn([&] {
      workflow::sleep(40ms);
      seen.push_back("slow");
      return 1;
    });
    auto quick = workflow::spawn([&] {
      workflow::sleep(5ms);
      seen.push_back("quick");
      return 2;
    });
    auto fails = workflow::spawn([]() -> int { throw ApplicationError("in a task"); });
    auto cancelled = workflow::spawn([&] {
      try {
        wait_for_ever();
      } catch (const CancelledError&) {
        seen.push_back("cancelled");
      }
    });
    workflow::sleep(0s);  // It waits now.
    cancelled.cancel();
    cancelled.get();
    const int sum = slow.get() + quick.get();
    try {
      fails.get();
    } catch (const ApplicationError& error) {
      seen.push_back(error.message());
    }
    return absl::StrCat(absl::StrJoin(seen, ","), " ", sum);
  }
};

TEST_P(TimerLive, TasksRunBesideEachOther) {
  registry().add(define_workflow<&Tasks::run>("Tasks"));
  start_worker();

  EXPECT_EQ(execute<&Tasks::run>(), "cancelled,quick,slow,in a task 3");
}

struct FanOut {
  std::int64_t run(int count) {
    std::vector<workflow::ActivityHandle<std::string>> handles;
    for (int i = 0; i < count; ++i)
      handles.push_back(workflow::start_activity<&echo>(kOptions, absl::StrCat(i)));
    std::int64_t sum = 0;
    for (auto& handle : handles) sum += std::stoll(handle.get());
    return sum;
  }
};

TEST_P(TimerLive, ActivitiesFanOut) {
  registry().add(define_workflow<&FanOut::run>("FanOut")).add_activity<&echo>();
  start_worker();

  EXPECT_EQ(execute<&FanOut::run>(20), 190);
}

// --- Cancellation ---

struct Cancelled {
  std::string how;
  std::string run(std::string kind) {
    try {
      if (kind == "timer") workflow::sleep(1h);
      if (kind == "condition") wait_for_ever();
      if (kind == "activity")
        workflow::execute_activity<void>(
            "never", {.task_queue = "nobody-polls-this-queue", .start_to_close_timeout = 1h});
      return "not cancelled";
    } catch (const FailureError& error) {
      if (!is_cancelled(error) || !workflow::cancel_requested()) throw;
      workflow::sleep(1ms);  // It was delivered; the code may clean up.
      if (kind == "timer") return "cleaned up";
      throw;
    }
  }
};

TEST_P(CancelLive, AClientsCancellationReachesEveryWait) {
  registry().add(define_workflow<&Cancelled::run>("Cancelled"));
  start_worker();
  const auto cancel = [&](const std::string& kind, std::int64_t waits_at) {
    auto handle = start<&Cancelled::run>(kind);
    eventually([&] { return handle.describe().history_length >= waits_at; }, "its wait");
    handle.cancel({.reason = "enough"});
    return handle;
  };

  EXPECT_EQ(cancel("timer", 5).result(), "cleaned up");
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(cancel("condition", 4)).cause()),
            nullptr);
  const auto activity = cancel("activity", 5);
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(activity).cause()), nullptr)
      << activity.fetch_history();
  EXPECT_EQ(activity.describe().status, WorkflowExecutionStatus::kCanceled);
  EXPECT_THAT(activity.fetch_history(), HasSubstr("\"enough\""));
}

// What is shielded goes on; the cancellation is delivered at the first wait after it.
struct Shields {
  std::string run() {
    std::string text = "nothing";
    workflow::CancellationScope::detached().run([&] {
      workflow::sleep(200ms);
      text = workflow::execute_activity<&echo>(kOptions, "shielded");
    });
    try {
      workflow::sleep(1h);
    } catch (const CancelledError&) {
      return text + " then cancelled";
    }
    return text;
  }
};

TEST_P(CancelLive, ADetachedScopeShields) {
  registry().add(define_workflow<&Shields::run>("Shields")).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Shields::run>();
  eventually([&] { return handle.describe().history_length >= 5; }, "its timer");
  handle.cancel();

  EXPECT_EQ(handle.result(), "shielded then cancelled");
}

struct Scopes {
  std::string run() {
    std::vector<std::string> seen;
    workflow::CancellationScope outer, inner;
    auto canceller = workflow::spawn([&] {
      workflow::sleep(5ms);
      inner.cancel();
      workflow::sleep(5ms);
      outer.cancel();
    });
    const auto note = [&](const char* name, auto body) {
      try {
        body();
        seen.push_back(absl::StrCat(name, " ended"));
      } catch (const CancelledError&) {
        seen.push_back(absl::StrCat(name, " cancelled"));
      }
    };
    note("outer", [&] {
      outer.run([&] {
        note("inner", [&] { inner.run([] { workflow::sleep(1h); }); });
        note("nested", [&] { workflow::CancellationScope().run([] { workflow::sleep(1h); }); });
        workflow::sleep(1ms);  // Delivered once.
      });
    });
    auto limited = workflow::CancellationScope::with_timeout(10ms);
    note("limited", [&] { limited.run([] { workflow::sleep(1h); }); });
    auto enough = workflow::CancellationScope::with_timeout(1h);
    note("enough", [&] { enough.run([] { workflow::sleep(1ms); }); });
    seen.push_back(absl::StrCat(limited.timed_out(), enough.timed_out()));
    canceller.get();
    return absl::StrJoin(seen, ",");
  }
};

TEST_P(CancelLive, ScopesNestAndTimeOut) {
  registry().add(define_workflow<&Scopes::run>("Scopes"));
  start_worker();

  EXPECT_EQ(execute<&Scopes::run>(),
            "inner cancelled,nested cancelled,outer ended,limited cancelled,enough ended,10");
}

std::string note(const std::string& text) {
  if (text == "undo b") throw ApplicationError("cannot undo b", {.non_retryable = true});
  return text;
}
struct Compensates {
  std::string run(std::string how) {
    if (how == "next") return "next run";
    workflow::Saga saga;
    for (const std::string name : {"a", "b", "c"}) {
      static_cast<void>(workflow::execute_activity<&note>(kOptions, name));
      saga.add([name] {
        static_cast<void>(workflow::execute_activity<&note>(kOptions, "undo " + name));
      });
    }
    if (how == "fail") throw ApplicationError("out of stock", {.type = "Stock"});
    if (how == "continue") workflow::continue_as_new<&Compensates::run>("next");
    workflow::sleep(1h);
    return "shipped";
  }
};

// The activities of a history in the order in which they were scheduled: their arguments.
std::vector<std::string> undone(const std::string& history) {
  std::vector<std::pair<std::size_t, std::string>> at;
  // "undo a" and so on as JSON strings in base64.
  for (const auto& [name, text] : {std::pair("a", "InVuZG8gYSI="), std::pair("b", "InVuZG8gYiI="),
                                   std::pair("c", "InVuZG8gYyI=")}) {
    const std::size_t found = history.find(text);
    if (found != std::string::npos) at.emplace_back(found, name);
  }
  std::sort(at.begin(), at.end());
  std::vector<std::string> names;
  for (const auto& each : at) names.push_back(each.second);
  return names;
}

TEST_P(CancelLive, ASagaUndoesInReverseOrder) {
  registry().add(define_workflow<&Compensates::run>("Compensates")).add_activity<&note>();
  start_worker();
  const std::vector<std::string> reverse{"c", "b", "a"};

  const auto fails = start<&Compensates::run>("fail");
  EXPECT_THAT(failure_of(fails).what(), HasSubstr("out of stock"));
  EXPECT_EQ(undone(fails.fetch_history()), reverse);  // b's failure stops nothing.
  const auto cancelled = start<&Compensates::run>("wait");
  eventually([&] { return count_events(cancelled.fetch_history(), "TIMER_STARTED") == 1; },
             "its timer");
  cancelled.cancel();
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(cancelled).cause()), nullptr);
  EXPECT_EQ(undone(cancelled.fetch_history()), reverse);
  const auto continued = start<&Compensates::run>("continue");
  EXPECT_EQ(continued.result(), "next run");
  EXPECT_EQ(undone(continued.fetch_history()), std::vector<std::string>{});
}

// --- Failures ---

struct Throws {
  static std::atomic<bool> mended;
  std::string run(std::string what) {
    if (what == "failure") throw ApplicationError("no", {.type = "No", .details = details(7)});
    if (what == "listed") throw std::out_of_range("listed");
    if (what == "derived") throw std::invalid_argument("derived");
    if (!mended) {
      if (what == "42") throw 42;
      throw std::runtime_error("not a failure");
    }
    return "mended";
  }
};
std::atomic<bool> Throws::mended{false};

TEST_P(FailureLive, OnlyFailuresFailTheWorkflow) {
  registry().add(define_workflow<&Throws::run>("Throws")
                     .failure_exceptions<std::out_of_range, std::invalid_argument>());
  Throws::mended = false;
  do_not_replay();
  start_worker();
  WorkflowOptions patient = options();
  patient.task_timeout = 1s;  // When a task that has failed again is given out anew.

  const auto failed = failure_of(start<&Throws::run>("failure"));
  const auto& cause = dynamic_cast<const ApplicationError&>(*failed.cause());
  EXPECT_EQ(cause.type(), "No");
  EXPECT_EQ(cause.details().get<int>(), 7);
  EXPECT_EQ(describe(failure_of(start<&Throws::run>("listed")).cause()),
            "ApplicationError std::out_of_range: listed");
  EXPECT_EQ(describe(failure_of(start<&Throws::run>("derived")).cause()),
            "ApplicationError std::invalid_argument: derived");
  for (const std::string what : {"42", "runtime_error"}) {
    patient.id = options().id;
    const auto handle = client().start_workflow<&Throws::run>(patient, what);
    eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
               "a failed task");
    EXPECT_THAT(handle.fetch_history(),
                HasSubstr(what == "42" ? "an exception of type int: 42" : "not a failure"));
    EXPECT_EQ(handle.describe().status, WorkflowExecutionStatus::kRunning);
    Throws::mended = true;
    EXPECT_EQ(handle.result(), "mended");
    Throws::mended = false;
  }
}

TEST_P(FailureLive, AWorkerListsThemForAllItsWorkflows) {
  worker_options().workflow_failure_exceptions = failure_exceptions<std::logic_error>();
  registry().add(define_workflow<&Throws::run>("Throws"));
  start_worker();

  EXPECT_EQ(describe(failure_of(start<&Throws::run>("listed")).cause()),
            "ApplicationError std::out_of_range: listed");
}

struct TakesItem {
  std::string run(std::int64_t number) { return absl::StrCat(number); }
};

TEST_P(FailureLive, WrongArgumentsFailTheTaskOnly) {
  registry().add(define_workflow<&TakesItem::run>("TakesItem"));
  do_not_replay();
  start_worker();

  const auto handle =
      client().start_workflow<std::string>("TakesItem", options(), std::string("seven"));
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
             "a failed task");
  EXPECT_THAT(handle.fetch_history(), HasSubstr("argument 1: expected integer"));
  handle.terminate("test is over", 1, std::string("two"));

  const auto failure = failure_of(handle);
  const auto* terminated = dynamic_cast<const TerminatedError*>(failure.cause());
  ASSERT_NE(terminated, nullptr);
  EXPECT_EQ(terminated->message(), "test is over");
}

struct TimesOut {
  void run() { wait_for_ever(); }
};

TEST_P(FailureLive, ARunTimesOut) {
  registry().add(define_workflow<&TimesOut::run>("TimesOut"));
  start_worker();
  WorkflowOptions with = options();
  with.run_timeout = 1s;

  const auto failure = failure_of(client().start_workflow<&TimesOut::run>(with));

  EXPECT_NE(dynamic_cast<const TimeoutError*>(failure.cause()), nullptr) << failure.what();
}

struct Flaky {
  int run() {
    if (workflow::info().attempt < 3) throw ApplicationError("again");
    return workflow::info().attempt;
  }
};

TEST_P(FailureLive, AWorkflowIsRetriedByItsPolicy) {
  registry().add(define_workflow<&Flaky::run>("Flaky"));
  start_worker();
  WorkflowOptions with = options();
  with.retry_policy = RetryPolicy{.initial_interval = 10ms, .maximum_attempts = 3};

  EXPECT_EQ(client().execute_workflow<&Flaky::run>(with), 3);
}

// --- State: determinism, versions, attributes, continuing ---

// Draws before and after each wait, so that a replay that drew otherwise would say so.
struct Draws {
  std::vector<std::string> drawn;
  bool done = false;
  void draw() {
    const auto seconds = std::chrono::floor<std::chrono::milliseconds>(workflow::now());
    drawn.push_back(absl::StrCat(workflow::uuid4(), " ", workflow::random()(), " ",
                                 seconds.time_since_epoch().count()));
  }
  std::string get() const { return absl::StrJoin(drawn, ","); }
  void finish() { done = true; }
  std::string run() {
    draw();
    workflow::logger().warning("drew once");
    static_cast<void>(workflow::execute_activity<&echo>(kOptions, drawn[0]));
    draw();
    workflow::wait_condition([this] { return done; });
    draw();
    return get();
  }
};

TEST_P(StateLive, RandomTimeAndLogsAreTheSameInReplay) {
  registry()
      .add(define_workflow<&Draws::run>("Draws")
               .query<&Draws::get>("get")
               .signal<&Draws::draw>("draw")
               .signal<&Draws::finish>("finish"))
      .add_activity<&echo>();
  worker_options().max_cached_workflows = std::min<std::size_t>(GetParam(), 1);
  testing::internal::CaptureStderr();
  start_worker();

  const auto handle = start<&Draws::run>(), other = start<&Draws::run>();
  handle.signal<&Draws::draw>();
  other.signal<&Draws::draw>();  // With one cached run, each task evicts the other.
  const std::string early = handle.query<&Draws::get>();
  other.signal<&Draws::finish>();
  const std::string others = other.result();
  handle.signal<&Draws::finish>();
  const std::string all = handle.result();
  stop_worker();

  EXPECT_EQ(all.substr(0, early.size()), early);
  EXPECT_NE(all.substr(0, 36), others.substr(0, 36));
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string mine = absl::StrCat("drew once workflow_id=", handle.id(), " ");
  EXPECT_NE(log.find(mine), std::string::npos) << log;
  EXPECT_EQ(log.find(mine, log.find(mine) + 1), std::string::npos) << log;
}

struct Versioned {
  static std::atomic<int> version;
  bool done = false;
  void finish() { done = true; }
  std::string run() {
    std::string way = "old";
    if (version == 2 && workflow::patched("p")) way = "new";
    if (version == 3) {
      workflow::deprecate_patch("p");
      way = "new";
    }
    static_cast<void>(workflow::execute_activity<&echo>(kOptions, way));
    workflow::wait_condition([this] { return done; });
    if (version == 2) way += workflow::patched("p") ? "+" : "-";
    return way;
  }
};
std::atomic<int> Versioned::version{1};

TEST_P(StateLive, PatchesFollowTheHistory) {
  registry()
      .add(define_workflow<&Versioned::run>("Versioned").signal<&Versioned::finish>("finish"))
      .add_activity<&echo>();
  do_not_replay();
  const auto begin = [&](int version) {
    Versioned::version = version;
    start_worker();
    auto handle = start<&Versioned::run>();
    eventually([&] { return count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED") == 1; },
               "its activity");
    stop_worker();
    return handle;
  };
  const auto end = [&](const auto& handle, int version) {
    Versioned::version = version;
    start_worker();
    handle.template signal<&Versioned::finish>();
    const std::string result = handle.result();
    stop_worker();
    return result;
  };

  EXPECT_EQ(end(begin(1), 2), "old-");  // Began without the patch: stays without it.
  EXPECT_EQ(end(begin(2), 2), "new+");
  EXPECT_EQ(end(begin(2), 3), "new");
  EXPECT_EQ(end(begin(3), 1 + 2), "new");
}

struct Changed {
  static std::atomic<bool> hurried;
  std::string run() {
    static_cast<void>(workflow::execute_activity<&echo>(kOptions, std::string("old")));
    if (hurried) return "early";
    workflow::sleep(1ms);
    workflow::wait_condition([] { return workflow::cancel_requested(); });
    return "late";
  }
};
std::atomic<bool> Changed::hurried{false};

// docs/errors.md, TMPRL1100.
TEST_P(StateLive, AReportSaysWhatHasChanged) {
  registry().add(define_workflow<&Changed::run>("Changed")).add_activity<&echo>();
  do_not_replay();
  Changed::hurried = false;
  start_worker();
  auto handle = start<&Changed::run>();
  eventually([&] { return count_events(handle.fetch_history(), "TIMER_FIRED") == 1; }, "a timer");
  stop_worker();

  Changed::hurried = true;
  start_worker();
  handle.cancel();
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
             "a report");

  const std::string history = handle.fetch_history();
  EXPECT_THAT(history, HasSubstr("[TMPRL1100] Nondeterminism error: in workflow Changed"));
  EXPECT_THAT(history, HasSubstr("TimerStarted, timer 1"));
  EXPECT_THAT(history, HasSubstr("before:  event 5, ActivityTaskScheduled, activity echo"));
  EXPECT_THAT(history, HasSubstr("Probably the code ends here, where it went on to the timer"));
  handle.terminate();
}

// By its definition, or by the worker's options.
TEST_P(StateLive, WhatDisagreesFailsTheWorkflowWhereThatIsAskedFor) {
  do_not_replay();
  for (const bool by_worker : {false, true}) {
    auto definition = define_workflow<&Changed::run>(by_worker ? "Changed" : "ChangedAndListed");
    if (by_worker) {
      worker_options().workflow_failure_exceptions = failure_exceptions<NondeterminismError>();
    } else {
      definition = std::move(definition).failure_exceptions<NondeterminismError>();
    }
    registry().add(definition);
    if (!by_worker) registry().add_activity<&echo>();
    Changed::hurried = false;
    start_worker();
    auto handle = client().start_workflow<std::string>(definition.name(), options());
    eventually([&] { return count_events(handle.fetch_history(), "TIMER_FIRED") == 1; }, "a timer");
    stop_worker();

    Changed::hurried = true;
    start_worker();
    handle.cancel();

    EXPECT_THAT(describe(failure_of(handle).cause()), HasSubstr("Nondeterminism error"));
    stop_worker();
  }
}

struct Upserts {
  std::string run() {
    workflow::upsert_search_attributes(
        {{"GoldKw", std::string("ann")}, {"GoldInt", std::int64_t{7}}});
    workflow::upsert_memo({{"note", make_payload("kept")}, {"gone", make_payload(1)}});
    workflow::sleep(1ms);
    workflow::upsert_memo({{"gone", Payload{}}});
    workflow::upsert_search_attributes({{"GoldInt", std::monostate{}}});
    const workflow::Info& info = workflow::info();
    return absl::StrCat(from_payload<std::string>(info.search_attributes.at("GoldKw")), " ",
                        from_payload<std::string>(info.memo.at("note")), " ",
                        from_payload<std::string>(info.memo.at("given")), " ",
                        info.memo.contains("gone"));
  }
};

TEST_P(StateLive, SearchAttributesAndMemoAreUpserted) {
  registry().add(define_workflow<&Upserts::run>("Upserts"));
  start_worker();
  WorkflowOptions with = options();
  with.memo = {{"given", make_payload("at the start")}};

  const auto handle = client().start_workflow<&Upserts::run>(with);
  EXPECT_EQ(handle.result(), "ann kept at the start 0");
  WorkflowExecution found;
  eventually(  // The genuine server's visibility lags.
      [&] {
        found = handle.describe();
        return found.memo.size() == 2 && found.search_attributes.contains("GoldKw");
      },
      "its memo");

  EXPECT_EQ(from_payload<std::string>(found.memo.at("note")), "kept");
  EXPECT_EQ(from_payload<std::string>(found.memo.at("given")), "at the start");
  EXPECT_EQ(from_payload<std::string>(found.search_attributes.at("GoldKw")), "ann");
  EXPECT_FALSE(found.search_attributes.contains("GoldInt"));
}

std::string take(const std::string& text) { return text.substr(0, 1); }
struct SendsMuch {
  std::string run(int pieces) {
    std::vector<workflow::ActivityHandle<std::string>> all;
    const int count = mended ? 1 : pieces;  // Once: it may change meanwhile.
    for (int i = 0; i < count; ++i) {
      all.push_back(workflow::start_activity<&take>({.start_to_close_timeout = 10s},
                                                    std::string(1'900'000, 'x')));
    }
    std::string out;
    for (auto& each : all) out += each.get();
    return out;
  }
  static std::atomic<bool> mended;
};
std::atomic<bool> SendsMuch::mended{false};

// Each value is small enough, all together are not.
TEST_P(StateLive, AnAnswerThatIsTooLargeFailsTheTask) {
  registry().add(define_workflow<&SendsMuch::run>("SendsMuch")).add_activity<&take>();
  SendsMuch::mended = false;
  do_not_replay();
  start_worker();
  WorkflowOptions patient = options();
  patient.task_timeout = 1s;

  const auto handle = client().start_workflow<&SendsMuch::run>(patient, 3);
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
             "a failed task");
  EXPECT_THAT(handle.fetch_history(), HasSubstr("larger than a message to the server may be"));
  SendsMuch::mended = true;

  EXPECT_EQ(handle.result(), "x");
}

struct Continues {
  std::string run(int rounds, std::string trail) {
    trail += workflow::info().continued_run_id.empty() ? "first" : ",next";
    if (rounds == 2)  // By options: another timeout, and the same type by name.
      workflow::continue_as_new(
          ContinueAsNewOptions{.run_timeout = 50s, .memo = {{"m", make_payload(1)}}}, 1, trail);
    if (rounds > 0) workflow::continue_as_new<&Continues::run>(rounds - 1, trail);
    return absl::StrCat(trail, " ", workflow::info().memo.size(), " ",
                        workflow::info().run_timeout / 1s);
  }
};

TEST_P(StateLive, ContinuesAsNew) {
  registry().add(define_workflow<&Continues::run>("Continues"));
  start_worker();

  const auto handle = start<&Continues::run>(3, "");

  EXPECT_EQ(handle.result(), "first,next,next,next 1 50");
  EXPECT_THROW(handle.result(/*follow_runs=*/false), WorkflowFailureError);
  EXPECT_EQ(
      client().get_workflow_handle<&Continues::run>(handle.id(), handle.run_id()).describe().status,
      WorkflowExecutionStatus::kContinuedAsNew);
}

struct KeepsGoing {
  int rounds = 0;
  bool go_on = false, stop = false;
  void next() { go_on = true; }
  void end() { stop = true; }
  int round() const { return rounds; }
  int run(int before) {
    rounds = before + 1;
    workflow::wait_condition([this] { return go_on || stop; });
    if (stop) return rounds;
    workflow::continue_as_new<&KeepsGoing::run>(rounds);
  }
};

// A handle is of the workflow, not of the run that happened to be first.
TEST_P(StateLive, AHandleReachesWhatTheRunContinuesAs) {
  registry().add(define_workflow<&KeepsGoing::run>("KeepsGoing")
                     .signal<&KeepsGoing::next>("next")
                     .signal<&KeepsGoing::end>("end")
                     .query<&KeepsGoing::round>("round"));
  start_worker();

  const auto handle = start<&KeepsGoing::run>(0);
  handle.signal<&KeepsGoing::next>();
  eventually([&] { return handle.query<&KeepsGoing::round>() == 2; }, "the second run");
  EXPECT_EQ(handle.describe().status, WorkflowExecutionStatus::kRunning);
  handle.signal<&KeepsGoing::end>();

  EXPECT_EQ(handle.result(), 2);
}

// activity_test.cc has a Tells of its own in its unnamed namespace: they must not be taken for each
// other (definition.h says why they might).
struct Known {
  std::string workflow_id, run_id, workflow_type, task_queue, namespace_;
  std::string first_execution_run_id, cron_schedule;
  int attempt = 0;
  double task_timeout_seconds = 0;
  bool has_parent = false;
  std::uint32_t history_length = 0;
  bool started_in_order = false;
};
struct Tells {
  Known run() {
    const workflow::Info& info = workflow::info();
    return {info.workflow_id,
            info.run_id,
            info.workflow_type,
            info.task_queue,
            info.namespace_,
            info.first_execution_run_id,
            info.cron_schedule,
            info.attempt,
            std::chrono::duration<double>(info.task_timeout).count(),
            info.parent.has_value(),
            info.history_length,
            info.workflow_start_time <= info.start_time};
  }
};

TEST_P(StateLive, KnowsItself) {
  registry().add(define_workflow<&Tells::run>("Tells"));
  start_worker();
  WorkflowOptions with = options();
  with.task_timeout = 7s;

  const auto handle = client().start_workflow<&Tells::run>(with);
  const Known known = handle.result();

  EXPECT_EQ(known.workflow_id, handle.id());
  EXPECT_EQ(known.run_id, handle.run_id());
  EXPECT_EQ(known.first_execution_run_id, handle.run_id());
  EXPECT_EQ(known.workflow_type, "Tells");
  EXPECT_EQ(known.task_queue, queue());
  EXPECT_EQ(known.namespace_, "default");
  EXPECT_EQ(known.attempt, 1);
  EXPECT_EQ(known.task_timeout_seconds, 7);
  EXPECT_FALSE(known.has_parent);
  EXPECT_EQ(known.history_length, 3u);
  EXPECT_TRUE(known.started_in_order);
}

}  // namespace
}  // namespace chimera::live
