// samples/cpp/rollout: two builds side by side, from the first order to the end of the old workers.
#include "samples/cpp/rollout/rollout.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "tests/live/live.h"

namespace rollout {
namespace {

using chimera::Client;
using chimera::WorkflowOptions;

void wait_until(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    if (absl::Now() > end) throw std::runtime_error("not within 30 s");
    absl::SleepFor(absl::Milliseconds(20));
  }
}

// A roll-out on any server; ids are of this part of the deployment's life.
class Rollout {
 public:
  explicit Rollout(Client client) : client_(std::move(client)) {}

  std::unique_ptr<chimera::Worker> worker(const std::string& build) {
    auto worker = std::make_unique<chimera::Worker>(client_, worker_options(build));
    add_to(*worker, build);
    worker->start();
    wait_until([&] { return is_known(client_, build); });
    return worker;
  }
  void make_current(const std::string& build) {
    shop().set_current_version(build);
    wait_until([&] { return !shop().describe().routing_update_in_progress; });
  }
  void ramp(const std::string& build, float percent) {
    shop().set_ramping_version(build, percent);
    wait_until([&] { return !shop().describe().routing_update_in_progress; });
  }
  auto order(const std::string& id) {
    const WorkflowOptions with{.id = "order-" + id, .task_queue = kTaskQueue};
    const auto handle = client_.start_workflow<std::string>("Order", with);
    wait_until([&] { return !build_of(with.id).empty(); });
    return handle;
  }
  auto sell() {
    return client_.signal_with_start<std::string>("Stock", {.id = kStock, .task_queue = kTaskQueue},
                                                  "sell", std::tuple<>());
  }
  std::string build_of(const std::string& id) {
    const auto told = client_.get_workflow_handle<void>(id).describe().versioning_info;
    return told && told->deployment_version ? told->deployment_version->build_id : "";
  }
  std::string status_of(const std::string& build) {
    return name_of(shop().describe_version(build).info.status);
  }
  chimera::WorkerDeploymentHandle shop() {
    return client_.get_worker_deployment_handle(kDeployment);
  }
  Client& client() { return client_; }

 private:
  Client client_;
};

TEST(RolloutSample, GoesFromBuildToBuild) {
  Rollout rollout(Client::connect({.target_host = chimera::live::target().address}));
  const auto one = rollout.worker("1.0");
  rollout.make_current("1.0");
  const auto first = rollout.order("1");
  const auto stock = rollout.sell();
  EXPECT_EQ(rollout.build_of("order-1"), "1.0");
  wait_until([&] { return rollout.build_of(kStock) == "1.0"; });

  const auto two = rollout.worker("2.0");
  rollout.ramp("2.0", 50);
  EXPECT_EQ(rollout.status_of("2.0"), "ramping");
  int with_two = 0;
  for (int id = 2; id < 18; ++id) {
    const auto handle = rollout.order(std::to_string(id));
    const std::string build = rollout.build_of(handle.id());
    with_two += build == "2.0";
    handle.signal("pay");
    EXPECT_EQ(handle.result(), "paid, by build " + build);
  }
  EXPECT_GT(with_two, 0);
  EXPECT_LT(with_two, 16);

  rollout.make_current("2.0");
  EXPECT_EQ(rollout.status_of("1.0"), "draining");
  EXPECT_FALSE(has_drained(rollout.client(), "1.0"));
  EXPECT_EQ(rollout.order("20").id(), "order-20");
  EXPECT_EQ(rollout.build_of("order-20"), "2.0");
  rollout.sell();
  stock.signal("close");
  EXPECT_EQ(stock.result(), "sold 2, closed by build 2.0");
  first.signal("pay");
  EXPECT_EQ(first.result(), "paid, by build 1.0");
}

// Days in milliseconds, on a server whose time skips.
TEST(RolloutSample, TheOldBuildDrainsWhenItsLastOrderHasEnded) {
  chimera::TestEnvironment env;
  Rollout rollout(env.client());
  auto one = rollout.worker("1.0");
  rollout.make_current("1.0");
  const auto first = rollout.order("1");
  const auto two = rollout.worker("2.0");
  rollout.make_current("2.0");
  const auto second = rollout.order("2");

  env.sleep(24h);
  EXPECT_EQ(rollout.status_of("1.0"), "draining");
  first.signal("pay");
  EXPECT_EQ(first.result(), "paid, by build 1.0");
  env.sleep(1h);
  EXPECT_TRUE(has_drained(rollout.client(), "1.0"));
  one.reset();  // As its program does.
  EXPECT_EQ(second.result(), "given up, by build 2.0");
}

TEST(RolloutSample, ThereAreTwoBuilds) {
  chimera::Registry registry;
  EXPECT_THROW(add_to(registry, "3.0"), std::invalid_argument);
}

}  // namespace
}  // namespace rollout
