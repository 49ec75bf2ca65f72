// J: chains of runs: continue-as-new, retries, their timeouts.
#include <cmath>
#include <thread>

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

class ChainTest : public Session {
 protected:
  static void with_note_and_keyword(Start& request) {
    (*request.mutable_memo()->mutable_fields())["note"] = payload("1");
    (*request.mutable_search_attributes()->mutable_indexed_fields())["GoldKw"] = payload("\"a\"");
  }
  Command start_child_on_the_same_version() const {
    Command command = start_child(id + "-child");
    command.mutable_start_child_workflow_execution_command_attributes()->set_inherit_build_id(true);
    return command;
  }
};

TEST_F(ChainTest, can) {
  std::string first = start();
  respond(poll(), {continue_as_new("second")});

  Task task = poll(std::chrono::seconds(15));

  EXPECT_NE(task.workflow_execution().run_id(), first);
  const auto continued = last_event(first).workflow_execution_continued_as_new_event_attributes();
  EXPECT_EQ(continued.new_execution_run_id(), task.workflow_execution().run_id());
  const auto started = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.continued_execution_run_id(), first);
  EXPECT_EQ(started.first_execution_run_id(), first);
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
  EXPECT_EQ(started.input().payloads(0).data(), "\"second\"");
  respond(task, {complete_workflow()});
}

// The genuine server leaves a second between the starts of two runs of a chain; here the next one
// starts at once, so that tests need not wait.
TEST_F(ChainTest, min_interval) {
  start();
  respond(poll(), {continue_as_new("second")});
  const Task task = poll();

  const auto& started = task.history().events(0).workflow_execution_started_event_attributes();
  const std::int64_t backoff = started.first_workflow_task_backoff().seconds() * 1'000'000'000 +
                               started.first_workflow_task_backoff().nanos();
  if (target().genuine) {
    EXPECT_GT(backoff, 0);
    EXPECT_LE(backoff, 1'000'000'000);
  } else {
    EXPECT_EQ(backoff, 0);
  }
}

TEST_F(ChainTest, can_timeouts) {
  start([](Start& request) {
    request.mutable_workflow_execution_timeout()->set_seconds(30);
    request.mutable_workflow_task_timeout()->set_seconds(3);
  });
  Command longer = continue_as_new();
  auto& a = *longer.mutable_continue_as_new_workflow_execution_command_attributes();
  a.mutable_workflow_run_timeout()->set_seconds(40);
  a.mutable_workflow_task_timeout()->set_seconds(500);
  a.set_inherit_build_id(true);
  respond(poll(), {longer});
  const auto cut = poll().history().events(0).workflow_execution_started_event_attributes();

  EXPECT_EQ(cut.workflow_run_timeout().seconds(), 30);
  EXPECT_EQ(cut.workflow_task_timeout().seconds(), 30);
}

// Whether the next run wants the worker's version is kept, though no worker is versioned.
TEST_F(ChainTest, can_on_the_same_version) {
  const std::string first = start();
  Command command = continue_as_new();
  command.mutable_continue_as_new_workflow_execution_command_attributes()->set_inherit_build_id(
      true);

  respond(poll(), {start_child_on_the_same_version(), command});

  EXPECT_TRUE(
      last_event(first).workflow_execution_continued_as_new_event_attributes().inherit_build_id());
  EXPECT_TRUE(event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, first)
                  .start_child_workflow_execution_initiated_event_attributes()
                  .inherit_build_id());
}

