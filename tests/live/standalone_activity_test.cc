// Activities that a client starts by itself. Servers before 1.32 know no such calls.
#include "absl/strings/str_cat.h"

#include "chimera/activity.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StandaloneLive : public Live {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has no activities that stand alone";
  }
  StartActivityOptions activity() {
    return {.id = absl::StrCat(queue(), "-", ++number_),
            .task_queue = queue(),
            .start_to_close_timeout = 20s};
  }

 private:
  int number_ = 0;
};
INSTANTIATE_TEST_SUITE_P(, StandaloneLive, testing::Values(std::size_t{1000}), cache_name);

struct Order {
  std::string item;
  int count = 0;
};

std::string pack(const Order& order, int boxes) {
  const activity::Info& info = activity::info();
  return absl::StrCat(order.count, " ", order.item, " in ", boxes, " of ", info.activity_id, "/",
                      info.workflow_id);
}
const auto kPack = define_activity<&pack>("pack");

void nothing() {}

int fail_twice(const std::string& message) {
  if (activity::info().attempt < 3) throw ApplicationError(message, {.type = "Again"});
  return activity::info().attempt;
}
void refuse() { throw ApplicationError("never", {.type = "No", .non_retryable = true}); }

// Beats until it is asked to stop.
void beat() {
  for (;;) {
    activity::heartbeat("beat");
    if (activity::wait_for_cancelled(50ms)) activity::throw_if_cancelled();
  }
}

ActivityFailureError failure_of(const auto& handle) {
  try {
    handle.result();
  } catch (const ActivityFailureError& error) {
    return error;
  }
  ADD_FAILURE() << handle.id() << " completed";
  return ActivityFailureError(std::make_shared<const ApplicationError>("completed"));
}

TEST_P(StandaloneLive, AnActivityRunsWithoutAWorkflow) {
  registry().add(kPack).add_activity<&nothing>();
  start_worker();
  const StartActivityOptions options = activity();
  const auto handle = client().start_activity<kPack>(options, Order{"cups", 7}, 2);
  EXPECT_EQ(handle.id(), options.id);
  EXPECT_THAT(handle.run_id(), SizeIs(36));
  EXPECT_EQ(handle.result(), absl::StrCat("7 cups in 2 of ", options.id, "/"));
  EXPECT_EQ(handle.result(), handle.result());

  EXPECT_EQ(
      client().execute_activity<std::string>("pack", activity(), Order{"cups", 1}, 1).substr(0, 15),
      "1 cups in 1 of ");
  client().execute_activity<&nothing>(activity());
  const auto again = client().get_activity_handle<&pack>(options.id);
  EXPECT_EQ(again.result(), handle.result());
  EXPECT_EQ(client().get_activity_handle<&pack>(options.id, handle.run_id()).result(),
            handle.result());
}

TEST_P(StandaloneLive, ADescriptionHasWhatIsAskedFor) {
  registry().add(kPack);
  start_worker();
  StartActivityOptions options = activity();
  options.summary = "cups for Ann";
  options.schedule_to_close_timeout = 1min;
  options.retry_policy = RetryPolicy{.initial_interval = 2s, .maximum_attempts = 3};
  options.priority.priority_key = 2;
  options.search_attributes = {{"GoldKw", "gold"}};
  const auto handle = client().start_activity<kPack>(options, Order{"cups", 7}, 2);
  handle.result();

  const ActivityExecutionDescription plain = handle.describe();
  EXPECT_EQ(plain.id, options.id);
  EXPECT_EQ(plain.run_id, handle.run_id());
  EXPECT_EQ(plain.activity_type, "pack");
  EXPECT_EQ(plain.task_queue, queue());
  EXPECT_EQ(plain.status, ActivityExecutionStatus::kCompleted);
  EXPECT_EQ(plain.attempt, 1);
  EXPECT_EQ(plain.start_to_close_timeout, Duration(20s));
  EXPECT_EQ(plain.schedule_to_close_timeout, Duration(1min));
  EXPECT_EQ(plain.retry_policy.maximum_attempts, 3);
  EXPECT_EQ(plain.priority.priority_key, 2);
  EXPECT_EQ(plain.summary, "cups for Ann");
  EXPECT_EQ(from_payload<std::string>(plain.search_attributes.at("GoldKw")), "gold");
  EXPECT_GE(plain.close_time, plain.schedule_time);
  EXPECT_THAT(plain.input, IsEmpty());
  EXPECT_FALSE(plain.result);

  const auto whole = handle.describe({.include_input = true, .include_outcome = true});
  ASSERT_THAT(whole.input, SizeIs(2));
  EXPECT_EQ(from_payload<Order>(whole.input[0]).item, "cups");
  ASSERT_TRUE(whole.result);
  EXPECT_EQ(from_payload<std::string>(*whole.result), handle.result());
}

