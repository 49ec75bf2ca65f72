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
constexpr Nanos kLongPoll = seconds{60};
constexpr Nanos kPollMargin = seconds{1};

// Polls that are still open there are about to be cancelled. What waits there goes to the normal
// queues at once, instead of when it has timed out.
void desert(TaskQueue& sticky) {
  sticky.deserted = true;
  for (MatchTask& task : sticky.backlog.take_all()) {
    if (const auto owner = task.owner.lock()) owner->desert(std::move(task));
  }
}

// What the poll's answer says beside the task.
void advise(const QueueKey& key, TaskQueue& queue, const Poller& poller, WallTime now) {
  const int delta = queue.scaling(poller, now);
  const auto scale = [delta](auto& response) {
    if (delta != 0)
      response.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(delta);
  };
  if (key.type == enums::TASK_QUEUE_TYPE_ACTIVITY)
    return scale(poller.response<wf::PollActivityTaskQueueResponse>());
  if (key.type == enums::TASK_QUEUE_TYPE_NEXUS)
    return scale(poller.response<wf::PollNexusTaskQueueResponse>());
  auto& response = poller.response<wf::PollWorkflowTaskQueueResponse>();
  const auto& polled = poller.request<wf::PollWorkflowTaskQueueRequest>().task_queue();
  response.set_backlog_count_hint(polled.kind() == enums::TASK_QUEUE_KIND_STICKY
                                      ? queue.sticky_backlog_hint()
                                      : static_cast<std::int64_t>(queue.backlog.size()));
  scale(response);
}

}  // namespace

void Matching::sweep() {
  if (now() < next_sweep_) return;
  next_sweep_ = now() + kSweepEvery;
  std::erase_if(gone_, [this](const auto& item) { return now() - item.second > kPollerMemory; });
  absl::erase_if(queues_, [this](auto& item) {
    TaskQueue& queue = *item.second;
    if (!queue.pollers.empty()) return false;
    queue.backlog.erase_stale();
    if (!queue.backlog.empty() || now() - queue.last_poll <= kPollerMemory) return false;
    if (item.first.version.empty()) return !versions_.contains(item.first);
    const auto versions = versions_.find(item.first.with_version(""));
    versions->second.erase(item.first.version);
    if (versions->second.empty()) versions_.erase(versions);
    return true;
  });
}

const TaskQueue* Matching::find(const QueueKey& key) const {
  auto it = queues_.find(key);
  return it == queues_.end() ? nullptr : it->second.get();
}

QueueStats Matching::stats(const QueueKey& key) const {
  QueueStats all;
  const TaskQueue* queue = find(key);
  if (queue == nullptr) return all;
  for (const auto& [priority, stats] : queue->stats(now())) all.add(stats);
  return all;
}

TaskQueue& Matching::at(const QueueKey& key) {
  if (const auto found = queues_.find(key); found != queues_.end()) return *found->second;
  auto made = std::make_unique<TaskQueue>();
  if (!key.version.empty()) {
    made->limits = at(key.with_version("")).limits;
    versions_[key.with_version("")].insert(key.version);
  } else if (const auto* config = this->config(key)) {
    made->limits->configure(*config, now());
  }
  return *(queues_[key] = std::move(made));
}

std::vector<QueueKey> Matching::versions_of(const QueueKey& queue) const {
  std::vector<QueueKey> keys{queue};
  if (const auto found = versions_.find(queue); found != versions_.end()) {
    for (const std::string& version : found->second) keys.push_back(queue.with_version(version));
  }
  return keys;
}

void Matching::reroute(const QueueKey& queue) {
  struct Moved {
    QueueKey to;
    MatchTask task;
  };
  std::vector<Moved> moved;
  for (const QueueKey& key : versions_of(queue)) {
    const auto found = queues_.find(key);
    if (found == queues_.end()) continue;
    for (MatchTask& task : found->second->backlog.take_all()) {
      const auto owner = task.owner.lock();
      if (owner == nullptr || owner->is_stale(task)) continue;
      QueueKey to = key.with_version(owner->version_for(task, key));
      moved.push_back({std::move(to), std::move(task)});
    }
  }
  std::stable_sort(moved.begin(), moved.end(),
                   [](const Moved& a, const Moved& b) { return a.task.added < b.task.added; });
  for (Moved& each : moved) {
    TaskQueue& to = at(each.to);
    const double weight = to.limits->weight(each.task);
    to.backlog.add(std::move(each.task), weight);
    if (!to.pollers.empty()) ready_.push_back(std::move(each.to));
  }
}

