// samples/cpp/transfer as a project would test it: its workflow alone, with the bank mocked.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"
#include "samples/cpp/transfer/transfer.h"

namespace transfer {
namespace {

using chimera::ApplicationError;
using chimera::FailedWith;

const Transfer kAnnToBob{"ann", "bob", 300};

class TransferTest : public chimera::WorkflowTest {
 protected:
  TransferTest() { worker.add(kTransfer); }
};

TEST_F(TransferTest, BooksBothSides) {
  auto& withdraw = worker.mock_activity<kWithdraw>().returns("W1");
  auto& deposit = worker.mock_activity<kDeposit>().returns("D1");

  const Receipt receipt = worker.execute_workflow<kTransfer>(kAnnToBob);

  EXPECT_EQ(receipt.withdrawal, "W1");
  EXPECT_EQ(receipt.deposit, "D1");
  EXPECT_EQ(std::get<0>(withdraw.arguments()).account, "ann");
  EXPECT_EQ(std::get<0>(deposit.arguments()).account, "bob");
}

TEST_F(TransferTest, WaitsForABankThatIsClosed) {
  worker.mock_activity<kWithdraw>().returns("W1");
  worker.mock_activity<kDeposit>().throws(std::runtime_error("closed")).times(12).returns("D1");

  EXPECT_EQ(worker.execute_workflow<kTransfer>(kAnnToBob).deposit, "D1");
}

TEST_F(TransferTest, RefundsWhatCannotBeDeposited) {
  worker.mock_activity<kWithdraw>().returns("W1");
  worker.mock_activity<kDeposit>().throws(ApplicationError("who?", {.type = "NoSuchAccount"}));
  auto& refund = worker.mock_activity<kRefund>().returns();

  EXPECT_THAT([&] { worker.execute_workflow<kTransfer>(kAnnToBob); },
              FailedWith<ApplicationError>("NoSuchAccount"));
  EXPECT_EQ(std::get<0>(refund.arguments()).account, "ann");
}

}  // namespace
}  // namespace transfer
