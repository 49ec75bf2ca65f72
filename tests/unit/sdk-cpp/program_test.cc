// The program that shows how the SDK should feel, compiled as a user would write it.
#include <chrono>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

using namespace std::chrono_literals;

namespace {

struct Order {
  std::string id;
  std::string customer;
  std::int64_t cents = 0;
};
struct Receipt {
  std::string id;
  std::int64_t cents = 0;
};

Receipt charge_card(const Order& order) { return {order.id, order.cents}; }
void refund(const Receipt&) {}

inline constexpr auto kChargeCard = chimera::define_activity<&charge_card>("charge_card");
inline constexpr auto kRefund = chimera::define_activity<&refund>("refund");

class OrderWorkflow {
 public:
  Receipt run(Order order) {
    namespace workflow = chimera::workflow;
    workflow::Saga saga;
    Receipt receipt =
        workflow::execute_activity<kChargeCard>({.start_to_close_timeout = 30s}, order);
    saga.add(
        [&] { workflow::execute_activity<&refund>({.start_to_close_timeout = 30s}, receipt); });
    if (!workflow::wait_condition([&] { return approved_; }, 24h))
      throw chimera::ApplicationError("nobody approved order " + order.id, {.type = "NotApproved"});
    auto label = workflow::start_activity<std::string>("print_label",
                                                       {.start_to_close_timeout = 1min}, order);
    workflow::sleep(1h);
    status_ = "shipped as " + label.get();
    return receipt;
  }
  void approve(std::string by) { approved_ = !by.empty(); }
  std::string status() const { return status_; }
  std::int64_t add_tip(std::int64_t cents) { return cents; }
  void validate_add_tip(std::int64_t) const {}

 private:
  bool approved_ = false;
  std::string status_;
};

const auto kOrder =
    chimera::define_workflow<&OrderWorkflow::run>("Order")
        .signal<&OrderWorkflow::approve>("approve")
        .query<&OrderWorkflow::status>("status")
        .update<&OrderWorkflow::add_tip, &OrderWorkflow::validate_add_tip>("add_tip");

[[maybe_unused]] Receipt program() {
  auto client = chimera::Client::connect({.target_host = "localhost:7233"});
  chimera::Worker worker(client, {.task_queue = "orders"});
  worker.add(kOrder).add(kChargeCard).add(kRefund);
  worker.run();

  auto order = client.start_workflow<&OrderWorkflow::run>(
      {.id = "order-17", .task_queue = "orders"}, Order{});
  order.signal<&OrderWorkflow::approve>("ann");
  Receipt receipt = order.result();
  return receipt;
}

TEST(ProgramTest, DefinesWhatItSays) {
  EXPECT_EQ(kOrder.name(), "Order");
  EXPECT_EQ(chimera::detail::workflow_name<&OrderWorkflow::run>(), "Order");
  EXPECT_EQ(kOrder.type().updates.at(0).name, "add_tip");
  EXPECT_EQ(kChargeCard.name(), "charge_card");
  EXPECT_EQ(chimera::define_activity<&refund>().name(), "refund");
}

TEST(ProgramTest, ANameTwiceIsRefusedAndNamed) {
  chimera::Registry registry;
  registry.add_activity<&charge_card>("charge");

  try {
    registry.add_activity<&refund>("charge");
    FAIL() << "registered twice";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "the activity 'charge' is registered twice");
  }
}

// An unreachable server is an exception that says where, not a hang.
TEST(ProgramTest, ConnectingToNothingSaysWhere) {
  try {
    chimera::Client::connect({.target_host = "127.0.0.1:1", .connect_timeout = 300ms});
    FAIL() << "connected";
  } catch (const chimera::RpcError& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:1"), std::string::npos) << error.what();
  }
}

}  // namespace
