// cart                    a demonstration, on a server in this process whose time skips
// cart worker HOST:PORT   serves the task queue "carts" until Ctrl-C
#include <cstdio>
#include <exception>
#include <string>

#include "cart.h"
#include "chimera/client.h"
#include "chimera/testing.h"
#include "chimera/worker.h"

namespace {

using cart::ShoppingCart;

void demonstrate() {
  chimera::TestEnvironment environment;
  const chimera::Client& client = environment.client();
  cart::Shop shop;
  chimera::Worker worker(client, {.task_queue = cart::kTaskQueue});
  cart::add_to(worker, shop);
  worker.start();

  cart::put(client, "ann", {"kettle", 1, 39'00}, "click-1");
  cart::put(client, "ann", {"cup", 6, 4'50}, "click-2");
  const auto total = cart::put(client, "ann", {"cup", 6, 4'50}, "click-2");  // Pressed twice.
  std::printf("total: %lld\n", static_cast<long long>(total));
  const auto handle = client.get_workflow_handle<std::optional<cart::Receipt>>("cart-ann");
  try {
    handle.execute_update<&ShoppingCart::put>(cart::Item{"spoon", 1000, 1'00});
  } catch (const chimera::WorkflowUpdateFailedError& refused) {
    std::printf("refused: %s\n", chimera::describe(refused.cause()).c_str());
  }
  environment.sleep(std::chrono::hours(30));  // She sleeps on it, and is reminded.
  std::printf("reminded: %zu\n", shop.reminded().size());
  const auto receipt = handle.execute_update<&ShoppingCart::check_out>("4111-1111");
  std::printf("paid: %lld\n", static_cast<long long>(receipt.cents));
  std::printf("the cart's result is the receipt: %s\n",
              handle.result()->number == receipt.number ? "yes" : "no");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 1) {
      demonstrate();
      return 0;
    }
    if (argc == 3 && std::string(argv[1]) == "worker") {
      auto client = chimera::Client::connect({.target_host = argv[2]});
      cart::Shop shop;
      chimera::Worker worker(client, {.task_queue = cart::kTaskQueue});
      cart::add_to(worker, shop);
      worker.run();
      return 0;
    }
    std::fprintf(stderr, "cart | cart worker HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cart: %s\n", error.what());
    return 1;
  }
}