TEST_F(ChainTest, retry_workflow) {
  std::string first = start([](Start& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_nanos(50'000'000);
    request.mutable_retry_policy()->set_maximum_attempts(2);
  });
  respond(poll(), {fail_workflow("one")});

  Task task = poll(std::chrono::seconds(15));

  const auto started = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.attempt(), 2);
  EXPECT_EQ(started.continued_failure().message(), "one");
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
  EXPECT_EQ(last_event(first).workflow_execution_failed_event_attributes().new_execution_run_id(),
            task.workflow_execution().run_id());
  respond(task, {fail_workflow("two")});
  EXPECT_EQ(wait_closed().workflow_execution_failed_event_attributes().retry_state(),
            enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

// The new run has what the command gives; the worker decides what of the old one goes on.
// Who waits for the end of a run that another follows, and does not say that it goes on there by
// itself, is told as of a run that continues as new.
TEST_F(ChainTest, close_event_for_those_who_do_not_follow) {
  const std::string first = start([](Start& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_nanos(50'000'000);
    request.mutable_retry_policy()->set_maximum_attempts(2);
  });
  respond(poll(), {fail_workflow("one")});
  Task second = poll(std::chrono::seconds(15));

  const HistoryEvent told = wait_closed(first);
  headers = {{"supported-features", "other,follows-next-run-id"}};
  const HistoryEvent as_it_is = wait_closed(first);

  EXPECT_EQ(told.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  EXPECT_EQ(told.event_id(), as_it_is.event_id());
  const auto& continued = told.workflow_execution_continued_as_new_event_attributes();
  EXPECT_EQ(continued.new_execution_run_id(), second.workflow_execution().run_id());
  EXPECT_EQ(continued.failure().message(), "one");
  EXPECT_EQ(as_it_is.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
  headers.clear();
  respond(second, {complete_workflow("two")});
  EXPECT_EQ(wait_closed().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
}

TEST_F(ChainTest, can_memo_sa) {
  start(with_note_and_keyword);
  respond(poll(), {continue_as_new()});
  Task second = poll(std::chrono::seconds(15));
  const auto without = describe().workflow_execution_info();
  Command command = continue_as_new();
  auto& a = *command.mutable_continue_as_new_workflow_execution_command_attributes();
  (*a.mutable_memo()->mutable_fields())["other"] = payload("2");
  (*a.mutable_search_attributes()->mutable_indexed_fields())["GoldInt"] = payload("3");
  respond(second, {command});
  poll(std::chrono::seconds(15));
  const auto given = describe().workflow_execution_info();

  EXPECT_EQ(without.memo().fields_size(), 0);
  EXPECT_EQ(without.search_attributes().indexed_fields_size(), 0);
  EXPECT_EQ(given.memo().fields_size(), 1);
  EXPECT_EQ(given.memo().fields().at("other").data(), "2");
  EXPECT_EQ(given.search_attributes().indexed_fields_size(), 1);
  EXPECT_EQ(given.search_attributes().indexed_fields().at("GoldInt").data(), "3");
}

// A retry starts again with what the first attempt started with.
TEST_F(ChainTest, retry_memo_sa) {
  start([](Start& request) {
    with_note_and_keyword(request);
    request.mutable_retry_policy()->mutable_initial_interval()->set_nanos(50'000'000);
  });
  Command upsert, modify;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  (*upsert.mutable_upsert_workflow_search_attributes_command_attributes()
        ->mutable_search_attributes()
        ->mutable_indexed_fields())["GoldKw"] = payload("\"b\"");
  modify.set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
  (*modify.mutable_modify_workflow_properties_command_attributes()
        ->mutable_upserted_memo()
        ->mutable_fields())["note"] = payload("2");
  respond(poll(), {upsert, modify, fail_workflow("one")});

  poll(std::chrono::seconds(15));

  const auto info = describe().workflow_execution_info();
  EXPECT_EQ(info.memo().fields().at("note").data(), "1");
  EXPECT_EQ(info.search_attributes().indexed_fields().at("GoldKw").data(), "\"a\"");
}

TEST_F(ChainTest, can_followed_result) {
  const std::string first = start();
  respond(poll(), {continue_as_new()});
  Task second = poll(std::chrono::seconds(15));
  HistoryEvent closed;
  std::thread waiter([&] { closed = wait_closed(); });
  respond(second, {complete_workflow("end")});
  waiter.join();

  const auto continued = wait_closed(first).workflow_execution_continued_as_new_event_attributes();
  EXPECT_EQ(continued.new_execution_run_id(), second.workflow_execution().run_id());
  EXPECT_EQ(wait_closed(continued.new_execution_run_id())
                .workflow_execution_completed_event_attributes()
                .result()
                .payloads(0)
                .data(),
            "\"end\"");
  EXPECT_TRUE(closed.has_workflow_execution_completed_event_attributes());
}

// The run that another follows says which, also where it timed out or failed.
TEST_F(ChainTest, retry_after_run_timeout) {
  const std::string first = start([](Start& request) {
    request.mutable_workflow_run_timeout()->set_seconds(1);
    request.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
    request.mutable_retry_policy()->set_maximum_attempts(2);
  });
  std::string run_id;
  for (int i = 0; i < 20 && (run_id.empty() || run_id == first); ++i) {
    no_task_within(milliseconds(1));
    run_id = describe().workflow_execution_info().execution().run_id();
  }
  const auto timed_out = last_event(first).workflow_execution_timed_out_event_attributes();
  EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_IN_PROGRESS);
  EXPECT_EQ(timed_out.new_execution_run_id(), run_id);
  const auto started = history(run_id).front().workflow_execution_started_event_attributes();
  EXPECT_EQ(started.attempt(), 2);
  EXPECT_TRUE(started.continued_failure().has_timeout_failure_info());

  EXPECT_EQ(wait_closed(run_id).workflow_execution_timed_out_event_attributes().retry_state(),
            enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

// The execution's timeout counts from the first run's start, and nothing follows it.
TEST_F(ChainTest, execution_timeout_chain) {
  start([](Start& request) {
    request.mutable_workflow_execution_timeout()->set_seconds(4);
    request.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
  });
  const auto expiration = history()
                              .front()
                              .workflow_execution_started_event_attributes()
                              .workflow_execution_expiration_time();
  respond(poll(), {continue_as_new()});
  const std::string second = poll(std::chrono::seconds(15)).workflow_execution().run_id();
  const auto started = history(second).front().workflow_execution_started_event_attributes();

  const HistoryEvent closed = wait_closed(second);

  EXPECT_EQ(started.workflow_execution_expiration_time().ShortDebugString(),
            expiration.ShortDebugString());
  EXPECT_EQ(started.workflow_execution_timeout().seconds(), 4);
  const auto& timed_out = closed.workflow_execution_timed_out_event_attributes();
  EXPECT_EQ(closed.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
  EXPECT_EQ(timed_out.new_execution_run_id(), "");
  EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_TIMEOUT);
  EXPECT_LE(closed.event_time().seconds() - expiration.seconds(), 3);
}

// Seconds from the first event to the first task's time.
double first_backoff(const HistoryEvent& started) {
  const auto& backoff =
      started.workflow_execution_started_event_attributes().first_workflow_task_backoff();
  return static_cast<double>(backoff.seconds()) + backoff.nanos() / 1e9;
}
double seconds_of(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() / 1e9;
}

TEST_F(ChainTest, cron_times_utc) {
  start([](Start& request) { request.set_cron_schedule("30 12 * * *"); });

  const HistoryEvent started = history().front();

  const double at = seconds_of(started.event_time()) + first_backoff(started);
  EXPECT_NEAR(std::fmod(at, 86400), 12.5 * 3600, 1.1);
  EXPECT_LE(first_backoff(started), 86401);
  EXPECT_EQ(events(), "Started") << "no task before its time";
}

TEST_F(ChainTest, cron_tz) {
  start([](Start& request) { request.set_cron_schedule("CRON_TZ=Asia/Tokyo 0 9 * * *"); });

  const HistoryEvent started = history().front();

  const double at = seconds_of(started.event_time()) + first_backoff(started);
  EXPECT_NEAR(std::fmod(at + 43200, 86400), 43200, 1.1) << "9 in Tokyo is midnight, UTC";
}

// After a failure and after a result the next run has its time, and what the one before left.
TEST_F(ChainTest, cron_failure) {
  start([](Start& request) { request.set_cron_schedule("@every 1s"); });
  respond(poll(), {complete_workflow("first")});
  Task second = poll();
  const auto after_result = history(second.workflow_execution().run_id()).front();
  respond(second, {fail_workflow("boom")});
  Task third = poll();
  const auto after_failure = history(third.workflow_execution().run_id()).front();

  const auto& result = after_result.workflow_execution_started_event_attributes();
  EXPECT_EQ(result.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  EXPECT_EQ(result.last_completion_result().payloads(0).data(), "\"first\"");
  EXPECT_FALSE(result.has_continued_failure());
  EXPECT_GT(first_backoff(after_result), 0);
  const auto& failure = after_failure.workflow_execution_started_event_attributes();
  EXPECT_EQ(failure.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  EXPECT_EQ(failure.last_completion_result().payloads(0).data(), "\"first\"")
      << "the latest there is";
  EXPECT_EQ(failure.continued_failure().message(), "boom");
  EXPECT_EQ(last_event(second.workflow_execution().run_id())
                .workflow_execution_failed_event_attributes()
                .new_execution_run_id(),
            third.workflow_execution().run_id());
}

}  // namespace
}  // namespace chimera::conformance
