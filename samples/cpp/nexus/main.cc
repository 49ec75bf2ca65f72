// A shop and a bank. An operator makes the bank's namespace and the endpoint before, as
// docs/samples.md shows.
//   nexus bank localhost:7233
//   nexus shop localhost:7233
//   nexus 7 ann 300 localhost:7233      an order: its number, who pays, how many cents
#include <cstdio>
#include <cstdlib>
#include <string>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "payments.h"

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool serves = what == "bank" || what == "shop";
  if (argc != (serves ? 3 : 5)) {
    std::fprintf(stderr, "usage: nexus bank|shop ADDRESS | nexus NUMBER CUSTOMER CENTS ADDRESS\n");
    return 2;
  }
  const auto client = chimera::Client::connect(
      {.target_host = argv[argc - 1], .namespace_ = what == "bank" ? payments::kBank : "default"});
  if (what == "bank") {
    chimera::Worker worker(client, {.task_queue = payments::kBankQueue});
    worker.add(payments::kSettlement).add(payments::service());
    worker.run();
  } else if (what == "shop") {
    chimera::Worker worker(client, {.task_queue = payments::kShopQueue});
    worker.add(payments::kPurchase);
    worker.run();
  } else {
    const std::string outcome = client.execute_workflow<payments::kPurchase>(
        {.id = "purchase-" + what, .task_queue = payments::kShopQueue},
        payments::Charge{what, argv[2], std::atoi(argv[3])});
    std::puts(outcome.c_str());
  }
}
