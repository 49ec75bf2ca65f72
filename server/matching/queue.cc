#include "server/matching/queue.h"

#include <algorithm>

namespace chimera::server {
namespace {

constexpr Nanos kPollerMemory = std::chrono::minutes{5};
constexpr std::size_t kPollersKept = 16;  // More are looked through when one is added.
// When the number of polls should change, and how often that is said for each poller: the genuine
// server's defaults.
constexpr Nanos kIdle = seconds{1};
constexpr Nanos kBehind = milliseconds{200};
constexpr float kBehindRatio = 1.2F;
constexpr double kAdvicePerSecond = 10;
// How many tasks each poll of a worker may be given before the worker has read the first answer.
constexpr std::size_t kAnswersUnread = 4;

template <class Message>
void keep(const Message* from, std::optional<Message>& to) {
  if (from == nullptr) return to.reset();
  if (!to) to.emplace();
  to->CopyFrom(*from);  // Reuses the room that it has.
}

}  // namespace

void QueueStats::add(const QueueStats& more) {
  backlog += more.backlog;
  age = std::max(age, more.age);
  added_per_second += more.added_per_second;
  dispatched_per_second += more.dispatched_per_second;
}

void TaskQueue::note_poll(Poller& poller, WallTime now) {
  last_poll = now;
  deserted = false;
  most_polls = std::max(most_polls, pollers.size() + 1);
  limits->set_worker_rate(poller.max_tasks_per_second, now);
  if (poller.identity.empty()) return;
  if (seen.size() > kPollersKept) {
    std::erase_if(seen, [now](const auto& item) {
      return item.second.polls == 0 && now - item.second.last > kPollerMemory;
    });
  }
  SeenPoller& about = seen[poller.identity];
  about.last = now;
  ++about.polls;
  about.max_tasks_per_second = poller.max_tasks_per_second.value_or(kUnlimitedRate);
  keep(poller.capabilities, about.capabilities);
  keep(poller.deployment, about.deployment);
  poller.seen = &about;
}

std::int64_t TaskQueue::sticky_backlog_hint() {
  const std::size_t soon = kAnswersUnread * std::max<std::size_t>(most_polls, 1);
  if (backlog.size() <= soon) return 0;
  // Of so many, Matching has taken the stale ones away; each poll would look through all again.
  if (backlog.size() > kStaleAtLeast) return static_cast<std::int64_t>(backlog.size());
  std::size_t live = 0;
  backlog.each([&live](const MatchTask& task) { live += is_live(task); });
  if (live < backlog.size() / 2) backlog.erase_stale();
  return live <= soon ? 0 : static_cast<std::int64_t>(live);
}

void TaskQueue::note_poll_end(Poller& poller, WallTime now) {
  last_poll = now;
  if (poller.seen == nullptr) return;
  poller.seen->last = now;
  --poller.seen->polls;
}

std::map<int, QueueStats> TaskQueue::stats(WallTime now) const {
  std::map<int, QueueStats> stats;
  stats[kDefaultPriority];
  backlog.each([&](const MatchTask& task) {
    if (!is_live(task)) return;
    QueueStats& of = stats[task.priority];
    ++of.backlog;
    of.age = std::max<Nanos>(of.age, now - task.added);
  });
  for (const auto& [priority, traffic] : traffic_) {
    stats[priority].added_per_second = traffic.added.per_second(now);
    stats[priority].dispatched_per_second = traffic.dispatched.per_second(now);
  }
  return stats;
}

bool TaskQueue::falls_behind(WallTime now) const {
  if (!backlog.empty() && now - backlog.oldest() > kBehind) return true;
  float added = 0, dispatched = 0;
  for (const auto& [priority, traffic] : traffic_) {
    added += traffic.added.per_second(now);
    dispatched += traffic.dispatched.per_second(now);
  }
  return added > kBehindRatio * dispatched;
}

int TaskQueue::scaling(const Poller& poller, WallTime now) {
  if (now - poller.since >= kIdle) return -1;
  if (advice_.ready() > now) return 0;
  const double pollers = static_cast<double>(std::max<std::size_t>(seen.size(), 1));
  advice_.take(Rate::per_second(kAdvicePerSecond * pollers), now);
  return falls_behind(now) ? 1 : 0;
}

}  // namespace chimera::server
