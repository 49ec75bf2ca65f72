#include "server/matching/matching.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace chimera::server {
namespace {
constexpr Nanos kStickyPollerWindow = seconds{10};
constexpr Nanos kPollerMemory = std::chrono::minutes{5};
constexpr Nanos kSweepEvery = std::chrono::minutes{1};
constexpr Nanos kRateWindow = seconds{30};
constexpr Nanos kLongPoll = seconds{60};
constexpr Nanos kPollMargin = seconds{1};
constexpr std::size_t kRatesKept = 4096;

void note(std::deque<WallTime>& times, WallTime now) {
  times.push_back(now);
  while (times.size() > kRatesKept || (!times.empty() && now - times.front() > kRateWindow))
    times.pop_front();
}

bool is_live(const MatchTask& task) {
  const auto owner = task.owner.lock();
  return owner != nullptr && !owner->is_stale(task);
}

// Polls that are still open there are about to be cancelled. What waits there goes to the normal
// queues at once, instead of when it has timed out.
void desert(TaskQueue& sticky) {
  sticky.deserted = true;
  auto waiting = std::exchange(sticky.tasks, {});
  for (auto& [priority, level] : waiting) {
    for (MatchTask& task : level) {
      if (const auto owner = task.owner.lock()) owner->desert(std::move(task));
    }
  }
}

}  // namespace

bool TaskQueue::idle() const {
  return std::all_of(tasks.begin(), tasks.end(),
                     [](const auto& level) { return level.second.empty(); });
}

Backlog Matching::backlog(const QueueKey& key) const {
  Backlog backlog;
  const TaskQueue* queue = find(key);
  if (queue == nullptr) return backlog;
  for (const auto& [priority, level] : queue->tasks) {
    for (const MatchTask& task : level) {
      if (!is_live(task)) continue;
      ++backlog.count;
      backlog.oldest = std::min(backlog.oldest, task.added);
    }
  }
  return backlog;
}

void Matching::sweep() {
  if (now() < next_sweep_) return;
  next_sweep_ = now() + kSweepEvery;
  std::erase_if(gone_, [this](const auto& item) { return now() - item.second > kPollerMemory; });
  absl::erase_if(queues_, [this](auto& item) {
    TaskQueue& queue = *item.second;
    if (!queue.pollers.empty()) return false;
    for (auto& [priority, level] : queue.tasks)
      std::erase_if(level, [](const MatchTask& task) { return !is_live(task); });
    return queue.idle() && now() - queue.last_poll > kPollerMemory;
  });
}

const TaskQueue* Matching::find(const QueueKey& key) const {
  auto it = queues_.find(key);
  return it == queues_.end() ? nullptr : it->second.get();
}

void Matching::add(const QueueKey& key, MatchTask task) {
  sweep();
  auto& queue = queues_[key];
  if (queue == nullptr) queue = std::make_unique<TaskQueue>();
  note(queue->added, now());
  queue->tasks[task.priority].push_back(std::move(task));
  if (!queue->pollers.empty()) ready_.push_back(key);
}

void Matching::note_poll(TaskQueue& queue, const Poller& poller) {
  queue.last_poll = now();
  queue.deserted = false;
  queue.seen[poller.identity] = now();
  if (queue.seen.size() > 16) {
    std::erase_if(queue.seen,
                  [this](const auto& item) { return now() - item.second > kPollerMemory; });
  }
}

void Matching::poll(const QueueKey& key, Poller poller, double rate_limit) {
  sweep();
  if (gone_.contains({key.namespace_id, poller.worker_instance_key}))
    return outbox_.finish(poller.call, absl::OkStatus());
  auto& queue = queues_[key];
  if (queue == nullptr) queue = std::make_unique<TaskQueue>();
  if (rate_limit > 0) queue->rate_limit = rate_limit;
  note_poll(*queue, poller);
  poller.since = now();
  CallPtr call = poller.call;
  call->on_cancel = [this, key, call = call.get()] {
    remove_poller(key, CallPtr(call->shared_from_this()), /*answer=*/false);
  };
  poller.deadline =
      std::make_unique<Timer>([this, key, call] { remove_poller(key, call, /*answer=*/true); });
  loop_.timers().arm(*poller.deadline,
                     now() + std::min<Nanos>(kLongPoll, std::max<Nanos>(call->timeout - kPollMargin,
                                                                        milliseconds{1})));
  queue->pollers.push_back(std::move(poller));
  if (!queue->idle()) ready_.push_back(key);
}

