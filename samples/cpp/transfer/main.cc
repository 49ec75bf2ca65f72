// transfer worker [HOST:PORT]                    serves the task queue "transfer" until Ctrl-C
// transfer ID FROM TO CENTS [HOST:PORT]          moves money, once for each ID
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "transfer.h"

namespace {

void serve(chimera::Client& client) {
  transfer::Bank bank({{"ann", 1000}, {"bob", 0}});
  chimera::Worker worker(client, {.task_queue = "transfer"});
  worker.add(transfer::kTransfer)
      .add(transfer::kWithdraw, bank)
      .add(transfer::kDeposit, bank)
      .add(transfer::kRefund, bank);
  worker.run();
}

int move_money(chimera::Client& client, const std::string& id, const transfer::Transfer& transfer) {
  // The id is the transfer's, not one made up for this call: who presses the button twice starts
  // nothing, and who lost the answer finds the transfer under it.
  const auto handle = client.start_workflow<transfer::kTransfer>(
      {.id = "transfer-" + id,
       .task_queue = "transfer",
       .id_reuse_policy = chimera::WorkflowIdReusePolicy::kRejectDuplicate},
      transfer);
  try {
    const transfer::Receipt receipt = handle.result();
    std::printf("moved %lld from %s to %s\n", static_cast<long long>(transfer.cents),
                transfer.from.c_str(), transfer.to.c_str());
    return 0;
  } catch (const chimera::WorkflowFailureError& error) {
    const std::string status = handle.query<&transfer::TransferWorkflow::status>();
    std::printf("%s: %s\n", status.c_str(), chimera::describe(error.cause()).c_str());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool worker = argc > 1 && std::string(argv[1]) == "worker";
  const int address = worker ? 2 : 5;  // Its place among the arguments.
  if (argc < address || argc > address + 1) {
    std::fprintf(stderr, "transfer worker [HOST:PORT] | transfer ID FROM TO CENTS [HOST:PORT]\n");
    return 2;
  }
  try {
    auto client = chimera::Client::connect(
        {.target_host = argc > address ? argv[address] : "localhost:7233"});
    if (!worker) return move_money(client, argv[1], {argv[2], argv[3], std::atoll(argv[4])});
    serve(client);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "transfer: %s\n", error.what());
    return 1;
  }
}
