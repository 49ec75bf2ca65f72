// Matching: task queues, normal and sticky, and the polls that wait at them. A task says itself
// whether it is stale, and is dropped then when it meets a poller. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_MATCHING_H_
#define CHIMERA_SERVER_MATCHING_MATCHING_H_

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "server/loop/loop.h"
#include "server/loop/outbox.h"
#include "server/matching/task.h"

namespace chimera::server {

struct TaskQueue {
  std::map<int, std::deque<MatchTask>> tasks;  // By priority, lower first.
  std::list<Poller> pollers;                   // Longest waiting first.
  std::map<std::string, WallTime> seen;        // The last poll by identity, for five minutes.
  WallTime last_poll{};
  bool deserted = false;                   // Its worker has said goodbye; until the next poll.
  std::deque<WallTime> added, dispatched;  // Of the last 30 s.
  double rate_limit = 0;                   // Tasks a second, 0: none.
  WallTime next_dispatch{};                // With a rate limit.
  std::unique_ptr<Timer> rate_timer;
  bool idle() const;  // No task, perhaps a stale one, waits.
};

// Of the tasks that a poller would be given.
struct Backlog {
  std::int64_t count = 0;
  WallTime oldest = kNever;
};

class Matching {
 public:
  Matching(Loop& loop, Outbox& outbox) : loop_(loop), outbox_(outbox) {}

  void add(const QueueKey& key, MatchTask task);
  // Waits for a task; answers empty at the deadline. The call's type tells the queue's.
  void poll(const QueueKey& key, Poller poller, double rate_limit = 0);
  void match_all();  // Pairs what can be paired; called after every handler.
  // A poll waits there, or did in the last ten seconds.
  bool has_recent_poller(const QueueKey& key) const;
  // Answers the polls of a worker that shuts down with nothing, those that are open and those that
  // come late, and sends away what waits at its sticky queue.
  void shut_down_worker(const std::string& namespace_id, const std::string& worker_instance_key,
                        const std::string& sticky_queue);
  const TaskQueue* find(const QueueKey& key) const;
  Backlog backlog(const QueueKey& key) const;
  std::size_t size() const { return queues_.size(); }

 private:
  // Now and then: forgets queues that nobody has polled for long and whose tasks are all stale.
  // Every worker brings a sticky queue of its own.
  void sweep();
  void match(const QueueKey& key, TaskQueue& queue);
  void note_poll(TaskQueue& queue, const Poller& poller);
  void remove_poller(const QueueKey& key, const CallPtr& call, bool answer);

  WallTime now() const { return loop_.now(); }

  Loop& loop_;
  Outbox& outbox_;
  absl::flat_hash_map<QueueKey, std::unique_ptr<TaskQueue>> queues_;
  // Workers that have shut down, by namespace id and instance key: when.
  std::map<std::pair<std::string, std::string>, WallTime> gone_;
  std::vector<QueueKey> ready_;  // Changed since the last match_all().
  WallTime next_sweep_{};
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_MATCHING_H_
