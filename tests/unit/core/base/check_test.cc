#include "core/base/check.h"

#include <gtest/gtest.h>

namespace chimera::base {
namespace {

TEST(CheckDeathTest, NamesPlaceConditionAndDetail) {
  EXPECT_DEATH(CHIMERA_CHECK(1 > 2, "one is smaller"), "check_test.cc:.*1 > 2.*one is smaller");
}

TEST(CheckTest, SaysNothingWhenTheConditionHolds) { CHIMERA_CHECK(2 > 1, "never built"); }

}  // namespace
}  // namespace chimera::base
