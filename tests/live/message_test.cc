// Signals, queries and updates.
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;
using testing::Not;

CHIMERA_LIVE(SignalLive);
CHIMERA_LIVE(QueryLive);
CHIMERA_LIVE(UpdateLive);

std::string echo(const std::string& text) { return text; }
const ActivityOptions kOptions{.start_to_close_timeout = 10s};

struct Item {
  std::string name;
  std::int64_t count = 0;
};

// --- Signals ---

// Notes every signal in order; ends with the notes.
struct Notes {
  std::vector<std::string> notes;
  bool done = false;
  void text(std::string value) { notes.push_back(value); }
  void item(Item value, std::optional<int> more) {
    notes.push_back(absl::StrCat(value.name, "*", value.count, "+", more.value_or(0)));
  }
  void slow(std::string value) {
    notes.push_back(workflow::execute_activity<&echo>(kOptions, value));
  }
  void finish() { done = true; }
  std::string run() {
    workflow::wait_condition([this] { return done && workflow::all_handlers_finished(); });
    return absl::StrJoin(notes, ",");
  }
};
const auto kNotes = define_workflow<&Notes::run>("Notes")
                        .signal<&Notes::text>("text")
                        .signal<&Notes::item>("item")
                        .signal<&Notes::slow>("slow")
                        .signal<&Notes::finish>("finish");

TEST_P(SignalLive, TypedArgumentsArriveInOrder) {
  registry().add(kNotes).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Notes::run>();
  handle.signal<&Notes::text>("a");
  handle.signal<&Notes::item>(Item{"box", 2}, std::nullopt);
  handle.signal("item", Item{"crate", 3}, 4);
  handle.signal<&Notes::slow>("b");
  handle.signal<&Notes::finish>();

  EXPECT_EQ(handle.result(), "a,box*2+0,crate*3+4,b");
}

TEST_P(SignalLive, SignalsBeforeTheFirstTaskAreHandledBeforeRun) {
  registry().add(kNotes).add_activity<&echo>();

  const auto handle = start<&Notes::run>();
  handle.signal<&Notes::text>("early");
  handle.signal<&Notes::finish>();
  start_worker();

  EXPECT_EQ(handle.result(), "early");
}

// The run goes on: a caller's mistake must not harm it.
TEST_P(SignalLive, SignalsThatCannotBeReadAreDropped) {
  registry().add(kNotes).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Notes::run>();
  handle.signal("item", "no item");
  handle.signal<&Notes::text>("fine");
  handle.signal<&Notes::finish>();

  EXPECT_EQ(handle.result(), "fine");
}

struct SetsLate {
  bool go = false;
  void release() { go = true; }
  std::string run() {
    std::vector<std::string> seen;
    workflow::wait_condition([this] { return go; });
    workflow::set_signal_handler("late", [&](std::string text) { seen.push_back("late " + text); });
    workflow::wait_condition([&] { return seen.size() == 2; });
    workflow::set_dynamic_signal_handler([&](std::string name, std::vector<Payload> arguments) {
      seen.push_back(absl::StrCat(name, "/", arguments.size(), " ",
                                  from_payload<std::string>(arguments.at(0))));
    });
    workflow::wait_condition([&] { return seen.size() == 5; });
    return absl::StrJoin(seen, ",");
  }
};

// Dropping them would lose what a client was told is there.
TEST_P(SignalLive, SignalsWithoutAHandlerWaitForOne) {
  registry().add(define_workflow<&SetsLate::run>("SetsLate").signal<&SetsLate::release>("release"));
  start_worker();

  const auto handle = start<&SetsLate::run>();
  handle.signal("late", std::string("1"));
  handle.signal("other", std::string("2"));
  handle.signal("late", std::string("3"));
  handle.signal("another", std::string("4"), 5);
  handle.signal("other", std::string("6"));
  handle.signal<&SetsLate::release>();

  EXPECT_EQ(handle.result(), "late 1,late 3,other/1 2,other/1 6,another/2 4");
}

struct Dynamic {
  std::vector<std::string> seen;
  void any(std::string name, std::vector<Payload> arguments) {
    seen.push_back(absl::StrCat(name, arguments.size()));
  }
  void known(std::string text) { seen.push_back(text); }
  std::string any_query(std::string name, std::vector<Payload> arguments) {
    return absl::StrCat("query ", name, arguments.size());
  }
  std::string any_update(std::string name, std::vector<Payload> arguments) {
    return absl::StrCat("update ", name, arguments.size());
  }
  std::string run() {
    workflow::wait_condition([this] { return seen.size() == 3; });
    return absl::StrJoin(seen, ",");
  }
};

