// Zones of data: against the same zones by name, and against what Go's time package makes of odd
// data.
#include "server/schedule/zone.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gtest/gtest.h>

#include "server/schedule/spec.h"

namespace chimera::server::schedule {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60, kYear2100 = 4'102'444'800;

std::string file_of(const std::string& zone) {
  std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string big(std::int64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift & 0xff);
  return out;
}

struct Type {
  std::int64_t offset;
  bool summer = false;
};

// In the form of version 2: a first part without anything, then all of it.
std::string data_of(const std::vector<Type>& types,
                    const std::vector<std::pair<std::int64_t, int>>& changes,
                    const std::string& rule) {
  std::string header = absl::StrCat("TZif2", std::string(15, '\0'));
  std::string out = absl::StrCat(header, std::string(24, '\0'), header, std::string(12, '\0'),
                                 big(static_cast<std::int64_t>(changes.size()), 4),
                                 big(static_cast<std::int64_t>(types.size()), 4), big(4, 4));
  for (const auto& [time, type] : changes) out += big(time, 8);
  for (const auto& [time, type] : changes) out += big(type, 1);
  for (const auto& type : types)
    out += absl::StrCat(big(type.offset, 4), big(type.summer, 1), big(0, 1));
  return absl::StrCat(out, "ABC", std::string(1, '\0'), "\n", rule, "\n");
}

Zone zone_of(const std::string& data) {
  absl::StatusOr<Zone> zone = Zone::of_data(data);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.ok() ? *std::move(zone) : Zone(absl::UTCTimeZone());
}

TEST(ZoneTest, OfAFileIsTheZoneOfThatName) {
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Europe/Dublin", "America/Sao_Paulo", "Asia/Kathmandu",
        "Australia/Lord_Howe", "Australia/Sydney", "Africa/Casablanca", "Pacific/Apia",
        "America/Nuuk", "Asia/Gaza", "UTC", "Etc/GMT+5"}) {
    absl::TimeZone known;
    ASSERT_TRUE(absl::LoadTimeZone(name, &known)) << name;
    const Zone by_name(known), by_data = zone_of(file_of(name));
    int compared = 0;
    for (std::int64_t time = 0; time < kYear2100; time += kDay / 4, ++compared)
      ASSERT_EQ(by_data.offset_at(time), by_name.offset_at(time)) << name << " at " << time;
    // To the second, as far as both know changes.
    std::int64_t time = 0;
    for (int i = 0; i < 200; ++i) {
      const auto change = by_data.change_after(time);
      if (!change || *change > kYear2100) break;
      ASSERT_EQ(by_data.offset_at(*change), by_name.offset_at(*change)) << name << *change;
      ASSERT_EQ(by_data.offset_at(*change - 1), by_name.offset_at(*change - 1)) << name << *change;
      ASSERT_NE(by_data.offset_at(*change), by_data.offset_at(*change - 1)) << name << *change;
      time = *change;
    }
  }
}