TEST_P(StandaloneLive, ItIsTriedAgainAndFailsAsItDoes) {
  registry().add_activity<&fail_twice>().add_activity<&refuse>();
  start_worker();
  StartActivityOptions options = activity();
  options.retry_policy = RetryPolicy{.initial_interval = 10ms};
  EXPECT_EQ(client().execute_activity<&fail_twice>(options, "later"), 3);

  const auto refused = client().start_activity<&refuse>(activity());
  const ActivityFailureError error = failure_of(refused);
  EXPECT_THAT(error.what(), HasSubstr("never"));
  ASSERT_NE(dynamic_cast<const ApplicationError*>(error.cause()), nullptr);
  EXPECT_EQ(dynamic_cast<const ApplicationError*>(error.cause())->type(), "No");
  const auto described = refused.describe({.include_outcome = true, .include_last_failure = true});
  EXPECT_EQ(described.status, ActivityExecutionStatus::kFailed);
  ASSERT_NE(described.outcome_failure, nullptr);
  EXPECT_THAT(described.outcome_failure->what(), HasSubstr("never"));
}

TEST_P(StandaloneLive, ItStopsWhenItIsAskedTo) {
  registry().add_activity<&beat>();
  worker_options().max_heartbeat_throttle_interval = 50ms;
  start_worker();
  StartActivityOptions options = activity();
  options.heartbeat_timeout = 500ms;
  const auto handle = client().start_activity<&beat>(options);
  eventually([&] { return handle.describe().run_state == PendingActivityState::kStarted; },
             "the start");
  handle.cancel("enough");
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(handle).cause()), nullptr);
  const auto described = handle.describe();
  EXPECT_EQ(described.status, ActivityExecutionStatus::kCanceled);
  EXPECT_EQ(described.canceled_reason, "enough");

  const auto ended = client().start_activity<&beat>([&] {
    StartActivityOptions other = activity();
    other.heartbeat_timeout = 500ms;
    return other;
  }());
  ended.terminate("at once");
  EXPECT_NE(dynamic_cast<const TerminatedError*>(failure_of(ended).cause()), nullptr);
  EXPECT_EQ(ended.describe().status, ActivityExecutionStatus::kTerminated);
}

TEST_P(StandaloneLive, ATimeoutEndsIt) {
  StartActivityOptions options = activity();
  options.task_queue = absl::StrCat(queue(), "-deserted");
  options.schedule_to_start_timeout = 100ms;
  const ActivityFailureError error = failure_of(client().start_activity<&nothing>(options));
  const auto* timeout = dynamic_cast<const TimeoutError*>(error.cause());
  ASSERT_NE(timeout, nullptr) << error.what();
  EXPECT_EQ(timeout->type(), TimeoutType::kScheduleToStart);
}

