#include "core/rpc/retry.h"

#include <gtest/gtest.h>

#include "core/base/server_gone.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::SteadyTime kStart{seconds(1000)};
constexpr double kMiddle = 0.5;  // No jitter.

RetryState normal_call() {
  return RetryState(retry_policy(RetryClass::kNormal, RetryOptions{}), kStart);
}
RetryState task_poll() {
  return RetryState(retry_policy(RetryClass::kTaskPoll, RetryOptions{}), kStart);
}

TEST(RetryTest, NormalCallsWaitLongerEachTimeUpToTheLimit) {
  RetryOptions options;
  options.max_elapsed_time.reset();
  RetryState state(retry_policy(RetryClass::kNormal, options), kStart);

  std::vector<std::int64_t> waits;
  while (auto delay = state.next_delay(absl::UnavailableError(""), kStart, kMiddle)) {
    waits.push_back(std::chrono::duration_cast<milliseconds>(*delay).count());
  }

  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 170, 289, 491, 835, 1419, 2413, 4103, 5000}));
  EXPECT_EQ(state.tries(), 10);
}

TEST(RetryTest, JitterIsAFifthEitherWay) {
  RetryState low = normal_call(), high = normal_call();

  EXPECT_EQ(low.next_delay(absl::UnavailableError(""), kStart, 0), milliseconds(80));
  EXPECT_EQ(high.next_delay(absl::UnavailableError(""), kStart, 1), milliseconds(120));
}

TEST(RetryTest, NormalCallsStopWhenTheNextTryWouldComeTooLate) {
  RetryState state = normal_call();

  EXPECT_FALSE(state.next_delay(absl::UnavailableError(""), kStart + milliseconds(9901), kMiddle));
}

// It may have waited at a healthy server for a minute when the connection breaks.
TEST(RetryTest, LongPollsCountFromTheirFirstFailure) {
  RetryPolicy policy = retry_policy(RetryClass::kNormal, RetryOptions{});
  policy.elapsed_from_failure = true;
  RetryState state(policy, kStart);
  const base::SteadyTime broken = kStart + seconds(60);

  EXPECT_TRUE(state.next_delay(absl::UnavailableError(""), broken, kMiddle));
  EXPECT_TRUE(state.next_delay(absl::UnavailableError(""), broken + seconds(9), kMiddle));
  EXPECT_FALSE(state.next_delay(absl::UnavailableError(""), broken + seconds(10), kMiddle));
}

// In this process no other takes its place. A worker's polls go on until it is told to end.
TEST(RetryTest, AServerThatHasEndedIsNotAskedAgain) {
  RetryState call = normal_call(), poll = task_poll();

  EXPECT_FALSE(call.next_delay(base::server_gone("it has ended"), kStart, kMiddle));
  EXPECT_TRUE(poll.next_delay(base::server_gone("it has ended"), kStart, kMiddle));
}

TEST(RetryTest, OneTryMeansOneTry) {
  RetryState state(retry_policy(RetryClass::kNone, RetryOptions{}), kStart);

  EXPECT_FALSE(state.next_delay(absl::UnavailableError(""), kStart, kMiddle));
}

TEST(RetryTest, OnlyTheListedCodesAreTriedAgain) {
  for (auto code : {absl::StatusCode::kDataLoss, absl::StatusCode::kInternal,
                    absl::StatusCode::kUnknown, absl::StatusCode::kResourceExhausted,
                    absl::StatusCode::kAborted, absl::StatusCode::kOutOfRange,
                    absl::StatusCode::kUnavailable, absl::StatusCode::kCancelled}) {
    EXPECT_TRUE(normal_call().next_delay(absl::Status(code, ""), kStart, kMiddle)) << code;
  }
  for (auto code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kDeadlineExceeded,
                    absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists,
                    absl::StatusCode::kPermissionDenied, absl::StatusCode::kFailedPrecondition,
                    absl::StatusCode::kUnimplemented, absl::StatusCode::kUnauthenticated}) {
    EXPECT_FALSE(normal_call().next_delay(absl::Status(code, ""), kStart, kMiddle)) << code;
  }
}

TEST(RetryTest, ResourceExhaustedWaitsForTheThrottle) {
  RetryState state = normal_call();

  EXPECT_EQ(state.next_delay(absl::ResourceExhaustedError("busy"), kStart, kMiddle), seconds(1));
  EXPECT_EQ(state.next_delay(absl::ResourceExhaustedError("busy"), kStart, kMiddle), seconds(2));
}

TEST(RetryTest, AMessageThatIsTooLargeStaysSo) {
  absl::Status status = absl::ResourceExhaustedError("grpc: received message larger than max (9)");

  EXPECT_TRUE(is_message_too_large(status));
  EXPECT_FALSE(normal_call().next_delay(status, kStart, kMiddle));
  EXPECT_FALSE(task_poll().next_delay(status, kStart, kMiddle));
}

TEST(RetryTest, TaskPollsNeverGiveUp) {
  RetryState state = task_poll();

  for (int i = 0; i < 1000; ++i) {
    auto delay = state.next_delay(absl::DeadlineExceededError(""), kStart + seconds(i), kMiddle);
    ASSERT_TRUE(delay);
    EXPECT_LE(*delay, seconds(10));
  }
}

// A worker that starts beside its server may come before its namespace does.
TEST(RetryTest, TaskPollsTolerateFatalCodesAtFirst) {
  base::SteadyTime until = kStart + seconds(60);
  absl::Status fatal = absl::NotFoundError("no such namespace");

  EXPECT_TRUE(task_poll().next_delay(fatal, until - seconds(1), kMiddle, until));
  EXPECT_FALSE(task_poll().next_delay(fatal, until, kMiddle, until));
}

}  // namespace
}  // namespace chimera::core
