#include "server/loop/outbox.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps what it is handed until the test says what became of it.
class SlowStore : public Store {
 public:
  bool durable() const override { return true; }
  void commit(WriteBatch, Written written) override { handed.push_back(std::move(written)); }
  absl::StatusOr<StoredState> load() override { return StoredState{}; }
  std::vector<Written> handed;
};

class OutboxTest : public testing::Test {
 protected:
  CallPtr call(const std::string& name) {
    auto call = std::make_shared<Call>();
    call->deliver = [this, name](const absl::Status& status) {
      answers.push_back(absl::StrCat(name, ": ", absl::StatusCodeToString(status.code())));
      thread = std::this_thread::get_id();
    };
    return call;
  }
  std::vector<std::string> answers;
  std::thread::id thread;
};

TEST_F(OutboxTest, AnAnswerWaitsUntilTheTurnsChangesAreDurable) {
  SlowStore store;
  Outbox outbox(store);
  outbox.finish(call("a"), absl::OkStatus());
  outbox.flush({}, false);
  EXPECT_THAT(answers, IsEmpty());

  std::move(store.handed.at(0))(absl::OkStatus());

  EXPECT_THAT(answers, ElementsAre("a: OK"));
}

TEST_F(OutboxTest, WhatWasNotWrittenIsNotAcknowledged) {
  SlowStore store;
  Outbox outbox(store);
  outbox.finish(call("done"), absl::OkStatus());
  outbox.finish(call("refused"), absl::NotFoundError("gone"));
  outbox.flush({}, false);

  std::move(store.handed.at(0))(absl::UnavailableError("the disk is full"));

  EXPECT_THAT(answers, ElementsAre("done: UNAVAILABLE", "refused: NOT_FOUND"));
}

TEST_F(OutboxTest, ACallIsAnsweredOnceAndLetGo) {
  const auto store = make_memory_store();
  Outbox outbox(*store);
  const CallPtr one = call("a");
  outbox.open_calls().insert(one);

  outbox.finish(one, absl::OkStatus());
  outbox.finish(one, absl::CancelledError("late"));
  outbox.flush({}, false);

  EXPECT_THAT(answers, ElementsAre("a: OK"));
  EXPECT_THAT(outbox.open_calls(), IsEmpty());
}

TEST_F(OutboxTest, AnswersGoOutOnAnotherThreadIfAsked) {
  const auto store = make_memory_store();
  {
    Outbox outbox(*store);
    outbox.finish(call("a"), absl::OkStatus());
    outbox.flush({}, /*elsewhere=*/true);
  }  // It waits for its courier.

  EXPECT_THAT(answers, ElementsAre("a: OK"));
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST_F(OutboxTest, FollowUpsRunWithWhatTheyAdd) {
  const auto store = make_memory_store();
  Outbox outbox(*store);
  std::vector<int> ran;
  outbox.follow_up([&] {
    ran.push_back(1);
    outbox.follow_up([&] { ran.push_back(3); });
  });
  outbox.follow_up([&] { ran.push_back(2); });

  outbox.run_follow_ups();

  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_FALSE(outbox.has_follow_ups());
}

}  // namespace
}  // namespace chimera::server
