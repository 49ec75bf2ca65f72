// Runs the C++ of docs/nexus.md, which the build writes into one file.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"
#include "nexus_example.h"

namespace {

using testing::HasSubstr;

class NexusExample : public chimera::WorkflowTest {
 protected:
  NexusExample() { worker.add(kOrder).add(kReturn); }
};

TEST(NexusExampleTest, PaysWithoutABank) { EXPECT_EQ(pay_without_a_bank(), "a receipt"); }

TEST_F(NexusExample, SeesWhyItIsRefused) {
  worker.mock_nexus_operation<&Payments::charge>().throws(
      nexus::HandlerError(nexus::HandlerErrorType::kUnauthorized, "not you"));
  EXPECT_EQ(worker.execute_workflow<kOrder>("7", 500), "no money: not you");
}

TEST_F(NexusExample, GoesOnWhileItIsRefunded) {
  auto& refund = worker.mock_nexus_operation<&Payments::refund>();
  refund.returns().takes(12h);
  EXPECT_EQ(worker.execute_workflow<kReturn>("7"), "refunded by mock of payments.v1/refund-charge");
  EXPECT_EQ(std::get<0>(refund.arguments()).order, "7");
}

TEST_F(NexusExample, TimesOut) {
  worker.mock_nexus_operation<&Payments::refund>().returns().takes(48h);
  const auto handle = worker.start_workflow<kReturn>("7");
  EXPECT_THAT([&] { worker.result(handle); }, chimera::FailedWith<chimera::TimeoutError>());
}

TEST(NexusExampleTest, UnexpectedOperationsFailTheWorkflow) {
  chimera::TestEnvironment env;
  chimera::TestWorker worker(env);
  worker.add(kOrder);
  EXPECT_THAT([&] { worker.execute_workflow<kOrder>("7", 500); },
              chimera::FailedWith<chimera::ApplicationError>(
                  "UnexpectedCall", HasSubstr("the Nexus operation 'payments.v1/charge'")));
  EXPECT_THAT(worker.unmet(), HasSubstr("worker.mock_nexus_operation<"));
}

TEST(NexusExampleTest, TheServiceHasAHandlerForEachOperation) {
  Bank bank;
  chimera::Registry registry;
  registry.add(payments(bank));
  ASSERT_EQ(registry.nexus_services().size(), 1u);
  EXPECT_EQ(registry.nexus_services()[0].name, "payments.v1");
  EXPECT_THAT(registry.nexus_services()[0].contract,
              testing::ElementsAre("charge", "refund-charge"));
}

}  // namespace
