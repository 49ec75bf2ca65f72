#include "core/workflow/task_handler.h"

#include <deque>

#include <gtest/gtest.h>

#include "core/workflow/run_cache.h"
#include "history_builder.h"

namespace chimera::core::testing {
namespace {

using api::workflowservice::v1::RespondQueryTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskFailedRequest;

// The world of a handler. What is asked of it waits until the test says so; each thing is noted in
// `log`.
class World : public TaskHandlerIo,
              public TaskHandlerObserver,
              public WorkflowLanguage,
              public base::Clock {
 public:
  void respond_completed(std::shared_ptr<RespondWorkflowTaskCompletedRequest> request,
                         Done<CompletedReply> done) override {
    log.push_back("complete " + request->task_token());
    completions.push_back(std::move(done));
  }
  void respond_failed(std::unique_ptr<RespondWorkflowTaskFailedRequest> request,
                      absl::AnyInvocable<void(absl::Status) &&> done) override {
    log.push_back("fail " + request->task_token() + ": " + request->failure().message());
    posted.push_back([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
  }
  void respond_query(std::unique_ptr<RespondQueryTaskCompletedRequest> request,
                     absl::AnyInvocable<void(absl::Status) &&>) override {
    log.push_back("answer " + request->task_token());
    answer = *request;
  }
  void fetch_history(const api::common::v1::WorkflowExecution& execution, std::string,
                     Done<HistoryReply> done) override {
    log.push_back("fetch " + execution.run_id());
    pages.push_back(std::move(done));
  }
  void start_local_activity(LocalActivityStart start,
                            absl::AnyInvocable<void(LocalActivityOutcome) &&> done) override {
    log.push_back("local " + start.activity->activity_type);
    locals.push_back(std::move(done));
  }
  void cancel_local_activity(const RunContext&, std::uint32_t seq) override {
    log.push_back("stop local " + std::to_string(seq));
  }
  void wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) override {
    wakes.emplace_back(time_ + delay, std::move(wake));
  }
  void post(absl::AnyInvocable<void() &&> work) override { posted.push_back(std::move(work)); }

  const LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<WorkflowInstance>> create(const RunContext& run) override;
  void cache_hit(const std::string&) override { ++hits; }
  base::WallTime now() const override { return {}; }
  base::SteadyTime steady() const override { return time_; }
  // Time passes; timers that are due fire.
  void pass(std::chrono::nanoseconds time) {
    time_ += time;
    for (auto& [due, wake] : std::exchange(wakes, {})) {
      if (due > time_) {
        wakes.emplace_back(due, std::move(wake));
      } else {
        std::move(wake)();
      }
    }
  }

  void run_posted() {
    while (!posted.empty()) {
      auto work = std::move(posted.front());
      posted.pop_front();
      std::move(work)();
    }
  }
  // The server takes the oldest completion.
  void accept(std::shared_ptr<CompletedReply> reply = std::make_shared<CompletedReply>()) {
    auto done = std::move(completions.front());
    completions.pop_front();
    std::move(done)(std::move(reply));
  }
  std::string take_log() {
    std::string text;
    for (const std::string& line : log) text += (text.empty() ? "" : "; ") + line;
    log.clear();
    return text;
  }

  std::vector<std::string> log;
  std::deque<Done<CompletedReply>> completions;
  std::deque<Done<HistoryReply>> pages;
  std::deque<absl::AnyInvocable<void() &&>> posted;
  std::deque<absl::AnyInvocable<void(LocalActivityOutcome) &&>> locals;
  std::deque<std::pair<base::SteadyTime, absl::AnyInvocable<void() &&>>> wakes;
  std::deque<ActivationDone> held;
  bool hold = false;             // The language takes its time.
  bool asks_for_local = false;   // Each run begins with a local activity.
  std::size_t result_bytes = 0;  // Of queries.
  RespondQueryTaskCompletedRequest answer;
  std::size_t bytes = 0;
  int hits = 0;

 private:
  LanguageIdentity identity_{"test-sdk", "1.0", "TestSDK"};
  base::SteadyTime time_{};
};

class Instance : public WorkflowInstance {
 public:
  Instance(World& world, std::string run_id) : world_(world), run_id_(std::move(run_id)) {}
  ~Instance() override { world_.log.push_back("gone " + run_id_); }
  std::optional<Completion> activate(std::shared_ptr<const Activation> activation,
                                     ActivationDone done) override {
    const Job& first = activation->jobs.front();
    if (const auto* evict = std::get_if<RemoveFromCache>(&first)) {
      world_.log.push_back("evict " + run_id_ + " " +
                           std::to_string(static_cast<int>(evict->reason)));
    } else {
      world_.log.push_back("activate " + run_id_);
    }
    if (world_.hold) {
      world_.held.push_back(std::move(done));
      return std::nullopt;
    }
    Completion::Success success;
    if (world_.asks_for_local && std::holds_alternative<InitializeWorkflow>(first)) {
      ScheduleLocalActivity local{1};
      local.activity_type = "quick";
      success.commands.push_back(Command{std::move(local)});
    }
    if (const auto* query = std::get_if<QueryWorkflow>(&first)) {
      api::common::v1::Payload result;
      result.set_data(std::string(world_.result_bytes, 'x'));
      success.commands.push_back(Command{RespondToQuery{query->query_id, std::move(result)}});
    }
    return Completion{std::move(success)};
  }
  std::size_t memory_bytes() const override { return world_.bytes; }

 private:
  World& world_;
  std::string run_id_;
};

absl::StatusOr<std::unique_ptr<WorkflowInstance>> World::create(const RunContext& run) {
  return std::make_unique<Instance>(*this, run.run_id);
}

class TaskHandlerTest : public ::testing::Test {
 protected:
  explicit TaskHandlerTest(std::size_t runs_max = 2, std::size_t bytes_max = 1 << 20) {
    TaskHandlerOptions options;
    options.cached_runs_max = runs_max;
    options.cached_bytes_max = bytes_max;
    options.known_types = "Test";
    options.language_of = [this](const std::string& type) {
      return type == "Test" ? &world_ : nullptr;
    };
    handler_ = std::make_unique<TaskHandler>(std::move(options), world_, world_, world_);
  }
  ~TaskHandlerTest() override {
    world_.hold = false;
    handler_->begin_drain();
    while (!world_.completions.empty()) world_.accept();
    world_.run_posted();
    EXPECT_TRUE(handler_->drained());
  }

  // A run's first task; `token` is also its run id.
  static std::shared_ptr<HistoryBuilder::Poll> first_task(const std::string& token) {
    auto poll = HistoryBuilder().task_started().poll();
    poll->set_task_token(token);
    poll->mutable_workflow_execution()->set_run_id(token);
    return poll;
  }
  // Its second one: a signal came.
  static std::shared_ptr<HistoryBuilder::Poll> second_task(const std::string& run,
                                                           const std::string& token) {
    auto poll = HistoryBuilder().task().signal("go").task_started().poll(4);
    poll->set_task_token(token);
    poll->mutable_workflow_execution()->set_run_id(run);
    return poll;
  }
  static std::shared_ptr<HistoryBuilder::Poll> query(const std::string& run,
                                                     const std::string& token) {
    auto poll = std::make_shared<HistoryBuilder::Poll>();
    poll->set_task_token(token);
    poll->mutable_workflow_execution()->set_run_id(run);
    poll->mutable_workflow_type()->set_name("Test");
    poll->set_previous_started_event_id(3);
    poll->mutable_query()->set_query_type("q");
    return poll;
  }
  void handle(std::shared_ptr<HistoryBuilder::Poll> poll) {
    handler_->handle({std::move(poll), permit_});
  }
  // A cached run that is idle.
  void cache(const std::string& run) {
    handle(first_task(run));
    world_.accept();
    world_.log.clear();
  }

  World world_;
  std::unique_ptr<TaskHandler> handler_;
  std::shared_ptr<void> permit_ = std::make_shared<int>();
};

TEST_F(TaskHandlerTest, AnswersATaskAndLetsItsSlotGo) {
  handle(first_task("a"));
  EXPECT_EQ(world_.take_log(), "activate a; complete a");
  EXPECT_EQ(permit_.use_count(), 2);

  world_.accept();

  EXPECT_EQ(permit_.use_count(), 1);
  EXPECT_EQ(handler_->cached_runs(), 1u);
}

TEST_F(TaskHandlerTest, GoesOnWithTheTaskInTheReply) {
  handle(first_task("a"));
  world_.log.clear();
  auto reply = std::make_shared<TaskHandlerIo::CompletedReply>();
  *reply->mutable_workflow_task() = *second_task("a", "a2");

  world_.accept(reply);

  EXPECT_EQ(world_.take_log(), "activate a; complete a2");
  EXPECT_EQ(permit_.use_count(), 2);  // On the same slot.
  EXPECT_EQ(world_.hits, 1);
}

TEST_F(TaskHandlerTest, TheRunUsedLongestAgoLeavesForANewOne) {
  cache("a");
  cache("b");
  handle(query("a", "q"));
  EXPECT_EQ(world_.take_log(), "activate a; answer q");

  handle(first_task("c"));

  EXPECT_EQ(world_.take_log(), "evict b 1; gone b; activate c; complete c");
}

TEST_F(TaskHandlerTest, ANewRunWaitsWhileAllAreAtWork) {
  handle(first_task("a"));
  handle(first_task("b"));
  world_.log.clear();

  handle(first_task("c"));
  EXPECT_EQ(world_.take_log(), "");
  world_.accept();

  EXPECT_EQ(world_.take_log(), "evict a 1; gone a; activate c; complete c");
}

// It cannot leave, so it takes nobody's place.
TEST_F(TaskHandlerTest, RunsWithLocalActivitiesComeOnTopOfTheCache) {
  world_.asks_for_local = true;
  handle(first_task("a"));
  handle(first_task("b"));
  handle(first_task("c"));
  EXPECT_EQ(world_.take_log(),
            "activate a; local quick; activate b; local quick; activate c; local quick");
  EXPECT_EQ(handler_->cached_runs(), 3u);

  for (int i = 0; i < 3; ++i) {
    auto done = std::move(world_.locals.front());
    world_.locals.pop_front();
    std::move(done)(LocalActivityOutcome{});
    world_.accept();
  }

  EXPECT_EQ(world_.take_log(),
            "activate a; complete a; activate b; complete b; activate c; complete c; evict a 1; "
            "gone a");
}

TEST_F(TaskHandlerTest, AHeartbeatGoesOutWhenTheTasksTimeIsNearlyOver) {
  world_.asks_for_local = true;
  handle(first_task("a"));
  world_.pass(std::chrono::seconds(7));
  EXPECT_EQ(world_.take_log(), "activate a; local quick");

  world_.pass(std::chrono::seconds(1));
  EXPECT_EQ(world_.take_log(), "complete a");
  auto reply = std::make_shared<TaskHandlerIo::CompletedReply>();
  *reply->mutable_workflow_task() = *second_task("a", "a2");
  world_.accept(reply);
  world_.log.clear();
  world_.pass(std::chrono::seconds(8));
  EXPECT_EQ(world_.take_log(), "complete a2");

  auto done = std::move(world_.locals.front());
  std::move(done)(LocalActivityOutcome{});
  world_.accept();
}

TEST_F(TaskHandlerTest, AQueryResultThatIsTooLargeIsRefusedAtOnce) {
  cache("a");
  world_.result_bytes = std::size_t{5} << 20;

  handle(query("a", "q"));

  EXPECT_EQ(world_.take_log(), "activate a; answer q");
  EXPECT_EQ(world_.answer.completed_type(), enums::QUERY_RESULT_TYPE_FAILED);
  EXPECT_NE(world_.answer.error_message().find("[TMPRL1103] the query's result: 5242"),
            std::string::npos)
      << world_.answer.error_message();
}

TEST_F(TaskHandlerTest, WhileARunIsAtWorkOnlyTheNewestTaskWaitsButEveryQuery) {
  handle(first_task("a"));
  world_.log.clear();
  auto early = query("a", "q1");
  early->set_previous_started_event_id(7);
  handle(early);
  handle(second_task("a", "old"));
  handle(second_task("a", "new"));
  auto late = query("a", "q2");
  late->set_previous_started_event_id(7);
  handle(late);
  EXPECT_EQ(world_.take_log(), "");

  world_.accept();

  EXPECT_EQ(world_.take_log(), "activate a; complete new");
  world_.accept();
  EXPECT_EQ(world_.take_log(), "activate a; answer q1; activate a; answer q2");
}

// Other workers had the run meanwhile: what is cached is old, but the task is not lost.
TEST_F(TaskHandlerTest, AGapInHistoryStartsTheRunAnew) {
  cache("a");
  auto late = HistoryBuilder().task().task().signal("go").task_started().poll(7);
  late->set_task_token("late");
  late->mutable_workflow_execution()->set_run_id("a");

  handle(late);

  EXPECT_EQ(world_.take_log(), "evict a 2; gone a; fetch a");
  auto reply = std::make_shared<TaskHandlerIo::HistoryReply>();
  *reply->mutable_history() = HistoryBuilder().task().task().signal("go").poll()->history();
  std::move(world_.pages.front())(reply);
  EXPECT_EQ(world_.take_log(), "activate a; activate a; complete late");
}

TEST_F(TaskHandlerTest, AnUnknownTypeFailsTheTaskAndNamesWhatIsKnown) {
  auto poll = first_task("a");
  poll->mutable_workflow_type()->set_name("Other");

  handle(poll);

  EXPECT_EQ(
      world_.take_log(),
      "fail a: Workflow class Other is not registered on this worker, available workflows: Test");
  EXPECT_EQ(handler_->cached_runs(), 0u);
}

TEST_F(TaskHandlerTest, TheLanguageMayAnswerLater) {
  world_.hold = true;
  handle(first_task("a"));
  EXPECT_EQ(world_.take_log(), "activate a");

  std::move(world_.held.front())(Completion{Completion::Success{}});
  EXPECT_EQ(world_.take_log(), "");  // It came on some thread: the lane takes it up by itself.
  world_.run_posted();

  EXPECT_EQ(world_.take_log(), "complete a");
}

TEST_F(TaskHandlerTest, ATaskForARunThatIsBeingEvictedStartsItAnew) {
  cache("a");
  cache("b");
  world_.hold = true;
  handle(first_task("c"));
  EXPECT_EQ(world_.take_log(), "evict a 1");

  handle(first_task("a"));
  world_.hold = false;
  std::move(world_.held.front())(Completion{Completion::Success{}});
  world_.run_posted();

  EXPECT_EQ(world_.take_log(),
            "gone a; evict b 1; gone b; activate c; complete c; activate a; complete a");
}

TEST_F(TaskHandlerTest, DrainsWhatIsIdleAtOnceAndTheRestWhenItIs) {
  cache("a");
  handle(first_task("b"));
  world_.log.clear();

  handler_->begin_drain();
  EXPECT_EQ(world_.take_log(), "evict a 5; gone a");
  EXPECT_FALSE(handler_->drained());
  world_.accept();

  EXPECT_EQ(world_.take_log(), "evict b 5; gone b");
  EXPECT_TRUE(handler_->drained());
}

class NoCacheTest : public TaskHandlerTest {
 protected:
  NoCacheTest() : TaskHandlerTest(/*runs_max=*/0) {}
};

TEST_F(NoCacheTest, EvictsAfterEachTask) {
  handle(first_task("a"));
  handle(first_task("b"));
  world_.log.clear();

  world_.accept();

  EXPECT_EQ(world_.take_log(), "evict a 1; gone a");
}

class BytesTest : public TaskHandlerTest {
 protected:
  BytesTest() : TaskHandlerTest(/*runs_max=*/100, /*bytes_max=*/100'000) {}
};

TEST_F(BytesTest, EvictsWhenTheRunsHoldTooMuch) {
  world_.bytes = 45'000;
  cache("a");
  cache("b");
  handle(first_task("c"));
  world_.log.clear();

  world_.accept();

  EXPECT_EQ(world_.take_log(), "evict a 1; gone a");
}

TEST(RunCacheTest, CountsBytesAndKeepsTheOrderOfUse) {
  RunCache<int> cache(/*runs_max=*/2, /*bytes_max=*/10);
  cache.insert("a", std::make_shared<int>(1));
  cache.insert("b", std::make_shared<int>(2));
  EXPECT_FALSE(cache.has_room());
  ASSERT_NE(cache.find("a"), nullptr);  // From here, b is the oldest.

  EXPECT_EQ(*cache.oldest([](int) { return true; }), 2);
  EXPECT_EQ(*cache.oldest([](int one) { return one == 1; }), 1);
  cache.set_bytes("a", 6);
  cache.set_bytes("b", 5);
  EXPECT_TRUE(cache.too_many_bytes());
  cache.erase("a");
  EXPECT_EQ(cache.bytes(), 5u);
  EXPECT_TRUE(cache.has_room());
}

}  // namespace
}  // namespace chimera::core::testing
