// expense                    a demonstration, on a server in this process whose time skips
// expense worker HOST:PORT   serves the task queue "expenses" until Ctrl-C
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "expense.h"

namespace {

constexpr char kTaskQueue[] = "expenses";

void add_to(chimera::Registry& worker) {
  worker.add(expense::kExpenseApproval).add(expense::kAsk).add(expense::kPay).add(expense::kTell);
}

void demonstrate() {
  chimera::TestEnvironment environment;
  chimera::Worker worker(environment.client(), {.task_queue = kTaskQueue});
  add_to(worker);
  worker.start();
  const auto handle = environment.client().start_workflow<expense::kExpenseApproval>(
      {.id = "expense-ann-1", .task_queue = kTaskQueue},
      expense::Expense{"ann", 310'00, "train to Ghent", {"bob", "cleo"}});
  environment.sleep(expense::Days(8));  // Bob says nothing: it is Cleo's turn.
  std::printf("asked:");
  for (const auto& name : handle.query<&expense::ExpenseApproval::status>().asked)
    std::printf(" %s", name.c_str());
  handle.execute_update<&expense::ExpenseApproval::decide>(expense::Decision{"cleo", true, ""});
  const expense::Status done = handle.result();
  std::printf("\n%s %s\n", done.state.c_str(), done.payment.c_str());
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
      chimera::Worker worker(client, {.task_queue = kTaskQueue});
      add_to(worker);
      worker.run();
      return 0;
    }
    std::fprintf(stderr, "expense | expense worker HOST:PORT\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "expense: %s\n", error.what());
    return 1;
  }
}
