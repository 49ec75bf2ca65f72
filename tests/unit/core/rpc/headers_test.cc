#include "core/rpc/headers.h"

#include <gtest/gtest.h>

namespace chimera::core {
namespace {

std::string value_of(const base::RpcMetadata& metadata, std::string_view name) {
  std::string result;
  for (const auto& [key, value] : metadata) {
    if (key == name) result += result.empty() ? value : "|" + value;
  }
  return result;
}

TEST(HeadersTest, EveryCallSaysWhoCallsAndForWhichNamespace) {
  Headers headers("temporal-python", "1.2", "", {{"team", "blue"}});

  auto metadata = headers.for_call("orders", {});

  ASSERT_TRUE(metadata.ok());
  EXPECT_EQ(value_of(*metadata, "client-name"), "temporal-python");
  EXPECT_EQ(value_of(*metadata, "client-version"), "1.2");
  EXPECT_EQ(value_of(*metadata, "temporal-namespace"), "orders");
  EXPECT_EQ(value_of(*metadata, "team"), "blue");
  EXPECT_EQ(value_of(*metadata, "authorization"), "");
}

TEST(HeadersTest, TheKeyChangesWhileRunning) {
  Headers headers("c", "1", "old", {});

  headers.set_api_key("new");

  EXPECT_EQ(value_of(*headers.for_call("", {}), "authorization"), "Bearer new");
}

TEST(HeadersTest, TheUsersAuthorizationWinsOverTheKey) {
  Headers headers("c", "1", "key", {{"authorization", "Basic x"}});

  EXPECT_EQ(value_of(*headers.for_call("", {}), "authorization"), "Basic x");
}

TEST(HeadersTest, ACallsOwnHeaderWinsOverTheUsers) {
  Headers headers("c", "1", "", {{"team", "blue"}});

  EXPECT_EQ(value_of(*headers.for_call("", {{"team", "red"}}), "team"), "red");
}

// gRPC ends the process for a header that it cannot send.
TEST(HeadersTest, WhatCannotBeSentIsAnErrorThatNamesIt) {
  Headers headers("c", "1", "", {});

  headers.set_user({{"Team", "blue"}});
  absl::Status upper_case = headers.for_call("", {}).status();
  headers.set_user({{"team", "bl\nue"}});
  absl::Status line_feed = headers.for_call("", {}).status();

  EXPECT_TRUE(absl::IsInvalidArgument(upper_case));
  EXPECT_NE(upper_case.message().find("\"Team\""), std::string::npos) << upper_case;
  EXPECT_TRUE(absl::IsInvalidArgument(line_feed));
  EXPECT_NE(line_feed.message().find("team-bin"), std::string::npos) << line_feed;
}

TEST(HeadersTest, BytesAreFineUnderABinName) {
  EXPECT_TRUE(check_metadata({{"token-bin", std::string("\0\xff", 2)}}).ok());
}

}  // namespace
}  // namespace chimera::core
