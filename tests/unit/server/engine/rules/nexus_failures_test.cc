#include "server/engine/rules/nexus_failures.h"

#include <gtest/gtest.h>

namespace chimera::server {
namespace {

nexus::Failure of_type(const std::string& type, const std::string& details) {
  nexus::Failure failure;
  failure.set_message("message");
  failure.set_stack_trace("stack");
  (*failure.mutable_metadata())["type"] = type;
  failure.set_details(details);
  return failure;
}

TEST(NexusFailuresTest, ATemporalFailureComesOutOfItsDetails) {
  const auto failure = from_nexus(
      of_type("temporal.api.failure.v1.Failure",
              R"({"message": "not this", "applicationFailureInfo": {"type": "T"}, "new": 1})"));

  ASSERT_TRUE(failure.ok()) << failure.status();
  EXPECT_EQ(failure->message(), "message");
  EXPECT_EQ(failure->stack_trace(), "stack");
  EXPECT_EQ(failure->application_failure_info().type(), "T");
}

TEST(NexusFailuresTest, WhatIsUnknownIsKeptInTheDetails) {
  nexus::Failure unknown = of_type("other", R"({"b": [1, 2],  "a": "x y"})");
  unknown.mutable_cause()->set_message("why");

  const auto failure = from_nexus(unknown);

  ASSERT_TRUE(failure.ok()) << failure.status();
  EXPECT_EQ(failure->application_failure_info().type(), "NexusFailure");
  EXPECT_EQ(failure->application_failure_info().details().payloads(0).data(),
            R"({"metadata":{"type":"other"},"details":{"b":[1,2],"a":"x y"},)"
            R"("cause":{"message":"why"}})");
  EXPECT_EQ(failure->cause().message(), "why");
}

TEST(NexusFailuresTest, OperationAndHandlerErrors) {
  auto failure = from_nexus(of_type("nexus.OperationError", R"({"state": "canceled"})"));
  EXPECT_TRUE(failure->has_canceled_failure_info());
  failure = from_nexus(of_type("nexus.OperationError", R"({"state": "failed"})"));
  EXPECT_EQ(failure->application_failure_info().type(), "OperationError");
  failure = from_nexus(
      of_type("nexus.HandlerError", R"({"type": "INTERNAL", "retryableOverride": false})"));
  EXPECT_EQ(failure->nexus_handler_failure_info().type(), "INTERNAL");
  EXPECT_FALSE(is_retryable(*failure));
}

TEST(NexusFailuresTest, DetailsThatLieAreRefused) {
  for (const char* type :
       {"temporal.api.failure.v1.Failure", "nexus.OperationError", "nexus.HandlerError"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(from_nexus(of_type(type, "{no json")).status())) << type;
    EXPECT_FALSE(from_nexus(of_type(type, "[1]")).ok()) << type;
  }
}

TEST(NexusFailuresTest, SomeErrorsAreTriedAgain) {
  for (const char* type : {"INTERNAL", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "UPSTREAM_TIMEOUT",
                           "REQUEST_TIMEOUT", "SOMETHING_NEW", ""})
    EXPECT_TRUE(is_retryable(handler_failure(type, ""))) << type;
  for (const char* type : {"BAD_REQUEST", "UNAUTHENTICATED", "UNAUTHORIZED", "NOT_FOUND",
                           "NOT_IMPLEMENTED", "CONFLICT"})
    EXPECT_FALSE(is_retryable(handler_failure(type, ""))) << type;
  failure::Failure failure = handler_failure("BAD_REQUEST", "");
  failure.mutable_nexus_handler_failure_info()->set_retry_behavior(
      enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE);
  EXPECT_TRUE(is_retryable(failure));
}

}  // namespace
}  // namespace chimera::server
