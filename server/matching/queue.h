// TaskQueue, one queue: its tasks, the polls that wait there, and what is told of both. Loop
// thread.
#ifndef CHIMERA_SERVER_MATCHING_QUEUE_H_
#define CHIMERA_SERVER_MATCHING_QUEUE_H_

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/matching/backlog.h"
#include "server/matching/limits.h"
#include "server/matching/rates.h"
#include "server/matching/task.h"

namespace chimera::server {

// A worker that polls, or did lately, as its last poll said.
struct SeenPoller {
  WallTime last{};
  int polls = 0;  // That wait.
  double max_tasks_per_second = kUnlimitedRate;
  std::optional<common::WorkerVersionCapabilities> capabilities;
  std::optional<::temporal::api::deployment::v1::WorkerDeploymentOptions> deployment;
};

// Of the tasks of one priority, or of all.
struct QueueStats {
  std::int64_t backlog = 0;
  Nanos age{};  // Of the oldest in the backlog.
  float added_per_second = 0, dispatched_per_second = 0;
  void add(const QueueStats& more);
};

inline constexpr std::size_t kStaleAtLeast = 1000;

struct TaskQueue {
  Backlog backlog;
  std::size_t stale_at = kStaleAtLeast;    // So many tasks are looked through for stale ones.
  std::list<Poller> pollers;               // Longest waiting first.
  std::map<std::string, SeenPoller> seen;  // By identity, for five minutes.
  WallTime last_poll{};
  std::size_t most_polls = 0;  // That waited at a time.
  bool deserted = false;       // Its worker has said goodbye; until the next poll.
  std::shared_ptr<QueueLimits> limits = std::make_shared<QueueLimits>();  // Of all its versions.
  std::unique_ptr<Timer> limit_timer;

  void note_added(int priority, WallTime now) { traffic(priority, now).added.count(now); }
  void note_dispatched(int priority, WallTime now) { traffic(priority, now).dispatched.count(now); }
  void note_poll(Poller& poller, WallTime now);
  void note_poll_end(Poller& poller, WallTime now);
  // By priority; stale tasks do not count.
  std::map<int, QueueStats> stats(WallTime now) const;
  // What a sticky queue's poll is told of the tasks behind its own. The Go SDK sends all its polls
  // to the sticky queue when that is more than nothing, until an answer from there says otherwise:
  // for a whole long poll if the last one was told of tasks that others took or that are stale. So
  // only a backlog is told that its polls will not have emptied when the answer is read.
  std::int64_t sticky_backlog_hint();
  // Whether the poller, which was just given a task, should have more like it, or fewer: 1, 0, -1.
  int scaling(const Poller& poller, WallTime now);

 private:
  struct Traffic {
    explicit Traffic(WallTime now) : added(now), dispatched(now) {}
    RateTracker added, dispatched;
  };
  Traffic& traffic(int priority, WallTime now) {
    return traffic_.try_emplace(priority, now).first->second;
  }
  bool falls_behind(WallTime now) const;

  std::map<int, Traffic> traffic_;  // By priority.
  Limiter advice_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_QUEUE_H_