TEST_P(SignalLive, DynamicHandlersTakeWhatHasNoOther) {
  registry().add(define_workflow<&Dynamic::run>("Dynamic")
                     .dynamic_signal<&Dynamic::any>()
                     .signal<&Dynamic::known>("known")
                     .dynamic_query<&Dynamic::any_query>()
                     .dynamic_update<&Dynamic::any_update>());
  start_worker();

  const auto handle = start<&Dynamic::run>();
  EXPECT_EQ(handle.query<std::string>("what", 1, 2), "query what2");
  EXPECT_EQ(handle.execute_update<std::string>("change", 1), "update change1");
  handle.signal("x");
  handle.signal<&Dynamic::known>("known");
  handle.signal("y", 1, 2, 3);

  EXPECT_EQ(handle.result(), "x0,known,y3");
}

struct FailsBySignal {
  void fail(std::string how) {
    if (how == "failure") throw ApplicationError("by signal", {.type = "Signal"});
    workflow::continue_as_new<&FailsBySignal::run>(false);
  }
  std::string run(bool first) {
    if (first) workflow::wait_condition([] { return false; });
    return "continued";
  }
};

TEST_P(SignalLive, HandlersMayEndTheRun) {
  registry().add(
      define_workflow<&FailsBySignal::run>("FailsBySignal").signal<&FailsBySignal::fail>("fail"));
  start_worker();

  const auto fails = start<&FailsBySignal::run>(true);
  fails.signal<&FailsBySignal::fail>("failure");
  EXPECT_THAT(failure_of(fails).what(), HasSubstr("by signal"));
  const auto continues = start<&FailsBySignal::run>(true);
  continues.signal<&FailsBySignal::fail>("continue");
  EXPECT_EQ(continues.result(), "continued");
}

// --- Queries ---

struct Counter {
  std::int64_t value = 0;
  bool done = false;
  void add(std::int64_t by) { value += by; }
  std::int64_t get() const { return value; }
  std::int64_t plus(std::int64_t more) const { return value + more; }
  std::int64_t fail() const { throw ApplicationError("cannot say", {.type = "Mute"}); }
  std::int64_t change() {
    workflow::sleep(1s);
    return value;
  }
  void finish() { done = true; }
  std::int64_t run() {
    workflow::set_current_details("counting");
    workflow::wait_condition([this] { return done; });
    return value;
  }
};
const auto kCounter = define_workflow<&Counter::run>("Counter")
                          .signal<&Counter::add>("add")
                          .signal<&Counter::finish>("finish")
                          .query<&Counter::get>("get")
                          .query<&Counter::plus>("plus")
                          .query<&Counter::fail>("fail")
                          .query<&Counter::change>("change");

TEST_P(QueryLive, AnswersFromRunningAndClosedWorkflows) {
  registry().add(kCounter);
  start_worker();

  const auto handle = start<&Counter::run>();
  handle.signal<&Counter::add>(5);
  EXPECT_EQ(handle.query<&Counter::get>(), 5);
  EXPECT_EQ(handle.query<&Counter::plus>(2), 7);
  EXPECT_EQ(handle.query<std::int64_t>("plus", 3), 8);
  handle.signal<&Counter::finish>();
  EXPECT_EQ(handle.result(), 5);

  EXPECT_EQ(handle.query<&Counter::get>(), 5);
}

template <class Call>
std::string query_failure(Call call) {
  try {
    call();
    return "answered";
  } catch (const WorkflowQueryFailedError& error) {
    return error.what();
  }
}

TEST_P(QueryLive, FailuresSayWhatIsWrong) {
  registry().add(kCounter);
  start_worker();

  const auto handle = start<&Counter::run>();
  const auto failure = [&](const std::string& name) {
    return query_failure([&] { handle.template query<int>(name); });
  };

  EXPECT_THAT(failure("fail"), HasSubstr("cannot say"));
  EXPECT_THAT(failure("change"), HasSubstr("not allowed in a query"));
  EXPECT_THAT(failure("nothing"),
              testing::AllOf(HasSubstr("no query 'nothing'"),
                             HasSubstr("change, fail, get, plus, __stack_trace")));
  EXPECT_THAT(query_failure([&] { handle.query<int>("plus", "two"); }),
              HasSubstr(R"(argument 1: expected integer, got "two")"));
  EXPECT_EQ(handle.query<&Counter::get>(), 0);  // It goes on.
  handle.terminate();
}

