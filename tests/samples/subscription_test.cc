// samples/cpp/subscription as a project would test it: years of it in milliseconds, and the
// schedule beside it.
#include "samples/cpp/subscription/subscription.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace subscription {
namespace {

using std::chrono::hours;
using Workflow = SubscriptionWorkflow;

class SubscriptionTest : public chimera::WorkflowTest {
 protected:
  SubscriptionTest() { add_to(worker, ledger); }

  auto subscribe(std::int64_t trial_days = 0) {
    return worker.start_workflow<kSubscription>(
        Subscription{.customer = "ann", .cents = 9'00, .trial_days = trial_days});
  }

  Ledger ledger;
};

TEST_F(SubscriptionTest, AYearIsChargedByTheMonth) {
  const auto handle = subscribe(14);
  const auto schedule = close_books_monthly(env.client(), worker.options().task_queue);

  env.sleep(Days(180));
  handle.signal<&Workflow::change_price>(10'00);
  env.sleep(Days(185));
  const std::vector<Books> closed = ledger.closed();
  const auto told = schedule.describe();
  handle.signal<&Workflow::end>();

  EXPECT_EQ(worker.result(handle), 12);
  const auto charges = ledger.charges();
  EXPECT_EQ(charges.size(), 12u);
  for (int month = 1; month <= 12; ++month) {
    const std::string key = handle.id() + "-" + std::to_string(month);
    ASSERT_TRUE(charges.contains(key)) << key;
    EXPECT_EQ(charges.at(key).cents, month <= 6 ? 9'00 : 10'00) << key;
  }
  // So many firsts of a month are in 365 days; one less where a leap day is among them.
  ASSERT_THAT(closed.size(), testing::AnyOf(11u, 12u));
  for (std::size_t i = 1; i < closed.size(); ++i)
    EXPECT_GE(closed[i].charges, closed[i - 1].charges);
  EXPECT_GE(closed.back().charges, 11);
  EXPECT_EQ(told.info.num_actions, static_cast<std::int64_t>(closed.size()));
  EXPECT_EQ(told.schedule.spec.time_zone_name, "Europe/Brussels");
}

TEST_F(SubscriptionTest, ATrialThatIsEndedCostsNothing) {
  const auto handle = subscribe(14);
  env.sleep(Days(3));
  handle.signal<&Workflow::end>();

  EXPECT_EQ(worker.result(handle), 0);
  EXPECT_TRUE(ledger.charges().empty());
}

TEST_F(SubscriptionTest, ACardThatIsRefusedGetsFiveDays) {
  ledger.set_broke("ann", true);
  const chimera::Time begin = env.now();

  EXPECT_EQ(worker.result(subscribe()), 0);
  EXPECT_GE(env.now() - begin, Days(4));
}

TEST_F(SubscriptionTest, ACardMayBeGoodAgain) {
  ledger.set_broke("ann", true);
  const auto handle = subscribe();
  env.sleep(Days(2) + hours(1));
  ledger.set_broke("ann", false);
  env.sleep(Days(2));

  EXPECT_EQ(handle.query<&Workflow::periods_paid>(), 1);
  handle.terminate();
}

TEST_F(SubscriptionTest, TenYearsAreSeveralRuns) {
  const auto handle = subscribe();
  env.sleep(kMonth * 150 + hours(1));

  EXPECT_EQ(ledger.charges().size(), 151u);
  const auto current = env.client().get_workflow_handle<kSubscription>(handle.id());
  EXPECT_NE(current.describe().run_id, handle.run_id());
  EXPECT_EQ(current.query<&Workflow::periods_paid>(), 151);
  current.terminate();
}

TEST_F(SubscriptionTest, ACancelledSubscriptionSaysSo) {
  auto& told = worker.mock_activity<kSend>().returns();
  const auto handle = subscribe();
  env.sleep(Days(1));
  handle.cancel();

  EXPECT_THAT([&] { worker.result(handle); }, chimera::FailedWith<chimera::CancelledError>());
  ASSERT_EQ(told.times_called(), 1);
  EXPECT_EQ(std::get<1>(told.arguments()), "Your subscription was cancelled.");
}

}  // namespace
}  // namespace subscription
