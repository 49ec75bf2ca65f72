// samples/cpp/transfer: money is moved once or not at all, whatever happens on the way.
#include "samples/cpp/transfer/transfer.h"

#include <functional>
#include <latch>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using transfer::Bank;
using transfer::Booking;
using transfer::kTransfer;
using transfer::Transfer;

const Transfer kAnnToBob{"ann", "bob", 300};

// Calls a test's own code after a booking has been made, before its answer is on its way.
class TestBank : public Bank {
 public:
  using Bank::Bank;
  std::string withdraw(const Booking& booking) {
    if (before_withdrawing) before_withdrawing();
    const std::string confirmation = Bank::withdraw(booking);
    answer("withdraw");
    return confirmation;
  }
  std::string deposit(const Booking& booking) {
    if (before_depositing) before_depositing();
    const std::string confirmation = Bank::deposit(booking);
    answer("deposit");
    return confirmation;
  }
  void refund(const Booking& booking) {
    Bank::refund(booking);
    answer("refund");
  }

  std::set<std::string> forgets;  // Calls whose first answer is lost, after the money has moved.
  std::function<void()> before_withdrawing, before_depositing;

 private:
  void answer(const std::string& call) const {
    if (forgets.contains(call) && activity::info().attempt == 1)
      throw std::runtime_error("the connection broke");
  }
};

class TransferSample : public Live {
 protected:
  void serve(TestBank& bank) {
    registry()
        .add(kTransfer)
        .add_activity<&TestBank::withdraw>(bank, "withdraw")
        .add_activity<&TestBank::deposit>(bank, "deposit")
        .add_activity<&TestBank::refund>(bank, "refund");
    start_worker();
  }
  auto transfer(const Transfer& what) { return start<&transfer::TransferWorkflow::run>(what); }
  // The type of the error that the bank gave.
  template <class Handle>
  static std::string refusal(const Handle& handle) {
    const auto failed = failure_of(handle);
    if (const auto* error = dynamic_cast<const ApplicationError*>(failed.cause()))
      return error->type();
    const auto* error = failed.cause()->template find_cause<ApplicationError>();
    return error == nullptr ? describe(failed.cause()) : error->type();
  }
  template <class Handle>
  static std::string status(const Handle& handle) {
    return handle.template query<&transfer::TransferWorkflow::status>();
  }
};
INSTANTIATE_TEST_SUITE_P(, TransferSample, testing::Values(std::size_t{1000}, std::size_t{0}),
                         cache_name);

TEST_P(TransferSample, MovesMoney) {
  TestBank bank({{"ann", 1000}, {"bob", 0}});
  serve(bank);

  const auto handle = transfer(kAnnToBob);

  EXPECT_EQ(handle.result().withdrawal, "B1");
  EXPECT_EQ(handle.result().deposit, "B2");
  EXPECT_EQ(status(handle), "done");
  EXPECT_EQ(bank.balance("ann"), 700);
  EXPECT_EQ(bank.balance("bob"), 300);
}

TEST_P(TransferSample, RefundsWhatCannotBeDeposited) {
  TestBank bank({{"ann", 1000}});
  serve(bank);

  const auto handle = transfer(kAnnToBob);

  EXPECT_EQ(refusal(handle), "NoSuchAccount");
  EXPECT_EQ(status(handle), "undone");
  EXPECT_EQ(bank.balance("ann"), 1000);
  EXPECT_EQ(count_events(handle.fetch_history(), "ACTIVITY_TASK_SCHEDULED"), 3);
}

TEST_P(TransferSample, TakesNothingWhereThereIsTooLittle) {
  TestBank bank({{"ann", 299}, {"bob", 0}});
  serve(bank);

  const auto handle = transfer(kAnnToBob);

  EXPECT_EQ(refusal(handle), "InsufficientFunds");
  EXPECT_EQ(bank.balance("ann"), 299);
  EXPECT_EQ(bank.balance("bob"), 0);
  EXPECT_EQ(count_events(handle.fetch_history(), "ACTIVITY_TASK_STARTED"), 2) << "no retry";
}

TEST_P(TransferSample, RefusesNoAmount) {
  TestBank bank(std::map<std::string, std::int64_t>{});
  serve(bank);

  EXPECT_EQ(refusal(transfer({"ann", "bob", -5})), "BadAmount");
}

TEST_P(TransferSample, WhatIsDoneTwiceMovesMoneyOnce) {
  TestBank bank({{"ann", 1000}, {"bob", 0}});
  bank.forgets = {"withdraw", "deposit"};
  serve(bank);

  EXPECT_EQ(transfer(kAnnToBob).result().deposit, "B2");

  EXPECT_EQ(bank.balance("ann"), 700);
  EXPECT_EQ(bank.balance("bob"), 300);
}

TEST_P(TransferSample, ARefundIsMadeOnce) {
  TestBank bank({{"ann", 1000}});
  bank.forgets = {"refund"};
  serve(bank);

  EXPECT_EQ(refusal(transfer(kAnnToBob)), "NoSuchAccount");

  EXPECT_EQ(bank.balance("ann"), 1000);
}

TEST_P(TransferSample, AStragglingWithdrawalTakesNothing) {
  TestBank bank({{"ann", 1000}, {"bob", 0}});
  std::latch reached(1), refunded(1);
  bank.before_withdrawing = [&] {
    reached.count_down();
    refunded.wait();
  };
  serve(bank);
  const auto handle = transfer(kAnnToBob);
  reached.wait();

  handle.cancel();
  const auto failed = failure_of(handle);
  refunded.count_down();
  stop_worker();  // Waits for the straggler.

  EXPECT_TRUE(is_cancelled(*failed.cause())) << describe(failed.cause());
  EXPECT_EQ(bank.balance("ann"), 1000);
}

TEST_P(TransferSample, ADepositThatIsUnderWayIsSeenThrough) {
  TestBank bank({{"ann", 1000}, {"bob", 0}});
  std::latch reached(1), cancelled(1);
  bank.before_depositing = [&] {
    reached.count_down();
    cancelled.wait();
  };
  serve(bank);
  const auto handle = transfer(kAnnToBob);
  reached.wait();

  handle.cancel();
  eventually(
      [&] {
        const std::string history = handle.fetch_history();
        const auto asked = history.find("\"EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED\"");
        return asked != std::string::npos &&
               history.find("\"EVENT_TYPE_WORKFLOW_TASK_COMPLETED\"", asked) != std::string::npos;
      },
      "the workflow has taken the request and waits on");
  cancelled.count_down();

  EXPECT_EQ(handle.result().deposit, "B2");
  EXPECT_EQ(bank.balance("ann"), 700);
  EXPECT_EQ(bank.balance("bob"), 300);
}

}  // namespace
}  // namespace chimera::live
