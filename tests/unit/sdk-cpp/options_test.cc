// Durations that no option means are refused by the option's name.
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void one_activity(const ActivityOptions& options) {
  const auto handle = workflow::start_activity<int>("a", options);
}
void one_local(const LocalActivityOptions& options) {
  const auto handle = workflow::start_local_activity<int>("a", options);
}
void one_child(const ChildWorkflowOptions& options) {
  const auto handle = workflow::start_child_workflow<int>("C", options);
}

std::function<void()> code;  // Of the workflow below.
struct Runs {
  void run() { code(); }
};
const auto kRuns = define_workflow<&Runs::run>("Runs");

std::string refusal(std::function<void()> what) {
  code = [&] {
    try {
      what();
    } catch (const std::invalid_argument& error) {
      throw ApplicationError(error.what());
    }
  };
  Driver driver(kRuns);
  const core::Completion first = driver.start();
  const auto* failed = command<core::FailWorkflowExecution>(first, 0);
  return failed == nullptr ? "" : failed->failure.message();
}

TEST(OptionsTest, ANegativeDurationIsRefusedByName) {
  EXPECT_THAT(refusal([] { one_activity({.start_to_close_timeout = -1s}); }),
              HasSubstr("ActivityOptions::start_to_close_timeout is -1s"));
  EXPECT_THAT(
      refusal([] { one_activity({.start_to_close_timeout = 1s, .heartbeat_timeout = -2s}); }),
      HasSubstr("ActivityOptions::heartbeat_timeout is -2s"));
  EXPECT_THAT(
      refusal([] { one_local({.start_to_close_timeout = 1s, .local_retry_threshold = -1s}); }),
      HasSubstr("LocalActivityOptions::local_retry_threshold is -1s"));
  EXPECT_THAT(refusal([] { one_child({.run_timeout = -1s}); }),
              HasSubstr("ChildWorkflowOptions::run_timeout is -1s"));
  EXPECT_THAT(refusal([] {
                one_activity({.start_to_close_timeout = 1s,
                              .retry_policy = RetryPolicy{.maximum_interval = -1s}});
              }),
              HasSubstr("RetryPolicy::maximum_interval is -1s"));
}

// The server would refuse them; nobody asks it about a local activity.
TEST(OptionsTest, ARetryPolicyThatCannotBeIsRefusedByName) {
  const auto refused = [](const RetryPolicy& policy) {
    return refusal([&] { one_local({.start_to_close_timeout = 1s, .retry_policy = policy}); });
  };
  EXPECT_THAT(refused({.backoff_coefficient = 0.5}),
              HasSubstr("RetryPolicy::backoff_coefficient is 0.5: it must be at least 1"));
  EXPECT_THAT(refused({.maximum_attempts = -1}), HasSubstr("RetryPolicy::maximum_attempts is -1"));
  EXPECT_THAT(refused({.initial_interval = 2s, .maximum_interval = 1s}),
              HasSubstr("RetryPolicy::maximum_interval is 1s"));
  EXPECT_EQ(refused({.initial_interval = 2s, .backoff_coefficient = 1, .maximum_interval = 2s}),
            "");
}

TEST(OptionsTest, AWeightThatIsNoneIsRefused) {
  for (const float weight :
       {-1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(refusal([&] {
                  one_activity({.start_to_close_timeout = 1s,
                                .priority = {.fairness_key = "a", .fairness_weight = weight}});
                }),
                HasSubstr("Priority::fairness_weight is "));
  }
}

// What becomes of it in nanoseconds is negative.
TEST(OptionsTest, SoIsOneThatNanosecondsCannotHold) {
  volatile std::int64_t hours = std::chrono::hours::max().count();
  const Duration wrapped(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(hours) * 3'600'000'000'000u));
  EXPECT_THAT(refusal([&] { one_activity({.schedule_to_close_timeout = wrapped}); }),
              HasSubstr("ActivityOptions::schedule_to_close_timeout is -1h; it must not be "
                        "negative, and a duration of more than 292 years has become so"));
}

}  // namespace
}  // namespace chimera::sdk
