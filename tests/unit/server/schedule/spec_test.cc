#include "server/schedule/spec.h"

#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/schedule/canonical.h"

namespace chimera::server::schedule {
namespace {

using nlohmann::json;
namespace api = ::temporal::api::schedule::v1;

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

api::ScheduleSpec spec_of(const std::string& text) {
  api::ScheduleSpec spec;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &spec);
  EXPECT_TRUE(status.ok()) << text << status.ToString();
  return spec;
}

json json_of(const google::protobuf::Message& message) {
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &text).ok());
  return json::parse(text);
}

Spec compiled(const std::string& text) {
  absl::StatusOr<Spec> spec = Spec::compile(spec_of(text));
  EXPECT_TRUE(spec.ok()) << text << spec.status();
  return spec.ok() ? *std::move(spec) : Spec();
}

const json& vectors() {
  static const json all =
      json::parse(std::ifstream(CHIMERA_TEST_DATA "/unit/server/schedule/vectors.json"));
  return all;
}

// A genuine server's answers, recorded by record_vectors.py beside this file.
TEST(SpecTest, ErrorsAsRecorded) {
  int seen = 0;
  for (const json& vector : vectors()) {
    if (!vector.contains("error")) continue;
    ++seen;
    const absl::StatusOr<Spec> spec = Spec::compile(spec_of(vector["spec"].dump()));
    EXPECT_EQ(spec.status().message(), vector["error"].get<std::string>()) << vector["spec"];
  }
  EXPECT_GT(seen, 100);
}

TEST(SpecTest, CanonicalFormsAsRecorded) {
  int seen = 0;
  for (const json& vector : vectors()) {
    if (!vector.contains("canonical")) continue;
    ++seen;
    const absl::StatusOr<Spec> spec = Spec::compile(spec_of(vector["spec"].dump()));
    if (!spec.ok()) {
      ADD_FAILURE() << vector["spec"] << spec.status();
      continue;
    }
    api::ScheduleSpec canonical = spec->canonical();
    fill_ranges(canonical);
    EXPECT_EQ(json_of(canonical), json_of(spec_of(vector["canonical"].dump()))) << vector["spec"];
  }
  EXPECT_GT(seen, 250);
}

TEST(SpecTest, TimesAsRecorded) {
  int seen = 0;
  for (const json& vector : vectors()) {
    if (!vector.contains("asked")) continue;
    const Spec spec = compiled(vector["spec"].dump());
    for (const json& asked : vector["asked"]) {
      WallTime time = at(asked["after"]);
      std::vector<std::string> times;
      for (std::size_t i = 0; i < asked["times"].size() + 1; ++i) {
        time = spec.next("seed", time).actual;
        if (time == kNever || time > at("2060-01-01T00:00:00Z")) break;
        times.push_back(text(time));
      }
      if (asked["all"] != asked["times"].size() && !times.empty())
        times.pop_back();  // There were more than were kept.
      EXPECT_EQ(json(times), asked["times"]) << vector["spec"] << asked["after"];
      ++seen;
    }
  }
  EXPECT_GT(seen, 900);
}

// East of Greenwich, too, where the genuine server passes over the first of the two.
TEST(SpecTest, RepeatedHourComesTwiceAndASkippedOneDoesNot) {
  for (const auto& [zone, hour, first, second] :
       {std::tuple{"Europe/Berlin", 2, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
        std::tuple{"America/New_York", 1, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
        std::tuple{"Australia/Sydney", 2, "2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"}}) {
    const Spec spec = compiled(absl::StrCat(R"({"cronString": ["30 )", hour,
                                            R"( * * *"], "timezoneName": ")", zone, R"("})"));
    const WallTime before = at(first) - std::chrono::hours(3);
    EXPECT_EQ(text(spec.next("", before).actual), first);
    EXPECT_EQ(text(spec.next("", at(first)).actual), second);
    EXPECT_EQ(spec.next("", at(second)).actual - at(second), std::chrono::hours(24)) << zone;
  }
  const Spec spec = compiled(R"({"cronString": ["30 2 * * *"], "timezoneName": "Europe/Berlin"})");
  EXPECT_EQ(text(spec.next("", at("2026-03-28T12:00:00Z")).actual), "2026-03-30T00:30:00Z");
}

TEST(SpecTest, ImpossibleCalendarsEndAtOnce) {
  const Spec spec = compiled(R"({"cronString": ["0 0 31 2 *", "* * 30 feb *"],
                                 "timezoneName": "Europe/Berlin"})");
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(spec.next("", at("2026-01-01T00:00:00Z") + seconds(i)).actual, kNever);
}

// Every second is left out by one of two calendars, none of which leaves out a stretch of them.
TEST(SpecTest, SearchAmongExclusionsEnds) {
  const Spec spec = compiled(R"({"interval": [{"interval": "1s"}],
      "excludeCalendar": [{"second": "*/2", "minute": "*", "hour": "*"},
                          {"second": "1/2", "minute": "*", "hour": "*"}]})");
  bool gave_up = false;
  EXPECT_EQ(spec.next("", at("2026-01-01T00:00:00Z"), &gave_up).actual, kNever);
  EXPECT_TRUE(gave_up);
}

