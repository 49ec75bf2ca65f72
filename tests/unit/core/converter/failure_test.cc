#include "core/converter/failure.h"

#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using google::protobuf::util::MessageDifferencer;

TEST(FailureTest, KeepsEveryFieldOfAChain) {
  api::failure::v1::Failure proto;
  proto.set_message("Activity task failed");
  proto.set_source("chimera-cpp");
  proto.mutable_activity_failure_info()->set_scheduled_event_id(5);
  proto.mutable_activity_failure_info()->mutable_activity_type()->set_name("charge_card");
  proto.mutable_activity_failure_info()->set_retry_state(
      api::enums::v1::RETRY_STATE_NON_RETRYABLE_FAILURE);
  auto& cause = *proto.mutable_cause();
  cause.set_message("declined");
  cause.set_stack_trace("at bank.cc:3");
  cause.mutable_application_failure_info()->set_type("CardDeclined");
  cause.mutable_application_failure_info()->set_non_retryable(true);
  cause.mutable_application_failure_info()->mutable_next_retry_delay()->set_seconds(3);
  *cause.mutable_application_failure_info()->mutable_details()->add_payloads() = json_payload("7");
  cause.mutable_cause()->mutable_timeout_failure_info()->set_timeout_type(
      api::enums::v1::TIMEOUT_TYPE_HEARTBEAT);

  const api::failure::v1::Failure back = to_proto(from_proto(proto));

  EXPECT_TRUE(MessageDifferencer::Equals(back, proto)) << back.DebugString();
}

TEST(FailureTest, PutsEncodedAttributesBack) {
  api::failure::v1::Failure proto;
  proto.set_message("Encoded failure");
  *proto.mutable_encoded_attributes() =
      json_payload(R"({"message":"the real one","stack_trace":"here"})");

  const FailureInfo failure = from_proto(proto);

  EXPECT_EQ(failure.message, "the real one");
  EXPECT_EQ(failure.stack_trace, "here");
}

// An exception's text may be in any encoding; a server refuses a message with such a text.
TEST(FailureTest, TextsBecomeUtf8) {
  FailureInfo failure = application_failure("K\xF6ln", "Ty\xFFpe");
  failure.source = "\xC3\xB6";
  failure.stack_trace = "at \xF6";
  failure.cause = std::make_shared<const FailureInfo>(FailureInfo{.message = "\xE2\x82"});

  const auto proto = to_proto(failure);

  EXPECT_EQ(proto.message(), "K\xEF\xBF\xBDln");
  EXPECT_EQ(proto.application_failure_info().type(), "Ty\xEF\xBF\xBDpe");
  EXPECT_EQ(proto.source(), "\xC3\xB6");
  EXPECT_EQ(proto.stack_trace(), "at \xEF\xBF\xBD");
  EXPECT_EQ(proto.cause().message(), "\xEF\xBF\xBD\xEF\xBF\xBD");
  api::failure::v1::Failure read;
  EXPECT_TRUE(read.ParseFromString(proto.SerializeAsString()));
}

TEST(FailureTest, CutsAnEndlessChain) {
  api::failure::v1::Failure proto;
  api::failure::v1::Failure* at = &proto;
  for (int i = 0; i < 5000; ++i) at = at->mutable_cause();

  const FailureInfo failure = from_proto(proto);

  int depth = 0;
  for (const FailureInfo* level = &failure; level != nullptr; level = level->cause.get()) ++depth;
  EXPECT_EQ(depth, 101);
}

}  // namespace
}  // namespace chimera::core
