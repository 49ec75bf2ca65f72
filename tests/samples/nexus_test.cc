// samples/cpp/nexus: the shop's workflow with a mocked bank, and both sides in two namespaces of a
// server that has Nexus.
#include <string>

#include "gtest/gtest.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "chimera/testing/gtest.h"
#include "core/base/api.h"
#include "samples/cpp/nexus/payments.h"
#include "tests/live/live.h"

namespace payments {
namespace {

class ShopTest : public chimera::WorkflowTest {
 protected:
  ShopTest() { worker.add(kPurchase); }
};

TEST_F(ShopTest, PaysWhatTheBankSettles) {
  worker.mock_nexus_operation<&Payments::check>().returns("good");
  auto& settle = worker.mock_nexus_operation<&Payments::settle>().returns("receipt 7");
  EXPECT_EQ(worker.execute_workflow<kPurchase>(Charge{"7", "ann", 300}), "paid: receipt 7");
  EXPECT_EQ(std::get<0>(settle.arguments()).customer, "ann");
}

TEST_F(ShopTest, SaysWhyItIsNotPaid) {
  worker.mock_nexus_operation<&Payments::check>().returns("good");
  worker.mock_nexus_operation<&Payments::settle>().throws(
      chimera::ApplicationError("no account of ann", {.type = "NoSuchAccount"}));
  EXPECT_EQ(worker.execute_workflow<kPurchase>(Charge{"7", "ann", 300}),
            "not paid: no account of ann");
}

class NexusSample : public chimera::live::Live {
 protected:
  NexusSample() : shop(chimera::Client::connect({.target_host = chimera::live::target().address})) {
    chimera::api::workflowservice::v1::RegisterNamespaceRequest bank;
    bank.set_namespace_(kBank);
    bank.mutable_workflow_execution_retention_period()->set_seconds(86400);
    shop.call_raw("temporal.api.workflowservice.v1.WorkflowService", "RegisterNamespace",
                  bank.SerializeAsString());
    // A namespace is known to all parts of a server only after some seconds.
    eventually([&] { return make_endpoint(); }, "the endpoint");
  }

  bool make_endpoint() {
    chimera::api::workflowservice::v1::ListOpenWorkflowExecutionsRequest list;
    list.set_namespace_(kBank);
    chimera::api::operatorservice::v1::CreateNexusEndpointRequest endpoint;
    endpoint.mutable_spec()->set_name(kEndpoint);
    auto& target = *endpoint.mutable_spec()->mutable_target()->mutable_worker();
    target.set_namespace_(kBank);
    target.set_task_queue(kBankQueue);
    try {
      shop.call_raw("temporal.api.workflowservice.v1.WorkflowService", "ListOpenWorkflowExecutions",
                    list.SerializeAsString());
      shop.call_raw("temporal.api.operatorservice.v1.OperatorService", "CreateNexusEndpoint",
                    endpoint.SerializeAsString());
      return true;
    } catch (const chimera::RpcError& error) {
      const bool later = error.code() == chimera::StatusCode::kNotFound ||
                         error.code() == chimera::StatusCode::kFailedPrecondition;
      if (!later) throw;
      return false;
    }
  }

  std::string order(const char* number, const char* customer, int cents) {
    return shop.execute_workflow<kPurchase>(
        {.id = std::string("purchase-") + number, .task_queue = kShopQueue},
        Charge{number, customer, cents});
  }

  chimera::Client shop;
};
INSTANTIATE_TEST_SUITE_P(, NexusSample, testing::Values(std::size_t{1000}),
                         chimera::live::cache_name);

TEST_P(NexusSample, AShopAndABankInTwoNamespaces) {
  const auto bank = chimera::Client::connect(
      {.target_host = chimera::live::target().address, .namespace_ = kBank});
  chimera::Worker bank_worker(bank, {.task_queue = kBankQueue});
  bank_worker.add(kSettlement).add(service());
  bank_worker.start();
  chimera::Worker shop_worker(shop, {.task_queue = kShopQueue});
  shop_worker.add(kPurchase);
  shop_worker.start();
  EXPECT_EQ(order("1", "ann", 300), "paid: receipt 1");
  EXPECT_EQ(order("2", "nobody", 300), "not paid: no account of nobody");
  EXPECT_EQ(order("3", "ann", 5000'00), "refused: too much");
}

}  // namespace
}  // namespace payments
