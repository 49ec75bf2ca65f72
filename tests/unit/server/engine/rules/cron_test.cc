#include "server/engine/rules/cron.h"

#include <gtest/gtest.h>

namespace chimera::server {
namespace {

// "2026-03-07T09:00:00Z", with a fraction where there is one.
WallTime at(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return WallTime{Nanos{absl::ToUnixNanos(time)}};
}

std::string text(WallTime time) {
  if (time == kNever) return "never";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ",
                          absl::FromUnixNanos(time.time_since_epoch().count()),
                          absl::UTCTimeZone());
}

std::string next(const std::string& schedule, const std::string& after) {
  const auto cron = CronSchedule::parse(schedule);
  return cron ? text(cron->next(at(after))) : "not parsed";
}

struct Case {
  const char *schedule, *after, *next;
};

// 2026-11-21 is a Saturday. robfig/cron 3.0.1 gives these times, here and in the next test.
TEST(CronScheduleTest, NextTime) {
  for (const Case& c : std::initializer_list<Case>{
           {"0 9 ? * MON", "2026-11-21T18:00:00Z", "2026-11-23T09:00:00Z"},
           {"0 9 * * *", "2026-11-21T18:00:00Z", "2026-11-22T09:00:00Z"},
           {"0 9 1 * ?", "2026-11-21T18:00:00Z", "2026-12-01T09:00:00Z"},
           {"0 9 5/9223372036854775807 * *", "2026-11-21T18:00:00Z", "2026-12-05T09:00:00Z"},
           {"0 9 1-5/2147483647 * *", "2026-11-21T18:00:00Z", "2026-12-01T09:00:00Z"},
           {"0 9 1,,2 * *", "2026-11-21T18:00:00Z", "2026-12-01T09:00:00Z"},
           {"0 9 * jan-mar *", "2026-11-21T18:00:00Z", "2027-01-01T09:00:00Z"},
           {"0 9 29 2 *", "2026-11-21T18:00:00Z", "2028-02-29T09:00:00Z"},
           {"@weekly", "2026-11-21T18:00:00Z", "2026-11-22T00:00:00Z"},
           {"@monthly", "2026-11-21T18:00:00Z", "2026-12-01T00:00:00Z"},
           {"@yearly", "2026-11-21T18:00:00Z", "2027-01-01T00:00:00Z"},
           {"CRON_TZ=Asia/Tokyo  0 9 * * *", "2026-11-21T18:00:00Z", "2026-11-22T00:00:00Z"},
           {"@every 1.5s", "2026-11-21T18:00:00.25Z", "2026-11-21T18:00:01Z"},
           {"@every 100ms", "2026-11-21T18:00:00Z", "2026-11-21T18:00:01Z"},
           {"@every 300000h", "2026-11-21T00:00:00Z", "2061-02-10T00:00:00Z"},

           {"*/15 * * * *", "2026-11-21T18:00:00Z", "2026-11-21T18:15:00Z"},
           {"*/15 * * * *", "2026-11-21T18:59:59.999Z", "2026-11-21T19:00:00Z"},
           {"5/20 3 * * *", "2026-11-21T03:05:00Z", "2026-11-21T03:25:00Z"},
           // A stepped star is a restriction: every second day, and every Monday.
           {"0 9 */2 * MON", "2026-11-23T09:00:00Z", "2026-11-25T09:00:00Z"},
           {"0 9 */2 * MON", "2026-11-29T09:00:00Z", "2026-11-30T09:00:00Z"},
           {"0 9 */1 * MON", "2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z"},
           {"0 9 1 * */2", "2026-11-24T09:00:00Z", "2026-11-26T09:00:00Z"},
           {"0 9 15 * ?", "2026-11-21T18:00:00Z", "2026-12-15T09:00:00Z"},
       }) {
    EXPECT_EQ(next(c.schedule, c.after), c.next) << c.schedule << " after " << c.after;
  }
}

// In New York the clocks go from 2:00 to 3:00 on 2027-03-14, and from 2:00 to 1:00 on 2026-11-01.
TEST(CronScheduleTest, ChangesOfTheClocks) {
  for (const Case& c : std::initializer_list<Case>{
           {"CRON_TZ=America/New_York 30 2 14 3 *", "2026-11-21T18:00:00Z", "2028-03-14T06:30:00Z"},
           {"CRON_TZ=America/New_York 30 2 * * *", "2027-03-13T12:00:00Z", "2027-03-15T06:30:00Z"},
           {"CRON_TZ=America/New_York 30 * * * *", "2027-03-14T06:30:00Z", "2027-03-14T07:30:00Z"},
           // Both copies of 1:30.
           {"CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z"},
           {"CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
           {"CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"},
           {"CRON_TZ=America/New_York * * * * *", "2026-11-01T06:10:20Z", "2026-11-01T06:11:00Z"},
           // Midnight does not come on 2026-09-06 in Santiago.
           {"CRON_TZ=America/Santiago 0 * 6 9 *", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
           {"CRON_TZ=America/Santiago 0 0 6 9 *", "2026-09-05T12:00:00Z", "2027-09-06T03:00:00Z"},
       }) {
    EXPECT_EQ(next(c.schedule, c.after), c.next) << c.schedule << " after " << c.after;
  }
}

// Never back with the clocks: a negative wait would start run after run.
TEST(CronScheduleTest, NextIsLaterAlways) {
  for (const char* schedule :
       {"CRON_TZ=Europe/Berlin */7 * * * *", "CRON_TZ=Europe/Berlin 30 2 * * *",
        "CRON_TZ=Australia/Lord_Howe 45 1 * * *", "CRON_TZ=America/Santiago 0 0 * * *",
        "@every 7s"}) {
    const auto cron = CronSchedule::parse(schedule);
    ASSERT_TRUE(cron) << schedule;
    for (const char* first :
         {"2026-03-28T00:00:00Z", "2026-04-04T00:00:00Z", "2026-09-05T00:00:00Z",
          "2026-10-24T00:00:00Z", "2026-10-03T00:00:00Z"}) {
      for (int i = 0; i < 3 * 24 * 12; ++i) {
        const WallTime now = at(first) + i * std::chrono::minutes(5) + seconds(17);
        ASSERT_GT(cron->next(now), now) << schedule << " after " << text(now);
      }
    }
  }
}

TEST(CronScheduleTest, WhatIsNoSchedule) {
  const WallTime now = at("2026-11-21T18:00:00Z");
  for (const char* bad : {"nonsense",
                          "0 9 * *",
                          "0 0 9 * * *",
                          "60 9 * * *",
                          "0 24 * * *",
                          "0 9 0 * *",
                          "0 9 32 * *",
                          "0 9 * 13 *",
                          "0 9 * * 7",
                          "0 9 * * monday",
                          "0 9 5-1 * *",
                          "0 9 1/ * *",
                          "0 9 1/0 * *",
                          "0 9 1/-1 * *",
                          "0 9 1/2/3 * *",
                          "0 9 1-2-3 * *",
                          "@Weekly",
                          "@reboot",
                          "@every",
                          "@every 5",
                          "@every inf",
                          "@every 9000000h",
                          "CRON_TZ=Nowhere 0 9 * * *",
                          "CRON_TZ=UTC"}) {
    EXPECT_EQ(CronSchedule::problem(bad, now), "invalid CronSchedule.") << bad;
  }
  for (const char* never : {"0 0 30 2 *", "0 9 , * *"}) {
    EXPECT_EQ(CronSchedule::problem(never, now),
              "invalid CronSchedule, no time can be found to satisfy the schedule")
        << never;
  }
  for (const char* good : {"", "0 9 * * *", "@every -1h"})
    EXPECT_EQ(CronSchedule::problem(good, now), "") << good;
}

struct FollowUpCase {
  const char *schedule, *previous, *now, *next;
};

// An @every schedule counts from the time that was due, however long its runs take.
TEST(CronScheduleTest, NextRunLeavesOutWhatWasMissed) {
  for (const FollowUpCase& c : std::initializer_list<FollowUpCase>{
           {"@every 60s", "2026-11-21T18:00:00Z", "2026-11-21T18:00:10Z", "2026-11-21T18:01:00Z"},
           {"@every 60s", "2026-11-21T18:00:00.3Z", "2026-11-21T18:00:10Z", "2026-11-21T18:01:00Z"},
           {"@every 60s", "2026-11-21T18:00:00Z", "2026-11-21T18:05:10Z", "2026-11-21T18:06:00Z"},
           {"@every 60s", "2026-11-21T18:00:00Z", "2026-11-21T18:05:00Z", "2026-11-21T18:05:00Z"},
           {"@every 60s", "2026-11-21T18:00:00Z", "2026-11-21T18:00:00Z", "2026-11-21T18:01:00Z"},
           {"@every 1s", "1970-01-01T00:00:00Z", "2026-11-21T18:00:00.5Z", "2026-11-21T18:00:01Z"},
           {"0 * * * *", "2026-11-21T18:00:00Z", "2026-11-21T18:10:00Z", "2026-11-21T19:00:00Z"},
           {"0 * * * *", "2026-11-21T18:00:00Z", "2026-11-21T20:10:00Z", "2026-11-21T21:00:00Z"},
           {"0 * * * *", "2026-11-21T18:00:00Z", "2026-11-21T19:00:00Z", "2026-11-21T19:00:00Z"},
           // Woken before it was due: what it waited for is still to come.
           {"0 * * * *", "2026-11-21T18:00:00Z", "2026-11-21T17:10:00Z", "2026-11-21T18:00:00Z"},
       }) {
    const auto cron = CronSchedule::parse(c.schedule);
    ASSERT_TRUE(cron) << c.schedule;
    EXPECT_EQ(text(cron->next_run(at(c.previous), at(c.now))), c.next)
        << c.schedule << " after " << c.previous << " at " << c.now;
  }
}

}  // namespace
}  // namespace chimera::server