void Matching::add(const QueueKey& key, MatchTask task) {
  sweep();
  TaskQueue& queue = at(key);
  queue.note_added(task.priority, now());
  const double weight = queue.limits->weight(task);
  queue.backlog.add(std::move(task), weight);
  // A stale task holds the memory of its run, and no poller may come to find it.
  if (queue.backlog.size() >= queue.stale_at) {
    queue.backlog.erase_stale();
    queue.stale_at = std::max(kStaleAtLeast, 2 * queue.backlog.size());
  }
  if (!queue.pollers.empty()) ready_.push_back(key);
}

void Matching::configure(const QueueKey& key, taskqueue::TaskQueueConfig config) {
  auto& kept = configs_[key];
  kept = std::move(config);
  auto queue = queues_.find(key);
  if (queue == queues_.end()) return;
  queue->second->limits->configure(kept, now());
  for (QueueKey& each : versions_of(key)) ready_.push_back(std::move(each));
}

const taskqueue::TaskQueueConfig* Matching::config(const QueueKey& key) const {
  auto it = configs_.find(key);
  return it == configs_.end() ? nullptr : &it->second;
}

QueueLimits::Effective Matching::limit(const QueueKey& key) const {
  if (const TaskQueue* queue = find(key)) return queue->limits->effective();
  QueueLimits limits;
  if (const auto* config = this->config(key)) limits.configure(*config, now());
  return limits.effective();
}

void Matching::poll(const QueueKey& key, Poller poller) {
  sweep();
  if (gone_.contains({key.namespace_id, poller.worker_instance_key}))
    return outbox_.finish(poller.call, absl::OkStatus());
  TaskQueue& queue = at(key);
  queue.note_poll(poller, now());
  poller.since = now();
  CallPtr call = poller.call;
  call->on_cancel = [this, key, call = call.get()] {
    remove_poller(key, CallPtr(call->shared_from_this()), /*answer=*/false);
  };
  poller.deadline =
      std::make_unique<Timer>([this, key, call] { remove_poller(key, call, /*answer=*/true); });
  loop_.patience().arm(
      *poller.deadline,
      now() + std::min<Nanos>(kLongPoll,
                              std::max<Nanos>(call->timeout - kPollMargin, milliseconds{1})));
  queue.pollers.push_back(std::move(poller));
  if (!queue.backlog.empty()) ready_.push_back(key);
}

void Matching::remove_poller(const QueueKey& key, const CallPtr& call, bool answer) {
  auto it = queues_.find(key);
  if (it == queues_.end()) return;
  auto& pollers = it->second->pollers;
  auto found =
      std::find_if(pollers.begin(), pollers.end(), [&](const Poller& p) { return p.call == call; });
  if (found == pollers.end()) return;
  const CallPtr keep = call;
  it->second->note_poll_end(*found, now());
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

std::optional<MatchTask> Matching::next_task(const QueueKey& key, TaskQueue& queue) {
  if (!queue.limits->any()) return queue.backlog.take([](const std::string&) { return true; });
  WallTime soonest = queue.limits->ready();
  std::optional<MatchTask> task;
  if (soonest <= now()) {
    soonest = kNever;
    task = queue.backlog.take([&](const std::string& fairness_key) {
      const WallTime ready = queue.limits->ready(fairness_key);
      soonest = std::min(soonest, ready);
      return ready <= now();
    });
  }
  if (task || soonest == kNever) return task;
  if (queue.limit_timer == nullptr)
    queue.limit_timer = std::make_unique<Timer>([this, key] { ready_.push_back(key); });
  loop_.patience().arm(*queue.limit_timer, soonest);
  return task;
}

void Matching::match(const QueueKey& key, TaskQueue& queue) {
  while (!queue.backlog.empty() && !queue.pollers.empty()) {
    std::optional<MatchTask> task = next_task(key, queue);
    if (!task) return;
    Poller& poller = queue.pollers.front();
    const auto owner = task->owner.lock();
    if (owner == nullptr || !owner->deliver(*task, key, poller)) continue;
    queue.limits->take(*task, now());
    queue.note_dispatched(task->priority, now());
    queue.note_poll_end(poller, now());
    advise(key, queue, poller, now());
    const CallPtr call = poller.call;
    queue.pollers.pop_front();
    outbox_.finish(call, absl::OkStatus());
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
    return std::tie(a.first.name, a.first.type, a.first.version) <
           std::tie(b.first.name, b.first.type, b.first.version);
  });
  for (const auto& [key, call] : calls) remove_poller(key, call, /*answer=*/true);
  const auto sticky = queues_.find({namespace_id, sticky_queue, enums::TASK_QUEUE_TYPE_WORKFLOW});
  if (!sticky_queue.empty() && sticky != queues_.end()) desert(*sticky->second);
}

}  // namespace chimera::server
