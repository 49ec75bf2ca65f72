// samples/cpp/expense as a project would test it: people who take their time, in a test that does
// not.
#include "samples/cpp/expense/expense.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace expense {
namespace {

using chimera::ApplicationError;
using chimera::FailedWith;

const Expense kTrain{"ann", 310'00, "train", {"bob", "cleo", "ann"}};

class ExpenseTest : public chimera::WorkflowTest {
 protected:
  ExpenseTest() { worker.add(kExpenseApproval).add(kPay).add(kTell); }

  std::string decide(const auto& handle, const Decision& decision) {
    try {
      return handle.template execute_update<&ExpenseApproval::decide>(decision).state;
    } catch (const chimera::WorkflowUpdateFailedError& refused) {
      return chimera::describe(refused.cause());
    }
  }
};

TEST_F(ExpenseTest, WhatIsApprovedIsPaid) {
  worker.mock_activity<kAsk>().returns();
  const auto handle = worker.start_workflow<kExpenseApproval>(kTrain);

  EXPECT_EQ(decide(handle, {"bob", true, ""}), "approved");

  const Status done = handle.result();
  EXPECT_EQ(done.state, "paid");
  EXPECT_EQ(done.payment, "payment-" + handle.id());
  EXPECT_EQ(done.decision->approver, "bob");
}

TEST_F(ExpenseTest, SmallOnesNeedNobody) {
  EXPECT_THAT(
      worker.execute_workflow<kExpenseApproval>(Expense{"ann", 25'00, "lunch", {"bob"}}).asked,
      testing::IsEmpty());
}

TEST_F(ExpenseTest, WrongDecisionsAreRefused) {
  worker.mock_activity<kAsk>().returns();
  const auto handle = worker.start_workflow<kExpenseApproval>(kTrain);

  using testing::HasSubstr;
  EXPECT_THAT(decide(handle, {"dan", true, ""}), HasSubstr("dan is no approver"));
  EXPECT_THAT(decide(handle, {"ann", true, ""}), HasSubstr("nobody approves their own"));
  EXPECT_THAT(decide(handle, {"bob", false, ""}), HasSubstr("a rejection needs a comment"));
  EXPECT_EQ(decide(handle, {"bob", false, "take the bicycle"}), "rejected");
  EXPECT_EQ(handle.result().payment, "");
}

TEST_F(ExpenseTest, SilenceEndsInThirtyDays) {
  auto& asked = worker.mock_activity<kAsk>().returns();
  const chimera::Time begin = env.now();

  const Status done = worker.execute_workflow<kExpenseApproval>(kTrain);

  EXPECT_EQ(done.state, "expired");
  EXPECT_EQ(done.asked, kTrain.approvers);
  EXPECT_GE(env.now() - begin, kGiveUpAfter);
  EXPECT_GE(asked.times_called(), 4 + 4 + 8);  // On days 0, 2, 4, 6; 7, ... 13; 14, ... 28.
}

TEST_F(ExpenseTest, NobodyToAskIsAnError) {
  EXPECT_THAT(
      [&] { worker.execute_workflow<kExpenseApproval>(Expense{"ann", 310'00, "train", {}}); },
      FailedWith<ApplicationError>("BadExpense"));
}

}  // namespace
}  // namespace expense
