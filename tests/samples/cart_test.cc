// samples/cpp/cart as a project would test it: customers who take their time, in a test that does
// not.
#include "samples/cpp/cart/cart.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace cart {
namespace {

using testing::HasSubstr;

class CartTest : public chimera::WorkflowTest {
 protected:
  CartTest() { add_to(worker, shop); }

  auto cart() { return worker.start_workflow<kShoppingCart>(Cart{.customer = "ann"}); }
  static std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const chimera::WorkflowUpdateFailedError& refused) {
      return chimera::describe(refused.cause());
    }
    return "it was taken";
  }

  Shop shop;
};

TEST_F(CartTest, TheFirstThingMakesTheCart) {
  worker.start();
  const std::string queue = worker.options().task_queue;

  EXPECT_EQ(put(env.client(), "ann", {"cup", 2, 4'50}, "1", queue), 9'00);
  EXPECT_EQ(put(env.client(), "ann", {"kettle", 1, 39'00}, "2", queue), 48'00);
  EXPECT_EQ(put(env.client(), "ann", {"kettle", 1, 39'00}, "2", queue), 48'00);  // The same click.

  const auto handle = env.client().get_workflow_handle<std::optional<Receipt>>("cart-ann");
  EXPECT_EQ(handle.execute_update<&ShoppingCart::put>(Item{"cup", 0}), 39'00);
  EXPECT_EQ(handle.execute_update<&ShoppingCart::check_out>("4111").cents, 39'00);
  EXPECT_EQ(worker.result(handle)->cents, 39'00);
}

TEST_F(CartTest, WhatMakesNoSenseIsRefusedAndLeavesTheCartAsItWas) {
  const auto handle = cart();
  handle.execute_update<&ShoppingCart::put>(Item{"cup", 1, 4'50});
  const auto put = [&](const Item& item) {
    return refusal([&] { handle.execute_update<&ShoppingCart::put>(item); });
  };

  EXPECT_THAT(put({"", 1}), HasSubstr("needs a name"));
  EXPECT_THAT(put({"cup", 101}), HasSubstr("from 0 to 100"));
  EXPECT_THAT(put({"cup", -1}), HasSubstr("from 0 to 100"));
  EXPECT_THAT(put({"spoon", 0}), HasSubstr("there is no spoon"));
  EXPECT_EQ(handle.query<&ShoppingCart::contents>().total(), 4'50);
  handle.execute_update<&ShoppingCart::put>(Item{"cup", 0});
  EXPECT_THAT(refusal([&] { handle.execute_update<&ShoppingCart::check_out>("4111"); }),
              HasSubstr("the cart is empty"));
  handle.terminate("the end of the test");
}

TEST_F(CartTest, ARefusedCardLeavesTheCartOpen) {
  const auto handle = cart();
  handle.execute_update<&ShoppingCart::put>(Item{"cup", 1, 4'50});

  EXPECT_THAT(refusal([&] { handle.execute_update<&ShoppingCart::check_out>("4000-0000"); }),
              HasSubstr("the card was refused"));

  EXPECT_EQ(handle.execute_update<&ShoppingCart::check_out>("4111").cents, 4'50);
  EXPECT_EQ(worker.result(handle)->cents, 4'50);
}

TEST_F(CartTest, TwoWhoPayAtOncePayOnce) {
  chimera::TestWorker slow(env);
  slow.add(kShoppingCart);
  auto& charge = slow.mock_activity<kCharge>()
                     .returns(Receipt{"receipt-1", 4'50})
                     .takes(std::chrono::seconds(30));
  const auto handle = slow.start_workflow<kShoppingCart>(Cart{.customer = "ann"});
  handle.execute_update<&ShoppingCart::put>(Item{"cup", 1, 4'50});
  const auto one = handle.start_update<&ShoppingCart::check_out>("4111");
  const auto other = handle.start_update<&ShoppingCart::check_out>("4111");

  EXPECT_EQ(one.result().number, other.result().number);
  EXPECT_TRUE(slow.result(handle));
  EXPECT_EQ(charge.times_called(), 1);
}

TEST_F(CartTest, ACartThatIsLeftAloneRemindsOnceAndEnds) {
  const auto handle = cart();
  handle.execute_update<&ShoppingCart::put>(Item{"cup", 1, 4'50});

  EXPECT_FALSE(worker.result(handle));

  EXPECT_THAT(shop.reminded(), testing::ElementsAre("ann"));
}

TEST_F(CartTest, ItContinuesAsNewWithWhatIsInIt) {
  const auto handle = cart();
  std::int64_t total = 0;
  for (int click = 1; click <= kUpdatesPerRun + 10; ++click)
    total = handle.execute_update<&ShoppingCart::put>(Item{"cup", click % 100 + 1, 1});

  EXPECT_EQ(handle.query<&ShoppingCart::contents>().total(), total);
  EXPECT_NE(env.client().get_workflow_handle<int>(handle.id()).describe().run_id, handle.run_id());
  EXPECT_EQ(env.client()
                .get_workflow_handle<std::optional<Receipt>>(handle.id())
                .execute_update<&ShoppingCart::check_out>("4111")
                .cents,
            total);
}

}  // namespace
}  // namespace cart