TEST_P(QueryLive, StackTraceNamesTheWaitingTasks) {
  registry().add(kCounter);
  start_worker();

  const auto handle = start<&Counter::run>();
  const auto trace = handle.query<std::string>("__stack_trace");

  EXPECT_THAT(trace, HasSubstr("run (in wait_condition)\n  at "));
  handle.signal<&Counter::finish>();
  EXPECT_EQ(handle.result(), 0);
}

TEST_P(QueryLive, MetadataListsHandlersAndDetails) {
  registry().add(kCounter);
  start_worker();

  const auto handle = start<&Counter::run>();
  handle.query<&Counter::get>();  // The first task is done.
  const auto metadata = handle.query<Payload>("__temporal_workflow_metadata");

  EXPECT_EQ(metadata.metadata.at("encoding"), "json/protobuf");
  EXPECT_EQ(metadata.metadata.at("messageType"), "temporal.api.sdk.v1.WorkflowMetadata");
  EXPECT_THAT(metadata.data,
              testing::AllOf(HasSubstr(R"("type":"Counter")"), HasSubstr(R"({"name":"plus"})"),
                             HasSubstr(R"("currentDetails":"counting")")));
  handle.terminate();
}

struct SetsQuery {
  bool done = false;
  void finish() { done = true; }
  void run() {
    int asked = 7;
    workflow::set_query_handler("ask", [&](int more) { return asked + more; });
    workflow::wait_condition([this] { return done; });
  }
};

TEST_P(QueryLive, HandlersMayBeSetByTheCode) {
  registry().add(
      define_workflow<&SetsQuery::run>("SetsQuery").signal<&SetsQuery::finish>("finish"));
  start_worker();

  const auto handle = start<&SetsQuery::run>();
  EXPECT_EQ(handle.query<int>("ask", 1), 8);
  handle.signal<&SetsQuery::finish>();
  handle.result();
}

// --- Updates ---

struct Account {
  std::int64_t balance = 0;
  bool done = false;
  std::vector<std::string> ids;
  std::int64_t deposit(std::int64_t cents) {
    ids.push_back(workflow::current_update_info()->id);
    return balance += cents;
  }
  void check_deposit(std::int64_t cents) const {
    if (cents <= 0) throw ApplicationError("not a deposit", {.type = "BadAmount"});
  }
  std::string slow(std::string text) {  // An activity, a timer, and both together.
    auto handle = workflow::start_activity<&echo>(kOptions, text);
    workflow::sleep(10ms);
    const std::string first = handle.get();
    balance += 1;
    return first + workflow::execute_activity<&echo>(kOptions, text);
  }
  std::int64_t fail(std::string how) {
    if (how == "activity")
      workflow::execute_activity<void>(
          "nothing",
          {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.maximum_attempts = 1}});
    throw ApplicationError("after acceptance", {.type = "Late", .details = details(3)});
  }
  void finish() { done = true; }
  std::int64_t get() const { return balance; }
  std::string run() {
    workflow::wait_condition([this] { return done && workflow::all_handlers_finished(); });
    return absl::StrCat(balance, " ", absl::StrJoin(ids, ","));
  }
};
const auto kAccount = define_workflow<&Account::run>("Account")
                          .update<&Account::deposit, &Account::check_deposit>("deposit")
                          .update<&Account::slow>("slow")
                          .update<&Account::fail>("fail")
                          .query<&Account::get>("get")
                          .signal<&Account::finish>("finish");

template <class Call>
WorkflowUpdateFailedError update_failure(Call call) {
  try {
    call();
  } catch (const WorkflowUpdateFailedError& error) {
    return error;
  }
  ADD_FAILURE() << "the update did not fail";
  return WorkflowUpdateFailedError(std::make_shared<const ApplicationError>("no failure"));
}

TEST_P(UpdateLive, ValidatorRejectsAndAccepts) {
  registry().add(kAccount).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Account::run>();
  EXPECT_EQ(handle.execute_update<&Account::deposit>({.id = "first"}, 500), 500);
  const auto rejected = update_failure([&] { handle.execute_update<&Account::deposit>(-1); });
  EXPECT_EQ(rejected.cause()->message(), "not a deposit");
  EXPECT_EQ(dynamic_cast<const ApplicationError&>(*rejected.cause()).type(), "BadAmount");
  EXPECT_EQ(handle.execute_update<&Account::deposit>({.id = "second"}, 7), 507);
  EXPECT_EQ(handle.execute_update<&Account::deposit>({.id = "second"}, 7), 507);  // The same one.
  handle.signal<&Account::finish>();

  EXPECT_EQ(handle.result(), "507 first,second");
  EXPECT_EQ(count_events(handle.fetch_history(), "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"), 2);
}

