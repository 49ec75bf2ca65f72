// A workflow and an activity, without a word on their names: what a caller may include alone.
#ifndef CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_ORDER_H_
#define CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_ORDER_H_

#include <string>

#include "chimera/workflow.h"

namespace chimera::names {

struct Order {
  std::string run(std::string what) { return what; }
  void approve(std::string) {}
  std::string state() const { return ""; }
  int change(int to) { return to; }
};
inline std::string charge(std::string whom) { return whom; }

// Under which names typed calls go out.
struct Names {
  std::string workflow, signal, query, update, activity;
  bool operator==(const Names&) const = default;
};
// In each translation unit its own.
[[maybe_unused]] static Names names_of_order() {
  return {.workflow = std::string(detail::workflow_name<&Order::run>()),
          .signal = std::string(detail::handler_name<&Order::approve>("order_v2")),
          .query = std::string(detail::handler_name<&Order::state>("order_v2")),
          .update = std::string(detail::handler_name<&Order::change>("order_v2")),
          .activity = std::string(detail::activity_name<&charge>())};
}

}  // namespace chimera::names

#endif  // CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_ORDER_H_
