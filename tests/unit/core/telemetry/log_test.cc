#include "core/telemetry/log.h"

#include <gtest/gtest.h>

namespace chimera::core {
namespace {

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    set_log_sink([this](const LogRecord& record) { records_.push_back(record); });
    set_log_level(LogLevel::kInfo);
  }
  ~LogTest() override {
    set_log_sink({});
    set_log_level(LogLevel::kWarn);
  }
  std::vector<LogRecord> records_;
};

TEST_F(LogTest, TheSinkGetsMessageFieldsAndTime) {
  log(LogLevel::kWarn, "worker", "slow", {{"run_id", "r1"}});

  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(records_[0].message, "slow");
  EXPECT_EQ(records_[0].fields, (LogFields{{"run_id", "r1"}}));
  EXPECT_GT(records_[0].time.time_since_epoch().count(), 0);
}

TEST_F(LogTest, BelowTheLevelNothingIsSaid) {
  log(LogLevel::kDebug, "worker", "detail");

  EXPECT_TRUE(records_.empty());
  EXPECT_FALSE(log_enabled(LogLevel::kDebug));
}

// Code that replays has said it before.
TEST_F(LogTest, ReplayIsSilent) {
  log(LogRecord{.level = LogLevel::kError, .message = "again", .replaying = true});

  EXPECT_TRUE(records_.empty());
}

TEST_F(LogTest, ALineShowsFieldsThatCanBeReadBack) {
  LogRecord record{.level = LogLevel::kWarn,
                   .logger = "worker",
                   .message = "poll failed",
                   .fields = {{"code", "NOT_FOUND"}, {"why", "no \"x\"\nhere"}},
                   .time = base::WallTime(std::chrono::microseconds(1'000'000'000'123'456))};

  EXPECT_EQ(log_line(record),
            "2001-09-09T01:46:40.123456Z  WARN worker: poll failed code=NOT_FOUND "
            "why=\"no \\\"x\\\"\\nhere\"");
}

}  // namespace
}  // namespace chimera::core