TEST_P(UpdateLive, HandlersRunActivitiesAndTimers) {
  registry().add(kAccount).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Account::run>();
  const auto accepted = handle.start_update<&Account::slow>({.id = "slow"}, "x");
  EXPECT_EQ(accepted.id(), "slow");
  handle.signal<&Account::finish>();
  EXPECT_EQ(accepted.result(), "xx");
  EXPECT_EQ(handle.get_update_handle<std::string>("slow").result(), "xx");

  EXPECT_EQ(handle.result(), "1 ");
}

TEST_P(UpdateLive, FailuresAfterAcceptanceReachTheCaller) {
  registry().add(kAccount).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Account::run>();
  const auto late = update_failure([&] { handle.execute_update<&Account::fail>("late"); });
  EXPECT_EQ(dynamic_cast<const ApplicationError&>(*late.cause()).details().get<int>(), 3);
  const auto activity = update_failure([&] { handle.execute_update<&Account::fail>("activity"); });
  EXPECT_NE(dynamic_cast<const ActivityError*>(activity.cause()), nullptr) << activity.what();
  const auto unknown = update_failure([&] { handle.execute_update<int>("nothing"); });
  EXPECT_THAT(unknown.cause()->message(), HasSubstr("known updates: deposit, fail, slow"));
  const auto wrong = update_failure([&] { handle.execute_update<int>("deposit", "much"); });
  EXPECT_THAT(wrong.cause()->message(), HasSubstr("expected integer"));
  handle.signal<&Account::finish>();

  EXPECT_EQ(handle.result(), "0 ");
}

TEST_P(UpdateLive, UpdatesBeforeTheFirstTaskAndFromBothSidesOfATimer) {
  registry().add(kAccount).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Account::run>();
  std::vector<UpdateHandle<std::string>> updates;
  for (int i = 0; i < 5; ++i)
    updates.push_back(handle.start_update<&Account::slow>(absl::StrCat(i)));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(updates[i].result(), absl::StrCat(i, i));
  handle.signal<&Account::finish>();

  EXPECT_EQ(handle.result(), "5 ");
}

struct SetsUpdate {
  std::int64_t run() {
    std::int64_t total = 0;
    bool done = false;
    workflow::set_update_handler(
        "add",
        [&](std::int64_t by) {
          total += by;
          done = by == 0;
          return total;
        },
        [](std::int64_t by) {
          if (by < 0) throw ApplicationError("negative");
        });
    workflow::wait_condition([&] { return done; });
    return total;
  }
};

TEST_P(UpdateLive, HandlersMayBeSetByTheCode) {
  registry().add(define_workflow<&SetsUpdate::run>("SetsUpdate"));
  start_worker();

  const auto handle = start<&SetsUpdate::run>();
  eventually([&] { return handle.describe().history_length >= 4; }, "the first task");
  EXPECT_EQ(handle.execute_update<std::int64_t>("add", 3), 3);
  const auto rejected = update_failure([&] { handle.execute_update<int>("add", -1); });
  EXPECT_EQ(rejected.cause()->message(), "negative");
  EXPECT_EQ(handle.execute_update<std::int64_t>("add", 0), 3);

  EXPECT_EQ(handle.result(), 3);
}

struct LeavesBehind {
  bool done = false;
  void finish() { done = true; }
  void hang() {
    workflow::wait_condition([] { return false; });
  }
  void run() {
    workflow::wait_condition([this] { return done; });
  }
};

TEST_P(UpdateLive, UnfinishedHandlersAreWarnedOf) {
  registry().add(define_workflow<&LeavesBehind::run>("LeavesBehind")
                     .signal<&LeavesBehind::finish>("finish")
                     .signal<&LeavesBehind::hang>("hang_signal")
                     .signal<&LeavesBehind::hang>(
                         "quiet", {.unfinished_policy = HandlerUnfinishedPolicy::kAbandon})
                     .update<&LeavesBehind::hang>("hang"));
  testing::internal::CaptureStderr();
  start_worker();

  const auto handle = start<&LeavesBehind::run>();
  handle.signal("hang_signal");
  handle.signal("quiet");
  const auto update = handle.start_update<void>("hang", UpdateOptions{.id = "the-update"});
  handle.signal<&LeavesBehind::finish>();
  handle.result();
  stop_worker();

  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr(R"(Updates: [{"name":"hang","id":"the-update"}])"));
  EXPECT_THAT(log, HasSubstr(R"(Signals: [{"name":"hang_signal","count":1}])"));
  EXPECT_THAT(log, Not(HasSubstr("quiet")));
  EXPECT_THROW(update.result(), std::exception);
}

}  // namespace
}  // namespace chimera::live
