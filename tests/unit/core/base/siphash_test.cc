#include "core/base/siphash.h"

#include <gtest/gtest.h>

namespace chimera::base {
namespace {

// Values recorded from the official SDK; another seed would give workflows other random numbers on
// replay.
TEST(SipHashTest, SeedsAreTheOfficialOnes) {
  EXPECT_EQ(run_seed("01a1fc13-af29-737c-a0c2-a3dd475c5e98"), 12837138543163621193u);
  EXPECT_EQ(run_seed("01a1fc1e-4bf9-77df-923f-73655ae4de20"), 7567735731058880193u);
}

}  // namespace
}  // namespace chimera::base
