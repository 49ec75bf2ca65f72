#include "core/rpc/eager_starts.h"

#include <optional>

#include "gtest/gtest.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;

class FakeTaker : public EagerStarts::Taker {
 public:
  explicit FakeTaker(int slots) : free(slots) {}
  WorkflowSlotPtr reserve_workflow_slot() override {
    if (free == 0) return nullptr;
    --free;
    return std::make_unique<Slot>(*this);
  }
  int free;

 private:
  class Slot : public WorkflowSlot {
   public:
    explicit Slot(FakeTaker& taker) : taker_(taker) {}
    ~Slot() override { ++taker_.free; }
    const api::deployment::v1::WorkerDeploymentOptions* deployment() const override {
      return nullptr;
    }
    void run(std::shared_ptr<wf::PollWorkflowTaskQueueResponse>) override {}

   private:
    FakeTaker& taker_;
  };
};

TEST(EagerStartsTest, NamespaceAndQueueMustBothMatch) {
  EagerStarts starts;
  FakeTaker taker(1);
  starts.add("default", "orders", taker, /*up=*/true);

  EXPECT_EQ(starts.try_reserve("other", "orders"), nullptr);
  EXPECT_EQ(starts.try_reserve("default", "parcels"), nullptr);
  EXPECT_NE(starts.try_reserve("default", "orders"), nullptr);
}

TEST(EagerStartsTest, AnyWorkerThatHasASlotTakesIt) {
  EagerStarts starts;
  FakeTaker full(0), other(1);
  starts.add("default", "orders", full, true);
  starts.add("default", "orders", other, true);

  auto slot = starts.try_reserve("default", "orders");
  const auto second = starts.try_reserve("default", "orders");

  EXPECT_NE(slot, nullptr);
  EXPECT_EQ(second, nullptr);
  slot.reset();
  EXPECT_EQ(other.free, 1);
  EXPECT_NE(starts.try_reserve("default", "orders"), nullptr);
}

TEST(EagerStartsTest, AWorkerThatHasGoneTakesNone) {
  EagerStarts starts;
  FakeTaker taker(1);
  starts.add("default", "orders", taker, true);

  starts.remove(taker);

  EXPECT_EQ(starts.try_reserve("default", "orders"), nullptr);
}

TEST(EagerStartsTest, AStartWaitsForAWorkerThatIsComingUp) {
  EagerStarts starts;
  FakeTaker taker(1);
  std::optional<bool> got;
  const auto reserve = [&] {
    starts.reserve("default", "orders", [&](WorkflowSlotPtr slot) { got = slot != nullptr; });
  };

  reserve();
  EXPECT_EQ(got, false);  // Nobody is there, or coming.
  got.reset();
  starts.add("default", "orders", taker, /*up=*/false);
  EXPECT_EQ(starts.try_reserve("default", "orders"), nullptr);
  reserve();
  EXPECT_EQ(got, std::nullopt);
  starts.add("default", "orders", taker, /*up=*/true);
  EXPECT_EQ(got, true);
}

TEST(EagerStartsTest, ItWaitsNoLongerWhenThatWorkerDoesNotComeUp) {
  EagerStarts starts;
  FakeTaker taker(1);
  starts.add("default", "orders", taker, /*up=*/false);
  std::optional<bool> got;
  starts.reserve("default", "orders", [&](WorkflowSlotPtr slot) { got = slot != nullptr; });

  starts.remove(taker);

  EXPECT_EQ(got, false);
}

}  // namespace
}  // namespace chimera::core
