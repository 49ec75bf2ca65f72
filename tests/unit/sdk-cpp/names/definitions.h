// The definitions of order.h.
#ifndef CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_DEFINITIONS_H_
#define CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_DEFINITIONS_H_

#include "tests/unit/sdk-cpp/names/order.h"

namespace chimera::names {

inline const auto kOrder = define_workflow<&Order::run>("order_v2")
                               .signal<&Order::approve>("approve_order")
                               .query<&Order::state>("order_state")
                               .update<&Order::change>("change_order");
inline constexpr auto kCharge = define_activity<&charge>("charge_card");
inline constexpr auto kRefund = define_activity<&charge>("refund_card");

}  // namespace chimera::names

#endif  // CHIMERA_TESTS_UNIT_SDK_CPP_NAMES_DEFINITIONS_H_
