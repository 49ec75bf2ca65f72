// Runs parts of the C++ of docs/client.md, which the build writes into one file.
#include "client_example.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "chimera/nexus.h"
#include "core/base/api.h"
#include "tests/live/live.h"

// The example leaves its body to the workers.
std::string render(const std::string& report, int pages) {
  return absl::StrCat(pages, " pages of ", report);
}

namespace chimera::live {
namespace {

class ClientExample : public Live {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has nothing that stands alone";
  }
};
INSTANTIATE_TEST_SUITE_P(, ClientExample, testing::Values(std::size_t{1000}), cache_name);

TEST_P(ClientExample, ChargesOnceAndCancelsTheRest) {
  const std::string endpoint =
      absl::StrCat("c-", absl::StrReplaceAll(queue(), {{".", "-"}, {"_", "-"}}));
  api::operatorservice::v1::CreateNexusEndpointRequest request;
  request.mutable_spec()->set_name(endpoint);
  request.mutable_spec()->mutable_target()->mutable_worker()->set_namespace_("default");
  request.mutable_spec()->mutable_target()->mutable_worker()->set_task_queue(queue());
  client().call_raw("temporal.api.operatorservice.v1.OperatorService", "CreateNexusEndpoint",
                    request.SerializeAsString());
  nexus::Service<Payments> payments;
  payments.handle<&Payments::charge>(
      [](const Order& order) -> nexus::StartResult<std::string> {
        if (order.cents > 1000)
          throw nexus::HandlerError(nexus::HandlerErrorType::kUnauthorized, "too much");
        if (order.cents == 0) return nexus::AsyncOperation<std::string>{"goes on"};
        return absl::StrCat(order.cents, " cents for ", order.id);
      },
      [](const std::string&) {});
  registry().add(payments);
  start_worker();

  EXPECT_EQ(charge_once(client(), endpoint, {"1", 500}), "500 cents for 1");
  EXPECT_EQ(charge_once(client(), endpoint, {"2", 5000}), "no money: too much");
  const auto open = client().start_nexus_operation<&Payments::charge>(
      endpoint, {.id = "charge-3", .schedule_to_close_timeout = 1min}, Order{"3", 0});
  eventually([&] { return cancel_charges(client(), endpoint) == 1; }, "the list of what runs");
  EXPECT_EQ(open.describe().cancellation.value().reason, "we close");
  open.terminate();
}

}  // namespace
}  // namespace chimera::live
