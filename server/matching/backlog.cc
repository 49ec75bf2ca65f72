#include "server/matching/backlog.h"

#include <algorithm>

namespace chimera::server {
namespace {

// A key of weight 1 is due every so many turns.
constexpr std::int64_t kStride = 1000;
constexpr double kLeastWeight = 0.001;

std::int64_t stride_of(double weight) {
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(kStride) / std::max(weight, kLeastWeight)));
}

}  // namespace

MatchTask Backlog::Lane::pop() {
  MatchTask task = std::move(tasks_[next_++].task);
  if (next_ == tasks_.size()) {
    tasks_.clear();
    next_ = 0;
  } else if (next_ > 64 && next_ > tasks_.size() / 2) {
    tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
  }
  return task;
}

void Backlog::Lane::erase_stale() {
  tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(next_));
  next_ = 0;
  std::erase_if(tasks_, [](const Waiting& waiting) { return !is_live(waiting.task); });
}

void Backlog::tidy(Level& level) {
  absl::erase_if(level.keyed, [&level](const auto& item) {
    return item.second->empty() && item.second->turn + kStride <= level.now;
  });
  level.tidy_at = std::max<std::size_t>(level.tidy_at, 2 * level.keyed.size());
}

// The genuine server's arithmetic: a key's turns are its stride apart, and one that was away long
// begins with the turn that is on.
void Backlog::add(MatchTask task, double weight) {
  Level& level = levels_[task.priority];
  Lane* lane = &level.plain;
  if (!task.fairness_key.empty()) {
    if (level.keyed.size() >= level.tidy_at) tidy(level);
    auto& keyed = level.keyed[task.fairness_key];
    if (keyed == nullptr) keyed = std::make_unique<Lane>(task.fairness_key);
    lane = keyed.get();
  }
  lane->turn = std::max(level.now, lane->turn + stride_of(weight));
  const Place place{lane->turn, ++came_};
  if (lane != &level.plain && lane->empty()) level.order[place] = lane;
  lane->push({place, std::move(task)});
  ++size_;
}

MatchTask Backlog::take_from(Level& level, Lane& lane) {
  const Place place = lane.front().place;
  level.now = std::max(level.now, place.first);
  --size_;
  MatchTask task = lane.pop();
  if (&lane == &level.plain) return task;
  level.order.erase(place);
  if (!lane.empty()) level.order[lane.front().place] = &lane;
  return task;
}

WallTime Backlog::oldest() const {
  WallTime oldest = kNever;
  for (const auto& [priority, level] : levels_) {
    if (!level.plain.empty()) oldest = std::min(oldest, level.plain.front().task.added);
    for (const auto& [place, lane] : level.order)
      oldest = std::min(oldest, lane->front().task.added);
  }
  return oldest;
}

std::vector<MatchTask> Backlog::take_all() {
  std::vector<MatchTask> all;
  while (auto task = take([](const std::string&) { return true; })) all.push_back(*std::move(task));
  return all;
}

void Backlog::erase_stale() {
  size_ = 0;
  for (auto& [priority, level] : levels_) {
    level.plain.erase_stale();
    size_ += level.plain.size();
    level.order.clear();
    for (auto& [key, lane] : level.keyed) {
      lane->erase_stale();
      size_ += lane->size();
      if (!lane->empty()) level.order[lane->front().place] = lane.get();
    }
    tidy(level);
  }
}

}  // namespace chimera::server
