// Mock, what a TestWorker runs in place of an activity, a child workflow or a Nexus operation.
//
//   auto& charge = worker.mock_activity<&charge_card>();
//   charge.throws(ApplicationError("busy")).times(2).returns("receipt-7");
//   ...
//   EXPECT_EQ(charge.times_called(), 3);
//   EXPECT_EQ(std::get<0>(charge.arguments()).cents, 500);
#ifndef CHIMERA_TESTING_MOCK_H_
#define CHIMERA_TESTING_MOCK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/definition.h"
#include "chimera/options.h"

namespace chimera {
namespace detail {

class MockCalls;  // The answers, and what was asked.

class MockBase {
 public:
  MockBase(const MockBase&) = delete;
  MockBase& operator=(const MockBase&) = delete;
  const std::string& name() const;
  // Each attempt counts. A child that is replayed does not count again.
  int times_called() const;
  // What keeps the mock from having been used as it was told: never called, or answers that are
  // left; empty when nothing does.
  std::string unmet() const;

  MockCalls& calls_of() { return *calls_; }  // For TestWorker.

 protected:
  explicit MockBase(std::shared_ptr<MockCalls> calls);
  ~MockBase();
  void add_answer(std::function<void(const PayloadList&, PayloadSink*)> answer);
  void limit_last_answer(int times);
  void delay_last_answer(Duration time);
  // Throws std::out_of_range that says how often it was called.
  std::vector<Payload> called_with(std::size_t call) const;

 private:
  const std::shared_ptr<MockCalls> calls_;  // Not shared: its type is known elsewhere only.
};

template <class T>
void read_recorded(const std::vector<Payload>& recorded, std::size_t index, T& value) {
  if (index < recorded.size()) value = from_payload<T>(recorded[index]);
}

}  // namespace detail

template <class Signature>
class Mock;

// Answers are given in the order in which they were added; the last one stays, unless times() says
// how often it may be given. A call for which there is none left fails the workflow, as unexpected
// ones do. Any thread; answers may be added while the worker runs. The worker owns its mocks.
template <class R, class... A>
class Mock<R(A...)> final : public detail::MockBase {
 public:
  explicit Mock(std::shared_ptr<detail::MockCalls> calls) : MockBase(std::move(calls)) {}

  template <class T = R>
    requires(!std::is_void_v<R>)
  Mock& returns(T value) {
    return answer([value = R(std::move(value))](const A&...) -> R { return value; });
  }
  Mock& returns()
    requires std::is_void_v<R>
  {
    return answer([](const A&...) {});
  }
  // Any exception, as the code itself would throw it: ApplicationError, std::runtime_error, ...
  template <class Error>
  Mock& throws(Error error) {
    return answer([error = std::move(error)](const A&...) -> R { throw error; });
  }
  // Called with the arguments, where the activity would run: it may call chimera::activity, and of
  // a child chimera::workflow.
  template <class F>
    requires std::is_invocable_r_v<R, F&, A&&...>
  Mock& calls(F function) {
    return answer(std::move(function));
  }
  // So often the answer that was added last; the next ones after that.
  Mock& times(int times) {
    limit_last_answer(times);
    return *this;
  }
  Mock& once() { return times(1); }
  // The answer that was added last takes so long of the server's time, which skips; timeouts count.
  // A local activity refuses it, as part of a workflow task, for which time waits.
  Mock& takes(Duration time) {
    delay_last_answer(time);
    return *this;
  }

  // Of the call of this index, from 0. Throws std::out_of_range.
  std::tuple<A...> arguments(std::size_t call = 0) const {
    const std::vector<Payload> recorded = called_with(call);
    std::tuple<A...> values{};
    std::size_t index = 0;
    std::apply([&](auto&... value) { (detail::read_recorded(recorded, index++, value), ...); },
               values);
    return values;
  }

 private:
  template <class F>
  Mock& answer(F function) {
    add_answer([function = std::make_shared<F>(std::move(function))](const PayloadList& arguments,
                                                                     PayloadSink* result) {
      auto values = detail::decode_arguments<std::tuple<A...>>(arguments);
      detail::call_into<R>(result, [&]() -> R {
        return std::apply([&](auto&... value) -> R { return (*function)(std::move(value)...); },
                          values);
      });
    });
    return *this;
  }
};

namespace detail {

template <class R, class Arguments>
struct MockTypeOf;
template <class R, class... A>
struct MockTypeOf<R, std::tuple<A...>> {
  using Type = Mock<R(A...)>;
};
// What stands in for the function or method F.
template <auto F, class = decltype(F)>
using MockOf = typename MockTypeOf<ResultOf<F>, ArgumentsOf<F>>::Type;

}  // namespace detail
}  // namespace chimera

#endif  // CHIMERA_TESTING_MOCK_H_
