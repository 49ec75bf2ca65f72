// For tests with GoogleTest (1.11 or newer, with GoogleMock), which only this header needs: a
// fixture, and a matcher for what has failed.
//
//   class OrderTest : public chimera::WorkflowTest {};
//   TEST_F(OrderTest, IsRefusedWithoutMoney) {
//     worker.add(kOrder);
//     worker.mock_activity<&charge_card>().throws(
//         chimera::ApplicationError("no", {.type = "Broke", .non_retryable = true}));
//     EXPECT_THAT([&] { worker.execute_workflow<kOrder>(Order{}); },
//                 chimera::FailedWith<chimera::ApplicationError>("Broke"));
//   }
#ifndef CHIMERA_TESTING_GTEST_H_
#define CHIMERA_TESTING_GTEST_H_

#include <exception>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/errors.h"
#include "chimera/testing.h"

namespace chimera {

// A server whose time skips and a worker in it, new for each test. At its end the worker is
// stopped, before members of a derived fixture are destroyed, which activities may use; and the
// test fails for unexpected calls and mocks that were not used (TestWorker::unmet()).
class WorkflowTest : public ::testing::Test {
 public:
  explicit WorkflowTest(const TestEnvironmentOptions& environment = {},
                        TestWorkerOptions options = {})
      : env(environment), worker(env, std::move(options)) {}

 protected:
  void TearDown() override {
    worker.stop();
    const std::string unmet = worker.unmet();
    if (!unmet.empty()) ADD_FAILURE() << unmet;
  }

  TestEnvironment env;
  TestWorker worker;
};

namespace detail {

// Of the exceptions that clients and workflows throw; null where there is none.
inline const FailureError* cause_of(const std::exception& thrown) {
  if (const auto* one = dynamic_cast<const FailureError*>(&thrown)) return one->cause();
  if (const auto* one = dynamic_cast<const WorkflowFailureError*>(&thrown)) return one->cause();
  if (const auto* one = dynamic_cast<const WorkflowUpdateFailedError*>(&thrown))
    return one->cause();
  return nullptr;
}

template <class Error>
class FailedWithMatcher {
 public:
  using is_gtest_matcher = void;
  FailedWithMatcher(std::string type, ::testing::Matcher<std::string> message)
      : type_(std::move(type)), message_(std::move(message)) {}

  // Of code that is to fail, a handle whose result() is, or an exception.
  template <class T>
  bool MatchAndExplain(const T& subject, ::testing::MatchResultListener* listener) const {
    if constexpr (std::is_base_of_v<std::exception, T>) {
      return matches(subject, listener);
    } else {
      try {
        if constexpr (std::is_invocable_v<const T&>) {
          static_cast<void>(subject());
        } else {
          static_cast<void>(subject.result());
        }
      } catch (const std::exception& thrown) {
        return matches(thrown, listener);
      } catch (...) {
        *listener << "which threw what is no std::exception";
        return false;
      }
      *listener << "which did not fail";
      return false;
    }
  }
  void DescribeTo(std::ostream* out) const {
    *out << "fails with " << class_name<Error>();
    if (!type_.empty()) *out << " of type \"" << type_ << "\"";
    *out << ", whose message ";
    message_.DescribeTo(out);
  }
  void DescribeNegationTo(std::ostream* out) const {
    *out << "not: ";
    DescribeTo(out);
  }

 private:
  bool matches(const std::exception& thrown, ::testing::MatchResultListener* listener) const {
    *listener << "which failed with: " << chimera::describe(thrown);
    if (const auto* error = dynamic_cast<const Error*>(&thrown); error != nullptr && fits(*error))
      return true;
    if constexpr (std::is_base_of_v<FailureError, Error>) {
      for (const FailureError* at = cause_of(thrown); at != nullptr; at = at->cause()) {
        const auto* error = dynamic_cast<const Error*>(at);
        if (error != nullptr && fits(*error)) return true;
      }
    }
    return false;
  }
  bool fits(const Error& error) const {
    if constexpr (std::is_base_of_v<ApplicationError, Error>) {
      if (!type_.empty() && error.type() != type_) return false;
    }
    if constexpr (std::is_base_of_v<FailureError, Error>) return message_.Matches(error.message());
    return message_.Matches(error.what());
  }

  std::string type_;
  ::testing::Matcher<std::string> message_;
};

}  // namespace detail

// What was thrown is an Error, or has one among its causes, whose message fits.
template <class Error>
auto FailedWith(::testing::Matcher<std::string> message = ::testing::_)
  requires(!std::is_base_of_v<ApplicationError, Error>)
{
  return detail::FailedWithMatcher<Error>("", std::move(message));
}
// Of this type, such as "InsufficientFunds"; "" for any.
template <class Error>
auto FailedWith(std::string type = "", ::testing::Matcher<std::string> message = ::testing::_)
  requires(std::is_base_of_v<ApplicationError, Error>)
{
  return detail::FailedWithMatcher<Error>(std::move(type), std::move(message));
}

}  // namespace chimera

#endif  // CHIMERA_TESTING_GTEST_H_
