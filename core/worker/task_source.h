// TaskSource, one kind of task that a worker polls for: how a poll looks, which slots its tasks
// take, where they go, and what is counted. PollerBehavior: how many polls wait at a time.
#ifndef CHIMERA_CORE_WORKER_TASK_SOURCE_H_
#define CHIMERA_CORE_WORKER_TASK_SOURCE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/slot_supplier.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/worker_figures.h"
#include "core/worker/rpc_call.h"

namespace chimera::core {

template <class RequestType, class ReplyType>
struct TaskSource {
  using Request = RequestType;
  using Reply = ReplyType;

  std::string_view method;
  CallOptions call;  // Of each poll.
  std::function<std::unique_ptr<Request>()> request;
  std::shared_ptr<base::SlotSupplier> slots;
  base::SlotRequest slot;
  // A task came; on a transport's thread.
  std::function<void(Shared<Reply>, base::SlotSupplier::Permit)> task;
  // Null: not counted.
  Counter* empty = nullptr;    // Polls that ended without a task.
  Gauge* under_way = nullptr;  // Polls that wait at the server.
  PollFigures* figures = nullptr;
};

// How a poll ended.
struct PollResult {
  bool task = false;
  std::optional<int> advice;  // The server's: so many polls more, or fewer.
};

// Asked and told by the poller; any thread.
class PollerBehavior {
 public:
  virtual ~PollerBehavior() = default;
  // How many polls may ever wait at a time; the poller's places.
  virtual int polls() const = 0;
  // How many may now; at least 1.
  virtual int target() { return polls(); }
  // Of the next poll; none: the source's.
  virtual std::optional<std::chrono::milliseconds> timeout() { return std::nullopt; }
  virtual void ended(const PollResult& /*result*/) {}
  // The server refused one for want of resources; it is tried again.
  virtual void refused() {}
  // At most so many polls begin a second, over all places; 0: no limit.
  virtual double per_second() const = 0;
};

class FixedPolls : public PollerBehavior {
 public:
  explicit FixedPolls(int polls, double per_second = 0) : polls_(polls), per_second_(per_second) {}
  int polls() const override { return polls_; }
  double per_second() const override { return per_second_; }

 private:
  const int polls_;
  const double per_second_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_TASK_SOURCE_H_
