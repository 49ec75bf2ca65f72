#include "core/workflow/divergence.h"

#include <gtest/gtest.h>

namespace chimera::core {
namespace {

using enum StepKind;

const Step kCharge{kActivity, "charge", "1"}, kShip{kActivity, "ship", "2"}, kWait{kTimer},
    kCompleted{kEnd, "(completed)"};

TEST(LikelyCauseTest, ARenamedActivity) {
  EXPECT_EQ(likely_cause({.history = {kCharge}, .code = {{kActivity, "charge_card", "1"}}}),
            "the activity 'charge' was renamed to 'charge_card', or that one is called in its "
            "place");
}

TEST(LikelyCauseTest, ATimerThatWasAdded) {
  EXPECT_EQ(likely_cause({.history = {kCharge}, .code = {kWait, kCharge}}),
            "the timer was added before the activity 'charge'");
}

TEST(LikelyCauseTest, OneThatWasRemoved) {
  const std::string words = "the timer was removed, or has moved behind the activity 'charge'";
  EXPECT_EQ(likely_cause({.history = {kWait, kCharge}, .code = {kCharge}}), words);
  // Where the code waits for each before the next.
  EXPECT_EQ(likely_cause({.history = {kWait}, .code = {kCharge}, .later = {kCharge, kShip}}),
            words);
}

TEST(LikelyCauseTest, TwoThatHaveChangedPlaces) {
  EXPECT_EQ(likely_cause({.history = {kCharge, kShip}, .code = {kShip, kCharge}}),
            "the activity 'charge' and the activity 'ship' have changed places");
}

TEST(LikelyCauseTest, AnotherKindOfTheSameName) {
  EXPECT_EQ(likely_cause({.history = {kCharge}, .code = {{kLocalActivity, "charge", "1"}}}),
            "the activity 'charge' became a local activity");
  EXPECT_EQ(likely_cause({.history = {kCharge}, .code = {{kChildWorkflow, "charge", "w"}}}),
            "the activity 'charge' became a child workflow");
}

// Added, swapped in or another branch: the steps do not say which.
TEST(LikelyCauseTest, AnotherWayIsNotGuessedAt) {
  EXPECT_EQ(likely_cause({.history = {kWait}, .code = {kCharge}}),
            "the code takes another way here: the activity 'charge' stands before or for the "
            "timer");
}

TEST(LikelyCauseTest, AnExtraCommand) {
  EXPECT_EQ(likely_cause({.history = {}, .code = {kShip}}), "the activity 'ship' was added");
  EXPECT_EQ(likely_cause({.history = {}, .code = {kShip}, .later = {kShip}}),
            "something that the code waited for before the activity 'ship' was removed");
  EXPECT_EQ(likely_cause({.history = {}, .code = {kCompleted}, .later = {kShip}}),
            "the code ends here, where it went on to the activity 'ship'");
}

TEST(LikelyCauseTest, AMissingCommand) {
  EXPECT_EQ(likely_cause({.history = {kShip}, .code = {}}),
            "the activity 'ship' was removed, or the code waits for something before it");
}

TEST(LikelyCauseTest, TheEnd) {
  EXPECT_EQ(likely_cause({.history = {kShip}, .code = {kCompleted}}),
            "the code ends here, where it went on to the activity 'ship'");
  EXPECT_EQ(likely_cause({.history = {kCompleted}, .code = {kShip}}),
            "the activity 'ship' was added before the workflow's end");
  EXPECT_EQ(likely_cause({.history = {kCompleted}, .code = {{kEnd, "(failed)"}}}),
            "the code ends otherwise: (completed) before, now (failed)");
}

TEST(LikelyCauseTest, APatchThatWasRemoved) {
  const Step patch{kPatch, "by-air"};
  EXPECT_EQ(likely_cause({.history = {patch, kShip}, .code = {kShip}}),
            "patched(\"by-air\") was removed, though runs that were made with it are still open: "
            "keep it, or deprecate_patch(\"by-air\"), until they have ended");
  EXPECT_EQ(likely_cause({.history = {patch, kShip}, .code = {kShip, patch}}),
            "the patch 'by-air' is asked for later than it was");
}

TEST(LikelyCauseTest, ASideEffectThatWasRemoved) {
  EXPECT_EQ(likely_cause({.history = {{kSideEffect}, kShip}, .code = {kShip}}),
            "a call of side_effect() was removed");
}

TEST(LikelyCauseTest, AnIdThatIsMadeOtherwise) {
  EXPECT_EQ(likely_cause({.history = {{kChildWorkflow, "Ship", "ship-17"}},
                          .code = {{kChildWorkflow, "Ship", "ship-18"}}}),
            "the id of the child workflow 'Ship' is made otherwise, or was changed: 'ship-17' "
            "before, now 'ship-18'");
}

TEST(LikelyCauseTest, NothingWhereTheStepsDoNotTell) {
  EXPECT_EQ(likely_cause({}), "");
  EXPECT_EQ(likely_cause({.history = {kCharge}, .code = {kCharge}}), "");
  EXPECT_EQ(likely_cause({.history = {{kUpdate}}, .code = {kCharge}}), "");
  EXPECT_EQ(likely_cause({.history = {{kOther}}, .code = {}}), "");
}

}  // namespace
}  // namespace chimera::core
