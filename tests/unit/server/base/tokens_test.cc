#include "server/base/tokens.h"

#include <random>

#include <gtest/gtest.h>

namespace chimera::server {
namespace {

constexpr char kRun[] = "01a1ff3b-7758-7c06-94f3-6cc3bb1daabe";

TEST(TaskTokenTest, ATaskTokenKeepsItsFields) {
  const TaskToken token{"ns", "workflow", kRun, 5, 6, 3, 1ull << 60, "query"};

  const auto read = TaskToken::decode(token.encode());

  ASSERT_TRUE(read);
  EXPECT_EQ(read->namespace_id, "ns");
  EXPECT_EQ(read->workflow_id, "workflow");
  EXPECT_EQ(read->run_id, kRun);
  EXPECT_EQ(read->scheduled_id, 5);
  EXPECT_EQ(read->started_id, 6);
  EXPECT_EQ(read->attempt, 3);
  EXPECT_EQ(read->stamp, 1ull << 60);
  EXPECT_EQ(read->query_id, "query");
}

TEST(TaskTokenTest, APageTokenKeepsItsFields) {
  const auto read = PageToken::decode(PageToken{kRun, 7, 9, true, false}.encode());

  ASSERT_TRUE(read);
  EXPECT_EQ(read->run_id, kRun);
  EXPECT_EQ(read->next_id, 7);
  EXPECT_EQ(read->end_id, 9);
  EXPECT_TRUE(read->wait);
  EXPECT_FALSE(read->worker);
}

TEST(TaskTokenTest, AListTokenKeepsItsFields) {
  const auto read =
      ListToken::decode(ListToken{true, -1, 1'767'225'600'000'000'001, kRun}.encode());

  ASSERT_TRUE(read);
  EXPECT_TRUE(read->running);
  EXPECT_EQ(read->close_time, -1);
  EXPECT_EQ(read->start_time, 1'767'225'600'000'000'001);
  EXPECT_EQ(read->run_id, kRun);
}

TEST(TaskTokenTest, NoTokenIsTakenForOneOfAnotherKind) {
  const std::string tokens[] = {TaskToken{.run_id = kRun}.encode(),
                                PageToken{.run_id = kRun}.encode(),
                                ListToken{.run_id = kRun}.encode()};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(TaskToken::decode(tokens[i]).has_value(), i == 0);
    EXPECT_EQ(PageToken::decode(tokens[i]).has_value(), i == 1);
    EXPECT_EQ(ListToken::decode(tokens[i]).has_value(), i == 2);
  }
}

TEST(TaskTokenTest, WhatIsCutOrLongerIsNone) {
  const std::string token = PageToken{kRun, 7, 9, true, false}.encode();
  for (std::size_t size = 0; size < token.size(); ++size)
    EXPECT_FALSE(PageToken::decode(token.substr(0, size))) << size;
  EXPECT_FALSE(PageToken::decode(token + "x"));
  EXPECT_FALSE(PageToken::decode(PageToken{kRun, 0, 9, true, false}.encode())) << "no event 0";
}

// Random bytes, and tokens with some bytes changed.
TEST(TaskTokenTest, OddBytesAreAnswered) {
  std::mt19937 random(20260501);
  const std::string tokens[] = {TaskToken{"ns", "workflow", kRun, 5, 6, 3, 7, "query"}.encode(),
                                PageToken{kRun, 7, 9, true, false}.encode(),
                                ListToken{true, 1, 2, kRun}.encode()};
  for (int i = 0; i < 60'000; ++i) {
    std::string bytes = tokens[i % 3];
    if (random() % 3 == 0) bytes.resize(random() % 80, '\1');
    for (unsigned n = 1 + random() % 4; n > 0 && !bytes.empty(); --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    TaskToken::decode(bytes);
    PageToken::decode(bytes);
    ListToken::decode(bytes);
  }
}

}  // namespace
}  // namespace chimera::server
