#include "server/engine/rules/dynamic_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DynamicConfigTest, NamesOfTheGenuineServerSetLimits) {
  std::vector<std::string> unknown;

  auto config = parse_dynamic_config(
      {{"limit.historyCount.suggestContinueAsNew", "50"}, {"LIMIT.historySize.error", "1000"}},
      unknown);

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->suggest_events, 50);
  EXPECT_EQ(config->history_bytes_max, 1000);
  EXPECT_EQ(config->history_events_max, DynamicConfig().history_events_max);
  EXPECT_TRUE(unknown.empty());
}

TEST(DynamicConfigTest, OtherNamesAreTold) {
  std::vector<std::string> unknown;

  auto config = parse_dynamic_config({{"system.enableNexus", "true"}}, unknown);

  EXPECT_TRUE(config.ok());
  EXPECT_THAT(unknown, ElementsAre("system.enableNexus"));
}

TEST(DynamicConfigTest, AValueThatIsNoNumberIsRefusedWithAnExample) {
  for (const char* value : {"many", "", "0", "-1", "1.5"}) {
    std::vector<std::string> unknown;

    auto config = parse_dynamic_config({{"limit.historyCount.error", value}}, unknown);

    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(std::string(config.status().message()),
                HasSubstr("limit.historyCount.error=" + std::string(value) +
                          ": give a whole number above 0, such as 51200"));
  }
}

TEST(DynamicConfigTest, DurationsAreTextOrSeconds) {
  const auto heartbeats = [](const std::string& value) -> Nanos {
    std::vector<std::string> unknown;
    auto config = parse_dynamic_config({{"history.workflowTaskHeartbeatTimeout", value}}, unknown);
    return config.ok() ? config->heartbeats_max : Nanos{-1};
  };
  EXPECT_EQ(heartbeats("\"90s\""), seconds{90});
  EXPECT_EQ(heartbeats("1m30s"), seconds{90});
  EXPECT_EQ(heartbeats("90"), seconds{90});
  for (const char* wrong : {"", "\"", "soon", "0", "-1s", "1 s", "nan", "1e300"})
    EXPECT_EQ(heartbeats(wrong), Nanos{-1}) << wrong;
}

TEST(DynamicConfigTest, SwitchesAreTrueOrFalse) {
  std::vector<std::string> unknown;
  const auto pauses = [&unknown](const std::string& value) {
    return parse_dynamic_config({{"frontend.workflowPauseEnabled", value}}, unknown);
  };
  EXPECT_FALSE(parse_dynamic_config({}, unknown)->workflow_pause);
  EXPECT_TRUE(pauses("true")->workflow_pause);
  EXPECT_FALSE(pauses("false")->workflow_pause);
  EXPECT_THAT(std::string(pauses("perhaps").status().message()), HasSubstr("give true or false"));
}

}  // namespace
}  // namespace chimera::server
