// subscription                    a year, on a server in this process whose time skips
// subscription worker HOST:PORT   serves the task queue "subscriptions" until Ctrl-C
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "subscription.h"

namespace {

using subscription::Days;

void demonstrate() {
  chimera::TestEnvironment environment;
  subscription::Ledger ledger;
  chimera::Worker worker(environment.client(), {.task_queue = subscription::kTaskQueue});
  subscription::add_to(worker, ledger);
  worker.start();
  subscription::close_books_monthly(environment.client());
  const auto handle = environment.client().start_workflow<subscription::kSubscription>(
      {.id = "subscription-ann", .task_queue = subscription::kTaskQueue},
      subscription::Subscription{.customer = "ann", .cents = 9'00, .trial_days = 14});
  environment.sleep(Days(180));
  handle.signal<&subscription::SubscriptionWorkflow::change_price>(10'00);
  environment.sleep(Days(185));
  std::printf("books closed: %zu times\n", ledger.closed().size());
  handle.signal<&subscription::SubscriptionWorkflow::end>();
  std::printf("periods paid: %lld\n", static_cast<long long>(handle.result()));
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
      subscription::Ledger ledger;
      chimera::Worker worker(client, {.task_queue = subscription::kTaskQueue});
      subscription::add_to(worker, ledger);
      worker.run();
      return 0;
    }
    std::fprintf(stderr, "subscription | subscription worker HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "subscription: %s\n", error.what());
    return 1;
  }
}
