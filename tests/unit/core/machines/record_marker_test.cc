// The markers of side effects and versions, byte by byte: as the Go SDK 1.50 and the Java SDK 1.38
// wrote them on the genuine server.
#include "core/machines/record_marker.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using Kind = Recorded::Kind;
using Marker = api::history::v1::MarkerRecordedEventAttributes;
using Written = api::command::v1::RecordMarkerCommandAttributes;

// "encoding:data" of each payload, one behind the other.
std::map<std::string, std::string> details_of(const Written& written) {
  std::map<std::string, std::string> all;
  for (const auto& [name, payloads] : written.details()) {
    for (const Payload& payload : payloads.payloads())
      all[name] += std::string(encoding_of(payload)) + ":" + payload.data() + ";";
  }
  return all;
}

Marker as_event(const Written& written) {
  Marker marker;
  marker.set_marker_name(written.marker_name());
  *marker.mutable_details() = written.details();
  return marker;
}

Marker marker(const std::string& name,
              const std::vector<std::pair<std::string, std::string>>& details) {
  Marker marker;
  marker.set_marker_name(name);
  for (const auto& [key, json] : details)
    *(*marker.mutable_details())[key].add_payloads() = json_payload(json);
  return marker;
}

Written write(const Recorded& recorded, bool listed = true) {
  Written written;
  write_record_marker(recorded, 24, listed, written);
  return written;
}

using Details = std::map<std::string, std::string>;

TEST(RecordMarkerTest, AVersionIsWrittenAsGoDoes) {
  const Written written = write({Kind::kVersion, "change-a", 2});
  EXPECT_EQ(written.marker_name(), "Version");
  EXPECT_EQ(details_of(written),
            (Details{{"change-id", "json/plain:\"change-a\";"}, {"version", "json/plain:2;"}}));
  EXPECT_EQ(details_of(write({Kind::kVersion, "a", -1}, false))["version-search-attribute-updated"],
            "json/plain:false;");
}

TEST(RecordMarkerTest, ASideEffectIsWrittenAsGoDoes) {
  const Written written = write({Kind::kSideEffect, "", 1, json_payload("42")});
  EXPECT_EQ(written.marker_name(), "SideEffect");
  EXPECT_EQ(details_of(written),
            (Details{{"side-effect-id", "json/plain:1;"}, {"data", "json/plain:42;"}}));
}

TEST(RecordMarkerTest, AMutableSideEffectIsWrittenAsGoDoes) {
  const Written written = write({Kind::kMutableSideEffect, "ms", 3, json_payload("43")});
  EXPECT_EQ(written.marker_name(), "MutableSideEffect");
  EXPECT_EQ(
      details_of(written),
      (Details{{"side-effect-id", "json/plain:\"ms_24\";"},
               {"mutable-side-effect-call-counter", "json/plain:3;"},
               {"data",
                "json/plain:\"ms\";json/protobuf:"
                R"({"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"NDM="}]};)"}}));
  EXPECT_EQ(written.details().at("data").payloads(1).metadata().at("messageType"),
            "temporal.api.common.v1.Payloads");
}

TEST(RecordMarkerTest, WhatIsWrittenIsReadAgain) {
  RecordMarkerReader reader;
  for (const Recorded& recorded :
       {Recorded{Kind::kVersion, "a \"b\"", -1},
        Recorded{Kind::kSideEffect, "", 7, json_payload("1")},
        Recorded{Kind::kMutableSideEffect, "ms", 2, bytes_payload(std::string("\0\xff", 2))}}) {
    const auto read = reader.read(as_event(write(recorded)));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->kind, recorded.kind);
    EXPECT_EQ(read->id, recorded.id);
    EXPECT_EQ(read->number, recorded.number);
    EXPECT_EQ(read->value.SerializeAsString(), recorded.value.SerializeAsString());
  }
}

TEST(RecordMarkerTest, JavaLeavesTheNumbersToTheOrder) {
  RecordMarkerReader reader;
  const auto version = reader.read(marker("Version", {{"changeId", "\"a\""}, {"version", "2"}}));
  ASSERT_TRUE(version.has_value());
  EXPECT_EQ(version->id, "a");
  EXPECT_EQ(version->number, 2);
  EXPECT_EQ(reader.read(marker("SideEffect", {{"data", "42"}}))->number, 1);
  EXPECT_EQ(reader.read(marker("SideEffect", {{"data", "43"}}))->number, 2);
  const auto of = [&](const char* id, const char* skipped) {
    return reader
        .read(marker("MutableSideEffect", {{"id", id}, {"data", "1"}, {"skipCount", skipped}}))
        ->number;
  };
  EXPECT_EQ(of("\"ms\"", "0"), 1);
  EXPECT_EQ(of("\"ms\"", "1"), 3);  // The second call changed nothing.
  EXPECT_EQ(of("\"other\"", "4"), 5);
  EXPECT_EQ(of("\"ms\"", "0"), 4);
}

TEST(RecordMarkerTest, AnOldMutableSideEffectDoesNotCountCalls) {
  Written written = write({Kind::kMutableSideEffect, "ms", 3, json_payload("43")});
  written.mutable_details()->erase("mutable-side-effect-call-counter");
  EXPECT_EQ(RecordMarkerReader().read(as_event(written))->number, 0);
}

TEST(RecordMarkerTest, WhatCannotBeReadIsNothing) {
  RecordMarkerReader reader;
  EXPECT_FALSE(reader.read(marker("Version", {{"change-id", "\"a\""}})).has_value());
  EXPECT_FALSE(reader.read(marker("Version", {{"change-id", "nonsense"}, {"version", "1"}})));
  EXPECT_FALSE(reader.read(marker("MutableSideEffect", {{"side-effect-id", "\"ms_1\""}})));
  EXPECT_FALSE(reader.read(marker("MutableSideEffect", {})));
  EXPECT_FALSE(reader.read(marker("LocalActivity", {{"data", "1"}})));
}

}  // namespace
}  // namespace chimera::core
