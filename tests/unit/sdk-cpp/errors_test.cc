// What exceptions of all kinds become on the wire.
#include "chimera/errors.h"

#include <stdexcept>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/api.h"
#include "core/converter/failure_size.h"
#include "sdk-cpp/src/errors.h"

namespace chimera::sdk {
namespace {

api::failure::v1::Failure failure_of(const std::function<void()>& throws) {
  try {
    throws();
  } catch (...) {
    return current_failure(nullptr);
  }
  return {};
}
std::string description_of(const std::function<void()>& throws) {
  try {
    throws();
  } catch (...) {
    return describe_current();
  }
  return "";
}
void nest(const std::function<void()>& inner, const std::function<void()>& outer) {
  try {
    inner();
  } catch (...) {
    outer();
  }
}
const std::string& type_of(const api::failure::v1::Failure& failure) {
  return failure.application_failure_info().type();
}

TEST(ErrorsTest, ANestingExceptionKeepsItsTypeAndItsCause) {
  const auto failure = failure_of([] {
    nest([] { throw std::out_of_range("inner"); },
         [] { std::throw_with_nested(std::logic_error("outer")); });
  });
  EXPECT_EQ(type_of(failure), "std::logic_error");
  EXPECT_EQ(failure.message(), "outer");
  EXPECT_EQ(type_of(failure.cause()), "std::out_of_range");
  EXPECT_EQ(failure.cause().message(), "inner");

  EXPECT_EQ(description_of([] {
              nest([] { throw 1; }, [] { std::throw_with_nested(std::logic_error("outer")); });
            }),
            "std::logic_error: outer");
}

TEST(ErrorsTest, SoDoesAFailureThatNests) {
  const auto failure = failure_of([] {
    nest([] { throw std::out_of_range("inner"); },
         [] {
           std::throw_with_nested(
               ApplicationError("outer", {.type = "Outer", .non_retryable = true}));
         });
  });
  EXPECT_EQ(type_of(failure), "Outer");
  EXPECT_TRUE(failure.application_failure_info().non_retryable());
  EXPECT_EQ(type_of(failure.cause()), "std::out_of_range");
}

TEST(ErrorsTest, ACauseThatWasGivenComesBeforeTheNestedOne) {
  const auto failure = failure_of([] {
    nest([] { throw std::out_of_range("nested"); },
         [] {
           std::throw_with_nested(ApplicationError(
               "outer", {.cause = std::make_exception_ptr(std::domain_error("given"))}));
         });
  });
  EXPECT_EQ(failure.cause().message(), "given");
}

TEST(ErrorsTest, WhatIsNoExceptionMayNestToo) {
  const auto failure = failure_of([] {
    nest([] { throw std::out_of_range("inner"); },
         [] { std::throw_with_nested(std::string("outer")); });
  });
  EXPECT_EQ(type_of(failure), "std::string");
  EXPECT_EQ(failure.cause().message(), "inner");
}

TEST(ErrorsTest, TypesAreNamedAsPeopleWriteThem) {
  EXPECT_EQ(type_of(failure_of([] { throw std::string("text"); })), "std::string");
  EXPECT_EQ(type_of(failure_of([] { throw nullptr; })), "std::nullptr_t");
  EXPECT_EQ(description_of([] { throw nullptr; }), "an exception of type std::nullptr_t");
  EXPECT_EQ(type_of(failure_of([] { throw 42; })), "int");
  EXPECT_EQ(type_of(failure_of([] { throw "text"; })), "char const*");
}

TEST(ErrorsTest, WhatIsTooLargeIsShortenedWithANote) {
  ApplicationError error(
      std::string(2'000'000, 'm') + "\u00e9",
      {.type = "Large",
       .details = details(std::string(3'000'000, 'd')),
       .cause = std::make_exception_ptr(ApplicationError(std::string(100'000, 'c')))});
  EXPECT_GT(to_failure(error, nullptr).ByteSizeLong(), 5'000'000u);

  const auto failure = to_failure(error, nullptr, core::kFailureBytesMax);

  EXPECT_LE(failure.ByteSizeLong(), core::kFailureBytesMax);
  EXPECT_EQ(type_of(failure), "Large");
  EXPECT_THAT(failure.message(), testing::StartsWith("mmm"));
  EXPECT_THAT(failure.message(), testing::HasSubstr("... (cut: it had 2000002 bytes)"));
  EXPECT_THAT(failure.message(), testing::HasSubstr("details were left out: they had 30000"));
  EXPECT_EQ(failure.cause().message().size(), 100'000u);
}

TEST(ErrorsTest, AChainThatIsTooLongKeepsItsBeginning) {
  std::exception_ptr cause;
  for (int i = 0; i < 1000; ++i) {
    cause = std::make_exception_ptr(ApplicationError(std::string(2000, 'x'), {.cause = cause}));
  }
  const auto failure =
      to_failure(ApplicationError("first", {.cause = cause}), nullptr, core::kFailureBytesMax);
  EXPECT_LE(failure.ByteSizeLong(), core::kFailureBytesMax);
  EXPECT_EQ(failure.message(), "first");
  EXPECT_THAT(failure.ShortDebugString(), testing::HasSubstr("further causes were left out"));
}

}  // namespace
}  // namespace chimera::sdk
