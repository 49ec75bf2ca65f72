// What other SDKs write of local activities, and their ids.
#include "core/machines/dialect.h"

#include <string>

#include "gtest/gtest.h"

#include "core/converter/payload.h"
#include "core/machines/flags.h"

namespace chimera::core {
namespace {

using Marker = Dialect::Marker;
using namespace std::chrono_literals;

constexpr char kRun[] = "01a1fc21-604e-7dcb-a593-d0ae47facd4b";

Marker local(const std::vector<std::pair<std::string, std::string>>& details) {
  Marker marker;
  marker.set_marker_name("LocalActivity");
  for (const auto& [key, json] : details)
    *(*marker.mutable_details())[key].add_payloads() = json_payload(json);
  return marker;
}

Dialect dialect_of(const std::string& sdk) {
  Dialect dialect;
  dialect.begin(sdk, kRun, nullptr);
  return dialect;
}

TEST(DialectTest, JavaIdsAreCounted) {
  JavaIds ids(kRun);
  EXPECT_EQ(ids.number("4056699d-401f-361b-9911-d9bd7a0a41ce"), 5u);
  EXPECT_EQ(ids.number("5f755b59-9921-391f-a945-bc9195fc8abd"), 4u);
  EXPECT_EQ(ids.number("c8e28fd4-a54c-312e-9ae6-047cb87ce91a"), 0u);
  EXPECT_EQ(ids.number("my own id"), std::nullopt);
}

// Of a run that was reset no id is one of its own; looking for them must not add up.
TEST(DialectTest, JavaIdsOfAnotherRunCostNoMoreThanOne) {
  JavaIds ids(kRun);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ids.number("not of this run"), std::nullopt);
  EXPECT_EQ(ids.number("f63ecd1d-8e93-36ac-9160-22e6778269af"), std::nullopt) << "number 15000";
  EXPECT_EQ(ids.number("758d87bc-4cd3-3758-8e0a-9bd4f4990c49"), 9000u);
  EXPECT_EQ(ids.number("f63ecd1d-8e93-36ac-9160-22e6778269af"), 15000u)
      << "behind one that was found";
}

TEST(DialectTest, GoMarkersAreRead) {
  Dialect go = dialect_of("temporal-go");
  EXPECT_TRUE(go.foreign());
  const auto read = go.read_local(
      local({{"data", R"({"ActivityID":"2","ActivityType":"Flaky","ReplayTime":)"
                      R"("2026-11-21T03:18:10.711048847Z","Attempt":3,"Backoff":60000000000})"},
             {"result", "\"l!\""}}));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->activity_id, "2");
  EXPECT_EQ(read->activity_type, "Flaky");
  EXPECT_EQ(read->order, 2u);
  EXPECT_EQ(read->attempt, 3u);
  EXPECT_EQ(read->backoff, 60s);
  EXPECT_EQ(read->complete_time->time_since_epoch(), 1795231090s + 711048847ns);
  EXPECT_EQ(read->result->data(), "\"l!\"");

  const auto last = go.read_local(local({{"data", R"({"ActivityID":"2","Backoff":-1})"}}));
  EXPECT_EQ(last->backoff, std::nullopt);
}

TEST(DialectTest, JavaMarkersAreRead) {
  Dialect java = dialect_of("temporal-java");
  Marker marker = local({{"activityId", "\"4056699d-401f-361b-9911-d9bd7a0a41ce\""},
                         {"type", "\"Flaky\""},
                         {"time", "1795231414820"},
                         {"meta", R"({"firstSkd":1795231415298,"atpt":2,"backoff":61.5})"}});
  marker.mutable_failure()->set_message("no");
  const auto read = java.read_local(marker);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->order, 5u);
  EXPECT_EQ(read->activity_type, "Flaky");
  EXPECT_EQ(read->attempt, 2u);
  EXPECT_EQ(read->backoff, 61500ms);
  EXPECT_EQ(read->complete_time->time_since_epoch(), 1795231414820ms);
  EXPECT_EQ(read->original_schedule_time->time_since_epoch(), 1795231415298ms);
  EXPECT_EQ(read->failure->message(), "no");

  const auto text =
      java.read_local(local({{"activityId", "\"x\""}, {"meta", R"({"backoff":"PT1M1.5S"})"}}));
  EXPECT_EQ(text->backoff, 61500ms);
  EXPECT_EQ(text->order, kNoOrder) << "an id of its own: the markers' order has to do";
}

// The Go SDK's codecs encode every detail; values are decoded by the language.
TEST(DialectTest, GoMarkersAreDecodedButForTheirValues) {
  struct Rot : PayloadCodec {  // Its data begins with a tilde.
    absl::Status encode(Payloads&) const override { return absl::OkStatus(); }
    absl::Status decode(Payloads& payloads) const override {
      for (Payload& each : *payloads.mutable_payloads()) {
        if (each.data().starts_with("~")) each.set_data(each.data().substr(1));
      }
      return absl::OkStatus();
    }
  };
  Dialect go;
  go.begin("temporal-go", kRun, std::make_shared<Rot>());
  const auto read =
      go.read_local(local({{"data", R"(~{"ActivityID":"2"})"}, {"result", "~\"l!\""}}));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->order, 2u);
  EXPECT_EQ(read->result->data(), "~\"l!\"");

  Marker side = local({{"side-effect-id", "~1"}, {"data", "~42"}});
  side.set_marker_name("SideEffect");
  const auto plain = go.plain(side);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->details().at("side-effect-id").payloads(0).data(), "1");
  EXPECT_EQ(plain->details().at("data").payloads(0).data(), "~42");
}

TEST(DialectTest, ForeignMarkersMeanNothingInAHistoryOfOurs) {
  for (const char* sdk : {"chimera-cpp", "temporal-python", "temporal-typescript", ""}) {
    Dialect own = dialect_of(sdk);
    EXPECT_FALSE(own.foreign());
    EXPECT_FALSE(own.is_local(local({{"data", R"({"ActivityID":"2"})"}})));
    EXPECT_EQ(own.make_id(7), "7");
  }
  // Ids that Go's own cannot collide with: those are event ids.
  EXPECT_EQ(dialect_of("temporal-go").make_id(7), "chimera-7");
}

// Java's flag 2 is not the one by which Python takes all jobs of an activation as one batch.
TEST(DialectTest, FlagsOfAnotherSdksLanguageAreNotOurs) {
  const auto seen = [](const char* sdk) {
    api::history::v1::WorkflowTaskCompletedEventAttributes completed;
    completed.mutable_sdk_metadata()->set_sdk_name(sdk);
    completed.mutable_sdk_metadata()->add_lang_used_flags(2);
    Flags flags;
    flags.seen(completed);
    return flags.of_language();
  };
  EXPECT_TRUE(seen("temporal-java").empty());
  EXPECT_EQ(seen("temporal-python"), std::vector<std::uint32_t>{2});
}

}  // namespace
}  // namespace chimera::core