TEST(SpecTest, JitterStaysBelowTheGap) {
  const Spec spec = compiled(R"({"interval": [{"interval": "60s"}], "jitter": "3600s"})");
  WallTime time = at("2026-01-01T00:00:00Z"), last = time;
  std::set<Nanos> seen;
  for (int i = 0; i < 1000; ++i) {
    const Due due = spec.next("a", time);
    EXPECT_EQ(due.nominal - last, seconds(60));
    EXPECT_GE(due.actual, due.nominal);
    EXPECT_LT(due.actual - due.nominal, seconds(60));
    seen.insert(due.actual - due.nominal);
    EXPECT_EQ(spec.next("a", time).actual, due.actual);
    last = due.nominal;
    time = due.actual;
  }
  EXPECT_GT(seen.size(), 900u);
  EXPECT_NE(spec.next("a", last).actual, spec.next("b", last).actual);
}

TEST(SpecTest, JitterStaysBelowWhatIsAsked) {
  const Spec spec = compiled(R"({"interval": [{"interval": "86400s"}], "jitter": "2s"})");
  WallTime time = at("2026-01-01T00:00:00Z");
  for (int i = 0; i < 1000; ++i) {
    const Due due = spec.next("seed", time);
    EXPECT_LT(due.actual - due.nominal, seconds(2));
    time = due.nominal;
  }
}

// Times of the genuine servers 1.29 and 1.32 with seeds of theirs; and it may not move over a
// restart, or with another build.
TEST(SpecTest, JitterIsTheGenuineServers) {
  struct {
    const char *seed, *interval, *jitter, *times;
  } const recorded[] = {
      {"01a229df-08cf-7d7d-948c-1217c8ddc13e-jitter-of-a-schedule", "3600s", "3600s",
       "01-01T01:48:40.061Z 01-01T02:02:16.799Z 01-01T03:25:19.991Z"},
      {"01a229df-08cf-7d7d-948c-1217c8ddc13e-j", "3600s", "7200s",
       "01-01T01:41:06.286Z 01-01T02:51:38.724Z 01-01T03:47:02.876Z"},
      {"01a229df-0bba-76cb-9861-9d8974fb878b-ssssssssssssssssssssssssssssss", "86400s", "90s",
       "01-02T00:01:03.688Z 01-03T00:01:15.88Z 01-04T00:00:41.366Z"},
      {"01a229df-0bba-76cb-9861-9d8974fb878b-j2", "7776000s", "5184000s",
       "04-02T13:58:55.857Z 07-07T13:10:21.518Z 09-18T21:35:26.134Z"},
  };
  for (const auto& each : recorded) {
    const Spec spec = compiled(absl::StrCat(R"({"interval": [{"interval": ")", each.interval,
                                            R"("}], "jitter": ")", each.jitter, R"("})"));
    WallTime time = at("2026-01-01T00:00:00Z");
    std::string times;
    for (int i = 0; i < 3; ++i) {
      time = spec.next(each.seed, time).actual;
      absl::StrAppend(&times, i > 0 ? " " : "", text(time).substr(5));
    }
    EXPECT_EQ(times, each.times);
  }
}

TEST(SpecTest, DurationsThatAreNoneAreRefused) {
  const auto refusal = [](std::int64_t whole, std::int32_t nanos) {
    api::ScheduleSpec spec;
    auto& phase = *spec.add_interval()->mutable_phase();
    phase.set_seconds(whole);
    phase.set_nanos(nanos);
    return std::string(Spec::compile(spec).status().message());
  };
  const std::string begin = "Invalid schedule spec: phase is not a valid duration: proto: duration";
  EXPECT_EQ(refusal(1, -1),
            begin + " (seconds:1 nanos:-1) has seconds and nanos with different signs");
  EXPECT_EQ(refusal(0, 1'000'000'000), begin + " (nanos:1000000000) has out-of-range nanos");
  EXPECT_EQ(refusal(315'576'000'001, 0), begin + " (seconds:315576000001) exceeds +10000 years");
  EXPECT_EQ(refusal(-315'576'000'001, 0), begin + " (seconds:-315576000001) exceeds -10000 years");
}

TEST(SpecTest, ZonesOfOtherLibrariesAreUnknown) {
  for (const char* name : {"Fixed/UTC+01:00:00", "libc:localtime", "localtime", ":UTC"}) {
    api::ScheduleSpec spec;
    spec.set_timezone_name(name);
    EXPECT_EQ(Spec::compile(spec).status().message(),
              absl::StrCat("Invalid schedule spec: unknown time zone ", name));
  }
}

}  // namespace
}  // namespace chimera::server::schedule