TEST_P(StandaloneLive, ThePoliciesSayWhatBecomesOfAnIdThatIsTaken) {
  registry().add_activity<&nothing>();
  StartActivityOptions options = activity();
  options.schedule_to_close_timeout = 1min;
  const auto first = client().start_activity<&nothing>(options);
  try {
    client().start_activity<&nothing>(options);
    FAIL() << "two of one id";
  } catch (const ActivityAlreadyStartedError& error) {
    EXPECT_EQ(error.activity_id(), options.id);
    EXPECT_EQ(error.run_id(), first.run_id());
  }
  options.id_conflict_policy = ActivityIdConflictPolicy::kUseExisting;
  EXPECT_EQ(client().start_activity<&nothing>(options).run_id(), first.run_id());
  start_worker();
  first.result();
  options.id_conflict_policy = ActivityIdConflictPolicy::kFail;
  options.id_reuse_policy = ActivityIdReusePolicy::kRejectDuplicate;
  EXPECT_THROW((void)client().start_activity<&nothing>(options), ActivityAlreadyStartedError);
  options.id_reuse_policy = ActivityIdReusePolicy::kAllowDuplicate;
  EXPECT_NE(client().start_activity<&nothing>(options).run_id(), first.run_id());
}

TEST_P(StandaloneLive, ItsOptionsChangeWhileItWaits) {
  registry().add_activity<&nothing>();
  StartActivityOptions options = activity();
  options.schedule_to_close_timeout = 1min;
  const auto handle = client().start_activity<&nothing>(options);
  const ActivityExecutionOptions changed = handle.update_options(
      {.start_to_close_timeout = 7s, .priority = Priority{.priority_key = 4}});
  EXPECT_EQ(changed.start_to_close_timeout, Duration(7s));
  EXPECT_EQ(changed.priority.priority_key, 4);
  EXPECT_EQ(changed.task_queue, queue());
  EXPECT_EQ(handle.describe().start_to_close_timeout, Duration(7s));
  EXPECT_EQ(handle.restore_original_options().start_to_close_timeout, Duration(20s));
  EXPECT_THROW((void)handle.update_options({}), std::invalid_argument);

  handle.pause("a moment");
  EXPECT_EQ(handle.describe().run_state, PendingActivityState::kPaused);
  handle.unpause("go on");
  start_worker();
  handle.result();
}

TEST_P(StandaloneLive, ListsFindThem) {
  registry().add_activity<&nothing>();
  start_worker();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const auto handle = client().start_activity<&nothing>(activity());
    handle.result();
    ids.push_back(handle.id());
  }
  const std::string query = absl::StrCat("TaskQueue = '", queue(), "'");
  eventually([&] { return client().count_activities(query).count == 3; }, "the count");
  std::vector<std::string> found;
  for (const ActivityExecution& each : client().list_activities(query, {.page_size = 2})) {
    found.push_back(each.id);
    EXPECT_EQ(each.activity_type, "nothing");
    EXPECT_EQ(each.status, ActivityExecutionStatus::kCompleted);
  }
  EXPECT_THAT(found, testing::UnorderedElementsAreArray(ids));
  const auto groups = client().count_activities(query + " GROUP BY ExecutionStatus").groups;
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(std::get<std::string>(groups[0].values.at(0)), "Completed");
}

TEST_P(StandaloneLive, AnotherMayCompleteIt) {
  registry().add_activity<&beat>();
  StartActivityOptions options = activity();
  options.schedule_to_close_timeout = 1min;
  const auto handle = client().start_activity<int>("nobody's", options);
  client().get_async_activity_handle("", handle.run_id(), handle.id()).complete(5);
  EXPECT_EQ(handle.result(), 5);
}

TEST_P(StandaloneLive, WhatCannotBeIsRefused) {
  const auto refusal = [&](const auto& change) {
    StartActivityOptions options = activity();
    change(options);
    try {
      (void)client().start_activity<&nothing>(options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal([](auto& o) { o.id.clear(); }), HasSubstr("needs an id"));
  EXPECT_THAT(refusal([](auto& o) { o.task_queue.clear(); }), HasSubstr("needs a task_queue"));
  EXPECT_THAT(refusal([](auto& o) { o.start_to_close_timeout = {}; }),
              HasSubstr("start_to_close_timeout or a schedule_to_close_timeout"));
  EXPECT_THAT(refusal([](auto& o) { o.start_delay = -1s; }), HasSubstr("start_delay"));
  try {
    client().get_activity_handle<int>("no-such-activity").result();
    FAIL() << "there is one";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("no-such-activity"));
  }
}

}  // namespace
}  // namespace chimera::live
