// What waits at a task queue, and who it belongs to. Matching knows no more of either. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_TASK_H_
#define CHIMERA_SERVER_MATCHING_TASK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "temporal/api/enums/v1/task_queue.pb.h"

#include "server/base/call.h"
#include "server/base/types.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

struct QueueKey {
  std::string namespace_id, name;
  enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_WORKFLOW;
  bool operator==(const QueueKey&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const QueueKey& key) {
    return H::combine(std::move(h), key.namespace_id, key.name, static_cast<int>(key.type));
  }
};

class TaskOwner;

// A task is derived state: its owner knows what it stands for, and may end before it.
struct MatchTask {
  std::weak_ptr<TaskOwner> owner;
  std::uint64_t stamp = 0;  // The owner's: which attempt this is.
  std::int64_t id = 0;      // The owner's: which of its tasks this is.
  WallTime added{};
  int priority = 3;  // Lower is earlier.
};

struct Poller {
  CallPtr call;
  std::string identity, worker_instance_key;
  WallTime since{};
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
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_TASK_H_
