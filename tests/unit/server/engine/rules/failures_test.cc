#include "server/engine/rules/failures.h"

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/base/parse.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

using testing::HasSubstr;

failure::Failure chain(int length) {
  failure::Failure failure;
  failure::Failure* one = &failure;
  for (int i = 1; i <= length; ++i) {
    one->set_message(absl::StrCat(i));
    if (i < length) one = one->mutable_cause();
  }
  return failure;
}

std::vector<std::string> messages(const failure::Failure& failure) {
  std::vector<std::string> all;
  for (const failure::Failure* one = &failure;; one = &one->cause()) {
    all.push_back(one->message());
    if (!one->has_cause()) return all;
  }
}

TEST(FailuresTest, AChainAtTheLimitIsKept) {
  failure::Failure failure = chain(kFailuresMax);

  EXPECT_FALSE(cut_failure(failure));

  EXPECT_EQ(messages(failure).size(), std::size_t{kFailuresMax});
}

TEST(FailuresTest, ALongerOneLosesItsMiddle) {
  for (const int length : {kFailuresMax + 1, kFailuresMax + 2, 1500}) {
    failure::Failure failure = chain(length);

    EXPECT_TRUE(cut_failure(failure));

    const auto all = messages(failure);
    ASSERT_EQ(all.size(), std::size_t{kFailuresMax});
    EXPECT_EQ(all[kFailuresMax - 3], absl::StrCat(kFailuresMax - 2));
    EXPECT_THAT(all[kFailuresMax - 2],
                HasSubstr(absl::StrCat("left out ", length - kFailuresMax + 1, " causes")));
    EXPECT_EQ(all[kFailuresMax - 1], absl::StrCat(length)) << "what began it all";
    EXPECT_FALSE(cut_causes(failure)) << "once is enough";
  }
}

TEST(FailuresTest, ALargeOneIsCutToWhatIsShortOfIt) {
  failure::Failure failure = chain(2);
  failure.mutable_cause()->set_stack_trace(std::string(kBlobBytesMax, 'x'));

  EXPECT_TRUE(cut_failure(failure));

  EXPECT_EQ(failure.message(), "Failure exceeds size limit.");
  EXPECT_EQ(failure.cause().message(), "1");
}

TEST(FailuresTest, WhatIsCutIsReadWithProtobufsDefaults) {
  history::History history;
  auto& event = *history.add_events();
  auto& outcome = *event.mutable_workflow_execution_update_completed_event_attributes();
  *outcome.mutable_outcome()->mutable_failure() = chain(300);
  failure::Failure& failure = *outcome.mutable_outcome()->mutable_failure();
  wf::RespondWorkflowTaskCompletedResponse reply;
  *reply.mutable_workflow_task()->mutable_history() = history;
  wf::RespondWorkflowTaskCompletedResponse read;
  EXPECT_FALSE(read.ParseFromString(reply.SerializeAsString()));
  EXPECT_TRUE(parse_deep(reply.SerializeAsString(), read));

  cut_causes(failure);
  failure::Failure* last = &failure;
  while (last->has_cause()) last = last->mutable_cause();
  auto& details = *last->mutable_application_failure_info()->mutable_details();
  (*details.add_payloads()->mutable_metadata())["encoding"] = "json/plain";
  *reply.mutable_workflow_task()->mutable_history() = history;

  EXPECT_TRUE(read.ParseFromString(reply.SerializeAsString()));
}

TEST(FailuresTest, WhatIsNoMessageIsNotRead) {
  failure::Failure failure;
  EXPECT_FALSE(parse_deep("\x0a\x7f", failure));
  EXPECT_FALSE(parse_deep(chain(3000).SerializeAsString(), failure));
}

}  // namespace
}  // namespace chimera::server
