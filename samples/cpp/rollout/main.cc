// Builds of a shop are rolled out, step by step, on a server that runs. HOST:PORT comes last.
//   rollout worker BUILD           serves as this build, 1.0 or 2.0, until it has drained
//   rollout current BUILD          new orders go to the build
//   rollout ramp BUILD PERCENT     that part of them does
//   rollout show                   the builds, and what they are
//   rollout order ID               starts an order, and tells which build has it
//   rollout pay ID                 ends it
//   rollout stock                  what was sold, and which build counts it
//   rollout close                  ends the counting
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "rollout.h"

namespace {

using chimera::Client;

// True when it has become true within so long.
template <class Condition>
bool within(std::chrono::seconds time, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

// Until the build has drained, or Ctrl-C.
void serve(Client client, const std::string& build) {
  chimera::Worker worker(client, rollout::worker_options(build));
  rollout::add_to(worker, build);
  std::mutex mutex;
  std::condition_variable_any wake;
  const std::jthread watch([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; }) &&
           !stop.stop_requested()) {
      try {
        if (!rollout::has_drained(client, build)) continue;
        std::printf("build %s has drained: its worker ends\n", build.c_str());
        return worker.shutdown();
      } catch (const chimera::RpcError&) {  // It is not known yet, or the server is away.
      }
    }
  });
  worker.run();
}

void route(Client client, const std::string& build, const float* percent) {
  const auto shop = client.get_worker_deployment_handle(rollout::kDeployment);
  if (!within(std::chrono::seconds(30), [&] { return rollout::is_known(client, build); }))
    throw std::runtime_error("no worker of build " + build + " has polled; start one");
  // What stood before is what this change is made to: another one meanwhile is an error.
  const std::string token = shop.describe().conflict_token;
  if (percent == nullptr) {
    shop.set_current_version(build, {.conflict_token = token});
    std::printf("new orders go to build %s\n", build.c_str());
  } else {
    shop.set_ramping_version(build, *percent, {.conflict_token = token});
    std::printf("%g %% of the new orders go to build %s\n", static_cast<double>(*percent),
                build.c_str());
  }
  within(std::chrono::seconds(30), [&] { return !shop.describe().routing_update_in_progress; });
}

void show(Client client) {
  auto versions = client.get_worker_deployment_handle(rollout::kDeployment).describe().versions;
  std::ranges::sort(versions, {}, [](const auto& each) { return each.version.build_id; });
  for (const auto& each : versions)
    std::printf("%s %s\n", each.version.build_id.c_str(), rollout::name_of(each.status));
}

void order(Client client, const std::string& id) {
  const auto handle = client.start_workflow<std::string>(
      "Order", {.id = "order-" + id, .task_queue = rollout::kTaskQueue});
  client.signal_with_start<std::string>(
      "Stock", {.id = rollout::kStock, .task_queue = rollout::kTaskQueue}, "sell", std::tuple<>());
  const auto begun = [&] {
    const auto versioning = handle.describe().versioning_info;
    return versioning && versioning->deployment_version;
  };
  if (!within(std::chrono::seconds(30), begun))
    throw std::runtime_error("no worker took order " + id);
  const auto version = *handle.describe().versioning_info->deployment_version;
  std::printf("order %s is with build %s\n", id.c_str(), version.build_id.c_str());
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const std::string first = argc > 3 ? argv[2] : "";
  auto client = [&] { return Client::connect({.target_host = argv[argc - 1]}); };
  if (what == "worker" && argc == 4) {
    serve(client(), first);
  } else if (what == "current" && argc == 4) {
    route(client(), first, nullptr);
  } else if (what == "ramp" && argc == 5) {
    const float percent = std::strtof(argv[3], nullptr);
    route(client(), first, &percent);
  } else if (what == "show" && argc == 3) {
    show(client());
  } else if (what == "order" && argc == 4) {
    order(client(), first);
  } else if (what == "pay" && argc == 4) {
    const auto handle = client().get_workflow_handle<std::string>("order-" + first);
    handle.signal("pay");
    std::printf("order %s is %s\n", first.c_str(), handle.result().c_str());
  } else if (what == "stock" && argc == 3) {
    const auto stock = client().get_workflow_handle<std::string>(rollout::kStock);
    std::printf("%s\n", stock.query<std::string>("count").c_str());
  } else if (what == "close" && argc == 3) {
    const auto stock = client().get_workflow_handle<std::string>(rollout::kStock);
    stock.signal("close");
    std::printf("%s\n", stock.result().c_str());
  } else {
    std::fprintf(stderr,
                 "rollout worker BUILD | current BUILD | ramp BUILD PERCENT | show | order ID | "
                 "pay ID | stock | close, and HOST:PORT\n");
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollout: %s\n", error.what());
    return 1;
  }
}
