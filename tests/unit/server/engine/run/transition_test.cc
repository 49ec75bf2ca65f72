#include "server/engine/run/transition.h"

#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using TransitionTest = PendingFixture;
using TransitionDeathTest = PendingFixture;

TEST_F(TransitionTest, IsCountedUnlessNobodySeesIt) {
  const RunPtr run = start("case");
  const std::int64_t before = run->transitions;

  Transition unseen(engine, *run);
  unseen.run().sticky_queue = "sticky";
  unseen.commit_unseen();
  EXPECT_EQ(run->transitions, before);
  Transition seen(engine, *run);
  seen.commit();

  EXPECT_EQ(run->transitions, before + 1);
  EXPECT_EQ(run->sticky_queue, "sticky");
}

TEST_F(TransitionDeathTest, MustBeCommitted) {
  const RunPtr run = start("case");

  EXPECT_DEATH({ Transition dropped(engine, *run); }, "committed_");
}

TEST_F(TransitionDeathTest, IsTheOnlyOneOfItsRun) {
  const RunPtr run = start("case");

  EXPECT_DEATH(
      {
        Transition one(engine, *run);
        Transition other(engine, *run);
      },
      "in_transition");
}

}  // namespace
}  // namespace chimera::server
