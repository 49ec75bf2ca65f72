// What a server that runs for long must not keep: waiters, calls, task queues, bytes it wrote
// already.
#include "tests/unit/server/service/engine_fixture.h"

namespace chimera::server {
namespace {

using std::chrono::minutes;

class UpkeepTest : public EngineFixture {
 protected:
  CountingStore& store() { return static_cast<CountingStore&>(engine.store()); }
  using Wait =
      Open<wf::GetWorkflowExecutionHistoryRequest, wf::GetWorkflowExecutionHistoryResponse>;
  // Waits for the close of workflow "waited".
  void begin_wait(Wait& wait) {
    wait.request.set_namespace_("default");
    wait.request.mutable_execution()->set_workflow_id("waited");
    wait.request.set_wait_new_event(true);
    wait.request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
    begin(wait, kGetHistory);
  }
  std::size_t waiters(const std::string& run_id) {
    return peek([&](Engine& e) { return e.runs().by_id(run_id)->waiting.history.size(); });
  }
  std::size_t open_calls() {
    return peek([](Engine& e) { return e.outbox().open_calls().size(); });
  }

  using Poll = Open<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse>;
  void begin_poll(Poll& poll, const std::string& queue) {
    poll.request.set_namespace_("default");
    poll.request.mutable_task_queue()->set_name(queue);
    begin(poll, kPoll);
  }
  // One poll of the queue that its caller cancels.
  void visit(const std::string& queue) {
    Poll poll;
    begin_poll(poll, queue);
    poll.in_flight->cancel();
    EXPECT_EQ(poll.status().code(), absl::StatusCode::kCancelled);
  }
  std::size_t queues() {
    return peek([](Engine& e) { return e.matching().size(); });
  }
  std::int64_t backlog(const std::string& queue) {
    wf::DescribeTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name(queue);
    request.set_report_stats(true);
    const auto reply = call<wf::DescribeTaskQueueResponse>(method("DescribeTaskQueue"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->stats().approximate_backlog_count() : -1;
  }

  const std::string kGetHistory = method("GetWorkflowExecutionHistory");
  const std::string kPoll = method("PollWorkflowTaskQueue");
};

TEST_F(UpkeepTest, AWaitForHistoryThatIsCancelledLeavesNothingAtItsRun) {
  const std::string run_id = start("waited");
  Wait one, other;
  begin_wait(one);
  begin_wait(other);
  ASSERT_EQ(waiters(run_id), 2u);
  ASSERT_EQ(open_calls(), 2u);

  one.in_flight->cancel();

  EXPECT_EQ(one.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(waiters(run_id), 1u);
  ASSERT_TRUE(terminate("waited").ok());
  ASSERT_TRUE(other.status().ok());
  EXPECT_EQ(other.response.history().events_size(), 1) << "the other still waits for it";
}

TEST_F(UpkeepTest, AWaitForHistoryThatIsOverLeavesNothingAtItsRun) {
  const std::string run_id = start("waited");
  Wait wait;
  begin_wait(wait);
  ASSERT_EQ(waiters(run_id), 1u);

  clock.move(std::chrono::seconds{21});

  EXPECT_TRUE(wait.status().ok());
  EXPECT_EQ(wait.response.history().events_size(), 0);
  EXPECT_FALSE(wait.response.next_page_token().empty());
  EXPECT_EQ(waiters(run_id), 0u);
}

TEST_F(UpkeepTest, AnAnsweredCallIsLetGoAtOnce) {
  Poll poll;
  begin_poll(poll, "queue");
  ASSERT_EQ(open_calls(), 1u);

  start("any");

  ASSERT_TRUE(poll.status().ok());
  EXPECT_EQ(poll.response.history().events_size(), 3);
  EXPECT_EQ(open_calls(), 0u);
}

TEST_F(UpkeepTest, ATaskQueueThatNobodyPollsIsForgotten) {
  for (int i = 0; i < 20; ++i) visit(absl::StrCat("sticky-", i));
  start("stale", "left");
  start("live", "waiting");
  ASSERT_TRUE(terminate("stale").ok());
  ASSERT_EQ(queues(), 22u);

  clock.move(minutes{4});
  visit("busy");
  EXPECT_GE(queues(), 21u) << "its pollers are still described";
  clock.move(minutes{2});
  visit("busy");

  EXPECT_EQ(queues(), 2u) << "the busy one, and one with a task that waits";
}

TEST_F(UpkeepTest, ABacklogCountsWhatStillWaits) {
  for (const char* id : {"a", "b", "c"}) start(id);
  ASSERT_EQ(backlog("queue"), 3);

  ASSERT_TRUE(terminate("b").ok());

  EXPECT_EQ(backlog("queue"), 2);
}

std::size_t bytes_of(const WriteBatch& batch) {
  std::size_t bytes = 0;
  for (const auto& event : batch.events) bytes += event.history.size();
  for (const auto& run : batch.runs) bytes += run.side.size();
  for (const auto& row : batch.rows) bytes += row.key.size() + row.value.size();
  for (const auto& value : batch.values) bytes += value.key.size() + value.value.size();
  return bytes;
}

TEST_F(UpkeepTest, ASignalWritesNoOthersRequestId) {
  start("signalled");
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(signal("signalled", absl::StrCat("request-", i)).ok());

  ASSERT_TRUE(signal("signalled", "last-request").ok());

  const auto [bytes, rows] =
      peek([this](Engine&) { return std::pair(bytes_of(store().last), store().last.rows.size()); });
  EXPECT_LT(bytes, 1000u);
  EXPECT_EQ(rows, 1u);
}

// Schedules `count` activities that nobody polls for.
class ActivityUpkeepTest : public UpkeepTest {
 protected:
  void schedule(int count) {
    Poll poll;
    begin_poll(poll, "queue");
    ASSERT_TRUE(poll.status().ok());
    wf::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(poll.response.task_token());
    for (int i = 0; i < count; ++i) {
      auto& command = *request.add_commands();
      command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
      auto& activity = *command.mutable_schedule_activity_task_command_attributes();
      activity.set_activity_id(absl::StrCat(i));
      activity.mutable_activity_type()->set_name("act");
      activity.mutable_task_queue()->set_name("activities");
      activity.mutable_start_to_close_timeout()->set_seconds(30);
    }
    const auto reply = call<wf::RespondWorkflowTaskCompletedResponse>(
        method("RespondWorkflowTaskCompleted"), request);
    ASSERT_TRUE(reply.ok()) << reply.status();
  }
  std::size_t last_bytes() {
    return peek([this](Engine&) { return bytes_of(store().last); });
  }
};

TEST_F(ActivityUpkeepTest, AChangeOfOneActivityWritesNoOther) {
  start("wide");
  schedule(200);
  ASSERT_GT(last_bytes(), 10'000u);
  wf::PollActivityTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("activities");

  const auto task = call<wf::PollActivityTaskQueueResponse>(method("PollActivityTaskQueue"), poll);

  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_LT(last_bytes(), 1000u);
}

}  // namespace
}  // namespace chimera::server