TEST(ZoneTest, TheRuleHoldsBehindTheLastChange) {
  const auto changes = [](const std::string& rule, int from_year) {
    const Zone zone = zone_of(data_of({{3600}}, {}, rule));
    std::int64_t time =
        absl::ToUnixSeconds(absl::FromCivil(absl::CivilYear(from_year), absl::UTCTimeZone()));
    std::string out = absl::StrCat(zone.offset_at(time));
    for (int i = 0; i < 2; ++i) {
      const auto change = zone.change_after(time);
      if (!change) break;
      time = *change;
      absl::StrAppend(
          &out,
          absl::FormatTime(" %m-%dT%H:%M:%S ", absl::FromUnixSeconds(time), absl::UTCTimeZone()),
          zone.offset_at(time));
    }
    return out;
  };
  EXPECT_EQ(changes("CET-1CEST,M3.5.0,M10.5.0/3", 2026),
            "3600 03-29T01:00:00 7200 10-25T01:00:00 3600");
  EXPECT_EQ(changes("EST5EDT", 2026), "-18000 03-08T07:00:00 -14400 11-01T06:00:00 -18000");
  EXPECT_EQ(changes("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2026),
            "39600 04-04T15:00:00 37800 10-03T15:30:00 39600");
  EXPECT_EQ(changes("AAA0BBB,J60/0,J61/0", 2028), "0 03-01T00:00:00 3600 03-01T23:00:00 0");
  EXPECT_EQ(changes("AAA0BBB,59/0,60/0", 2028), "0 02-29T00:00:00 3600 02-29T23:00:00 0");
  EXPECT_EQ(changes("AAA0BBB-2:30:30,0/0,5/-1", 2026), "9030 01-05T20:29:30 0 01-01T00:00:00 9030");
  EXPECT_EQ(changes("ABC-3", 2026), "10800");
  EXPECT_EQ(changes("ABC-3,whatever", 2026), "10800");
  // No rule: the last type goes on.
  for (const char* rule : {"", "AB-3", "ABC", "ABC-200", "ABC-3DEF,M3.5.0", "ABC-3DEF,M13.1.0,J5",
                           "ABC-3DEF,M3.5.0,M10.5.0,", "ABC-3DEF-4x", "<ABC-3"})
    EXPECT_EQ(changes(rule, 2026), "3600") << rule;
}

TEST(ZoneTest, BeforeTheFirstChangeAZoneIsGuessed) {
  const auto first = [](const std::vector<Type>& types, const std::vector<int>& used) {
    std::vector<std::pair<std::int64_t, int>> changes;
    for (const int type : used)
      changes.emplace_back(1000 * static_cast<std::int64_t>(changes.size() + 1), type);
    return zone_of(data_of(types, changes, "")).offset_at(0);
  };
  EXPECT_EQ(first({{100}, {200, true}}, {1}), 100);     // No change leads to it.
  EXPECT_EQ(first({{100}, {200, true}}, {1, 0}), 100);  // Before summer time.
  EXPECT_EQ(first({{100, true}, {200}}, {0, 1}), 200);  // What is no summer time.
  EXPECT_EQ(first({{100, true}, {200, true}}, {1, 0}), 100);
}

TEST(ZoneTest, MalformedDataIsRefusedInGosWords) {
  const std::string good = data_of({{3600}}, {{1000, 0}}, "CET-1");
  ASSERT_TRUE(Zone::of_data(good).ok());
  std::vector<std::string> bad = {"", "TZif", "TZxx" + good.substr(4), data_of({}, {}, ""),
                                  data_of({{0}}, {{0, 1}}, "")};
  std::string version4 = good;
  version4[4] = '4';
  bad.push_back(version4);
  for (std::size_t length = 0; length < good.size() - 7; ++length)
    bad.push_back(good.substr(0, length));
  for (const std::string& data : bad) {
    const absl::Status status = Zone::of_data(data).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << data.size();
    EXPECT_EQ(status.message(), "malformed time zone information");
  }
}

TEST(ZoneTest, ASpecTakesDataBeforeTheName) {
  ::temporal::api::schedule::v1::ScheduleSpec spec;
  auto& daily = *spec.add_structured_calendar();
  for (auto* field : {daily.mutable_second(), daily.mutable_minute(), daily.mutable_hour()})
    field->Add();
  daily.add_day_of_month()->set_start(1);
  daily.mutable_day_of_month(0)->set_end(31);
  daily.add_month()->set_start(1);
  daily.mutable_month(0)->set_end(12);
  daily.add_day_of_week()->set_end(6);
  spec.set_timezone_name("Nowhere/Land");
  spec.set_timezone_data(file_of("Europe/Berlin"));

  const absl::StatusOr<Spec> compiled = Spec::compile(spec);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  // March 28th and 29th 2026: the clocks go forward in the night to Sunday.
  WallTime time{std::chrono::seconds(1'774'695'601)};
  time = compiled->next("", time).nominal;
  EXPECT_EQ(time, WallTime{std::chrono::seconds(1'774'738'800)});
  EXPECT_EQ(compiled->next("", time).nominal - time, std::chrono::hours(23));

  spec.set_timezone_data("TZif");
  EXPECT_EQ(Spec::compile(spec).status().message(),
            "Invalid schedule spec: malformed time zone information");
}

}  // namespace
}  // namespace chimera::server::schedule