void Matching::remove_poller(const QueueKey& key, const CallPtr& call, bool answer) {
  auto it = queues_.find(key);
  if (it == queues_.end()) return;
  auto& pollers = it->second->pollers;
  auto found =
      std::find_if(pollers.begin(), pollers.end(), [&](const Poller& p) { return p.call == call; });
  if (found == pollers.end()) return;
  const CallPtr keep = call;
  it->second->last_poll = now();
  // The timer that is firing belongs to this poller: let it go after it has returned.
  outbox_.follow_up([poller = std::make_shared<Poller>(std::move(*found))] {});
  pollers.erase(found);
  if (answer) outbox_.finish(keep, absl::OkStatus());
}

bool Matching::has_recent_poller(const QueueKey& key) const {
  const TaskQueue* queue = find(key);
  if (queue == nullptr || queue->deserted) return false;
  return !queue->pollers.empty() ||
         (queue->last_poll != kUnset && now() - queue->last_poll < kStickyPollerWindow);
}

void Matching::match_all() {
  while (!ready_.empty()) {
    std::vector<QueueKey> ready = std::move(ready_);
    ready_.clear();
    for (const QueueKey& key : ready) {
      auto it = queues_.find(key);
      if (it != queues_.end()) match(key, *it->second);
    }
  }
}

void Matching::match(const QueueKey& key, TaskQueue& queue) {
  for (auto& [priority, level] : queue.tasks) {
    while (!level.empty() && !queue.pollers.empty()) {
      if (queue.rate_limit > 0 && now() < queue.next_dispatch) {
        if (queue.rate_timer == nullptr) {
          queue.rate_timer = std::make_unique<Timer>([this, key] { ready_.push_back(key); });
        }
        loop_.timers().arm(*queue.rate_timer, queue.next_dispatch);
        return;
      }
      MatchTask task = std::move(level.front());
      level.pop_front();
      Poller& poller = queue.pollers.front();
      const auto owner = task.owner.lock();
      if (owner == nullptr || !owner->deliver(task, key, poller)) continue;
      const CallPtr call = poller.call;
      queue.pollers.pop_front();
      note(queue.dispatched, now());
      if (queue.rate_limit > 0) {
        queue.next_dispatch = std::max(queue.next_dispatch, now()) +
                              Nanos{static_cast<std::int64_t>(1e9 / queue.rate_limit)};
      }
      outbox_.finish(call, absl::OkStatus());
    }
  }
}

void Matching::shut_down_worker(const std::string& namespace_id,
                                const std::string& worker_instance_key,
                                const std::string& sticky_queue) {
  if (!worker_instance_key.empty()) gone_[{namespace_id, worker_instance_key}] = now();
  std::vector<std::pair<QueueKey, CallPtr>> calls;
  for (auto& [key, queue] : queues_) {
    if (key.namespace_id != namespace_id) continue;
    for (const Poller& poller : queue->pollers) {
      if (!worker_instance_key.empty() && poller.worker_instance_key == worker_instance_key)
        calls.emplace_back(key, poller.call);
    }
  }
  // The map's own order differs from process to process.
  std::stable_sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.name, a.first.type) < std::tie(b.first.name, b.first.type);
  });
  for (const auto& [key, call] : calls) remove_poller(key, call, /*answer=*/true);
  const auto sticky = queues_.find({namespace_id, sticky_queue, enums::TASK_QUEUE_TYPE_WORKFLOW});
  if (!sticky_queue.empty() && sticky != queues_.end()) desert(*sticky->second);
}

}  // namespace chimera::server
