// Two builds of a shop's workflows, which one worker deployment rolls out. In a project each build
// is a commit, and its worker a program of its own; here they stand side by side.
// samples/python/rollout is the same, under the same names: either language may bring a build.
#ifndef CHIMERA_SAMPLES_CPP_ROLLOUT_ROLLOUT_H_
#define CHIMERA_SAMPLES_CPP_ROLLOUT_ROLLOUT_H_

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace rollout {

namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

inline constexpr char kDeployment[] = "shop", kTaskQueue[] = "shop", kStock[] = "stock";
constexpr auto kPinned = chimera::VersioningBehavior::kPinned;
constexpr auto kAutoUpgrade = chimera::VersioningBehavior::kAutoUpgrade;

// Of the worker that runs the code.
inline std::string build() { return workflow::info().current_deployment_version->build_id; }

// An order waits for its payment. It is pinned: whatever comes after it, it ends on the build that
// it began on, and the next build may do as it likes.
class Order {
 public:
  std::string run() {
    workflow::wait_condition([this] { return paid_; });
    return "paid, by build " + build();
  }
  void pay() { paid_ = true; }

 private:
  bool paid_ = false;
};
inline const auto kOrder =
    chimera::define_workflow<&Order::run>("Order").signal<&Order::pay>("pay").versioning_behavior(
        kPinned);

// As build 2.0 has it: nobody waits for ever. A run that build 1.0 began could not go on with this
// code, since its history has no timer.
class OrderWithEnd {
 public:
  std::string run() {
    const bool paid = workflow::wait_condition([this] { return paid_; }, 7 * 24h);
    return (paid ? "paid, by build " : "given up, by build ") + build();
  }
  void pay() { paid_ = true; }

 private:
  bool paid_ = false;
};
inline const auto kOrderWithEnd = chimera::define_workflow<&OrderWithEnd::run>("Order")
                                      .signal<&OrderWithEnd::pay>("pay")
                                      .versioning_behavior(kPinned);

// The one run that counts what was sold. It is auto-upgrade: it moves to the current build with its
// next task, so that each build has to be able to go on with what the one before has done.
class Stock {
 public:
  std::string run() {
    workflow::wait_condition([this] { return closed_; });
    return "sold " + std::to_string(sold_) + ", closed by build " + build();
  }
  void sell() { ++sold_; }
  void close() { closed_ = true; }
  std::string count() const {
    return "sold " + std::to_string(sold_) + ", counted by build " + build();
  }

 protected:
  std::int64_t sold_ = 0;
  bool closed_ = false;
};
inline const auto kStockOfOne = chimera::define_workflow<&Stock::run>("Stock")
                                    .signal<&Stock::sell>("sell")
                                    .signal<&Stock::close>("close")
                                    .query<&Stock::count>("count")
                                    .versioning_behavior(kAutoUpgrade);

// As build 2.0 has it: what is sold is looked at once more before the end. patched() keeps what
// build 1.0 has closed replayable.
class StockWithLook : public Stock {
 public:
  std::string run() {
    workflow::wait_condition([this] { return closed_; });
    if (workflow::patched("last-look")) workflow::sleep(100ms);
    return "sold " + std::to_string(sold_) + ", closed by build " + build();
  }
};
inline const auto kStockOfTwo = chimera::define_workflow<&StockWithLook::run>("Stock")
                                    .signal<&StockWithLook::sell>("sell")
                                    .signal<&StockWithLook::close>("close")
                                    .query<&StockWithLook::count>("count")
                                    .versioning_behavior(kAutoUpgrade);

// Throws std::invalid_argument for a build that there is not.
inline void add_to(chimera::Registry& worker, const std::string& build_id) {
  if (build_id == "1.0")
    worker.add(kOrder).add(kStockOfOne);
  else if (build_id == "2.0")
    worker.add(kOrderWithEnd).add(kStockOfTwo);
  else
    throw std::invalid_argument("there are builds 1.0 and 2.0, and no " + build_id);
}

inline chimera::WorkerOptions worker_options(const std::string& build_id) {
  return {.task_queue = kTaskQueue,
          .deployment = chimera::WorkerDeploymentConfig{
              .version = {.deployment_name = kDeployment, .build_id = build_id}}};
}

// A version is known as soon as its first worker has polled.
inline bool is_known(chimera::Client& client, const std::string& build_id) {
  const auto shop = client.get_worker_deployment_handle(kDeployment);
  try {
    return !shop.describe_version(build_id).task_queues.empty();
  } catch (const chimera::RpcError&) {
    return false;
  }
}

// Whether nothing needs the build's workers any more.
inline bool has_drained(chimera::Client& client, const std::string& build_id) {
  const auto shop = client.get_worker_deployment_handle(kDeployment);
  return shop.describe_version(build_id).info.status ==
         chimera::WorkerDeploymentVersionStatus::kDrained;
}

inline const char* name_of(chimera::WorkerDeploymentVersionStatus status) {
  using Status = chimera::WorkerDeploymentVersionStatus;
  switch (status) {
    case Status::kInactive:
      return "inactive";
    case Status::kCurrent:
      return "current";
    case Status::kRamping:
      return "ramping";
    case Status::kDraining:
      return "draining";
    case Status::kDrained:
      return "drained";
    case Status::kCreated:
      return "created";
    case Status::kUnspecified:
      break;
  }
  return "unknown";
}

}  // namespace rollout

#endif  // CHIMERA_SAMPLES_CPP_ROLLOUT_ROLLOUT_H_
