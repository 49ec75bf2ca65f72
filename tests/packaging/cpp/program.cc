// The program that shows how the SDK should feel, against the installed package; and the loading of
// native libraries.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

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

Receipt program() {
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

}  // namespace

// program LIBRARY: loads it and says what it defines, or why it does not load.
int main(int argc, char** argv) {
  if (argc != 2) return program().cents != 0;
  try {
    chimera::Worker worker(chimera::Client(nullptr), {.task_queue = "shop"});
    worker.add_library(argv[1]);
    std::printf("loaded %zu workflow and %zu activity\n", worker.workflows().size(),
                worker.activities().size());
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  return 0;
}
