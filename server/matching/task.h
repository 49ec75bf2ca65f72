// What waits at a task queue, and who it belongs to. Matching knows no more of either. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_TASK_H_
#define CHIMERA_SERVER_MATCHING_TASK_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "temporal/api/deployment/v1/message.pb.h"
#include "temporal/api/enums/v1/task_queue.pb.h"

#include "server/base/call.h"
#include "server/base/types.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

struct QueueKey {
  std::string namespace_id, name;
  enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_WORKFLOW;
  std::string version = {};  // Of the workers that poll there; empty: those without one.
  bool operator==(const QueueKey&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const QueueKey& key) {
    return H::combine(std::move(h), key.namespace_id, key.name, static_cast<int>(key.type),
                      key.version);
  }
  QueueKey with_version(std::string other) const {
    return {namespace_id, name, type, std::move(other)};
  }
};

class TaskOwner;

inline constexpr int kDefaultPriority = 3;
inline constexpr int kLastPriority = 5;

// A task is derived state: its owner knows what it stands for, and may end before it.
struct MatchTask {
  std::weak_ptr<TaskOwner> owner;
  std::uint64_t stamp = 0;  // The owner's: which attempt this is.
  std::int64_t id = 0;      // The owner's: which of its tasks this is.
  WallTime added{};
  int priority = kDefaultPriority;  // 1 to kLastPriority; lower is earlier.
  std::string fairness_key;         // Keys of one priority take turns.
  float fairness_weight = 0;        // How often it is its key's turn; 0: once.

  // What is unset stays as it is; beyond the last is the last.
  void prioritize(const common::Priority& by);
};

struct SeenPoller;  // queue.h

struct Poller {
  CallPtr call;
  std::string identity, worker_instance_key;
  // What else it says of itself. The messages are the request's; null: it does not say.
  const common::WorkerVersionCapabilities* capabilities = nullptr;
  const ::temporal::api::deployment::v1::WorkerDeploymentOptions* deployment = nullptr;
  std::optional<double> max_tasks_per_second;
  WallTime since{};
  SeenPoller* seen = nullptr;  // Matching's.
  std::unique_ptr<Timer> deadline;

  template <class Request>
  const Request& request() const {
    return static_cast<const Request&>(*call->request);
  }
  template <class Response>
  Response& response() const {
    return static_cast<Response&>(*call->response);
  }
};

class TaskOwner {
 public:
  virtual ~TaskOwner() = default;
  // Nobody waits for the task any more: it was taken, withdrawn or replaced, or all is over.
  virtual bool is_stale(const MatchTask& task) const = 0;
  // Starts the task for the poll and fills its response. False: it is stale.
  virtual bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) = 0;
  // The one worker of its queue has said goodbye, and the task was taken out: it may go elsewhere.
  virtual void desert(MatchTask task) = 0;
  // Of the queue's versions the one whose workers are to have it now.
  virtual std::string version_for(const MatchTask&, const QueueKey& queue) const {
    return queue.version;
  }
};

inline bool is_live(const MatchTask& task) {
  const auto owner = task.owner.lock();
  return owner != nullptr && !owner->is_stale(task);
}

inline void MatchTask::prioritize(const common::Priority& by) {
  if (by.priority_key() > 0) priority = std::min(by.priority_key(), kLastPriority);
  if (!by.fairness_key().empty()) fairness_key = by.fairness_key();
  if (by.fairness_weight() != 0) fairness_weight = by.fairness_weight();
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_TASK_H_
