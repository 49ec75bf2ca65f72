// Matching: task queues, normal and sticky, and the polls that wait at them. A task says itself
// whether it is stale, and is dropped then when it meets a poller. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_MATCHING_H_
#define CHIMERA_SERVER_MATCHING_MATCHING_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "server/loop/loop.h"
#include "server/loop/outbox.h"
#include "server/matching/queue.h"
#include "server/matching/task.h"

namespace chimera::server {

class Matching {
 public:
  Matching(Loop& loop, Outbox& outbox) : loop_(loop), outbox_(outbox) {}

  void add(const QueueKey& key, MatchTask task);
  // Waits for a task; answers empty at the deadline. The call's type tells the queue's.
  void poll(const QueueKey& key, Poller poller);
  void match_all();  // Pairs what can be paired; called after every handler.
  // A poll waits there, or did in the last ten seconds.
  bool has_recent_poller(const QueueKey& key) const;
  // Answers the polls of a worker that shuts down with nothing, those that are open and those that
  // come late, and sends away what waits at its sticky queue.
  void shut_down_worker(const std::string& namespace_id, const std::string& worker_instance_key,
                        const std::string& sticky_queue);
  const TaskQueue* find(const QueueKey& key) const;
  // Of a key without a version: it, and those of its versions that are in use.
  std::vector<QueueKey> versions_of(const QueueKey& queue) const;
  // Waiting tasks of all versions of the queue go where their owners say now.
  void reroute(const QueueKey& queue);
  QueueStats stats(const QueueKey& key) const;  // Of all priorities.
  // How the queue's tasks are to be given out, from now on; kept when the queue is forgotten.
  void configure(const QueueKey& key, taskqueue::TaskQueueConfig config);
  const taskqueue::TaskQueueConfig* config(const QueueKey& key) const;  // Null: never configured.
  QueueLimits::Effective limit(const QueueKey& key) const;
  std::size_t size() const { return queues_.size(); }

 private:
  // Now and then: forgets queues that nobody has polled for long and whose tasks are all stale.
  // Every worker brings a sticky queue of its own.
  void sweep();
  void match(const QueueKey& key, TaskQueue& queue);
  // The next task that the queue's limits let go; if there is none, comes back when there is.
  std::optional<MatchTask> next_task(const QueueKey& key, TaskQueue& queue);
  TaskQueue& at(const QueueKey& key);
  void remove_poller(const QueueKey& key, const CallPtr& call, bool answer);

  WallTime now() const { return loop_.real_now(); }  // Workers wait by clocks of their own.

  Loop& loop_;
  Outbox& outbox_;
  absl::flat_hash_map<QueueKey, std::unique_ptr<TaskQueue>> queues_;
  absl::flat_hash_map<QueueKey, std::set<std::string>> versions_;  // By the keys without one.
  absl::flat_hash_map<QueueKey, taskqueue::TaskQueueConfig> configs_;
  // Workers that have shut down, by namespace id and instance key: when.
  std::map<std::pair<std::string, std::string>, WallTime> gone_;
  std::vector<QueueKey> ready_;  // Changed since the last match_all().
  WallTime next_sweep_{};
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_MATCHING_H_
