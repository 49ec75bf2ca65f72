// Runs the C++ of docs/versions.md, which the build writes into one file.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "versions_example.h"

namespace chimera {
namespace {

struct NewBill {
  std::string run(std::int64_t cents) {
    return absl::StrCat(cents / 100, ".", cents % 100, " EUR");
  }
};
const auto kNewBill =
    define_workflow<&NewBill::run>("Bill").versioning_behavior(VersioningBehavior::kPinned);

class VersionsExample : public testing::Test {
 protected:
  Client& client() { return env_.client(); }
  template <class Definition>
  std::unique_ptr<Worker> worker(const std::string& build, const Definition& definition) {
    auto worker = std::make_unique<Worker>(
        client(), WorkerOptions{.task_queue = "bills",
                                .deployment = WorkerDeploymentConfig{
                                    .version = {.deployment_name = "billing", .build_id = build}}});
    worker->add(definition);
    worker->start();
    const auto billing = client().get_worker_deployment_handle("billing");
    for (bool known = false; !known;) {  // As soon as it has polled.
      try {
        known = !billing.describe_version(build).task_queues.empty();
      } catch (const RpcError&) {
      }
    }
    return worker;
  }
  std::string bill(const std::string& id) {
    return client().execute_workflow<std::string>("Bill", {.id = id, .task_queue = "bills"}, 150);
  }

 private:
  TestEnvironment env_;
};

TEST_F(VersionsExample, RollsOutAndServesOverrides) {
  const auto one = worker("1.0", kBill);
  const auto billing = client().get_worker_deployment_handle("billing");
  billing.set_current_version("1.0");
  EXPECT_EQ(bill("bill-1"), "150 cents");
  const auto two = worker("2.0", kNewBill);

  roll_out(client());

  EXPECT_EQ(bill("bill-2"), "1.50 EUR");
  EXPECT_EQ(bill_with_the_old_build(client()), "150 cents");
  const auto metadata = billing.describe_version("2.0").metadata;
  EXPECT_EQ(from_payload<std::string>(metadata.at("commit")), "c0ffee");
  tidy_up(client());  // Nothing has drained yet.
}

TEST_F(VersionsExample, MovesAnOpenWorkflow) {
  const auto two = worker("2.0", kNewBill);
  WorkflowOptions with{.id = "late", .task_queue = "bills"};
  with.start_delay = std::chrono::hours(1);
  const auto late = client().start_workflow<kNewBill>(with, 150);
  rescue(client(), "late");
  const auto versioning = late.describe().versioning_info;
  EXPECT_FALSE(versioning && versioning->versioning_override);

  with.id = "elsewhere";
  with.task_queue = "nobody";
  client().start_workflow<kNewBill>(with, 150);
  try {
    rescue(client(), "elsewhere");
    FAIL() << "no worker of the version polls that queue";
  } catch (const RpcError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("is not present in task queue 'nobody'"));
  }
}

const auto kSubscription = define_workflow<&Subscription::run>("Subscription")
                               .versioning_behavior(VersioningBehavior::kPinned);
struct Renewed {
  void run(std::int64_t period) {
    if (period < 1) throw ApplicationError("it did not come from an older one");
  }
};
const auto kRenewed =
    define_workflow<&Renewed::run>("Subscription").versioning_behavior(VersioningBehavior::kPinned);

TEST_F(VersionsExample, ALongRunGoesOnWithTheNewBuild) {
  const auto one = worker("1.0", kSubscription), two = worker("2.0", kRenewed);
  const auto billing = client().get_worker_deployment_handle("billing");
  billing.set_current_version("1.0");
  const auto handle = client().start_workflow<kSubscription>({.id = "s", .task_queue = "bills"}, 0);
  while (!handle.describe().versioning_info) {
  }
  billing.set_current_version("2.0");
  handle.result();
  EXPECT_EQ(handle.describe().versioning_info->deployment_version->build_id, "2.0");
}

}  // namespace
}  // namespace chimera
