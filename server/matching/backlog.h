// Backlog, the tasks that wait at one queue, in the order in which they go: by priority, and in
// one by fairness. Each fairness key has its turn as often as its weight says, and the tasks of a
// key go as they came. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_BACKLOG_H_
#define CHIMERA_SERVER_MATCHING_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "server/matching/task.h"

namespace chimera::server {

class Backlog {
 public:
  // `weight`, above 0, of the task's key.
  void add(MatchTask task, double weight);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }  // With those that are stale.
  WallTime oldest() const;                    // When it was added; kNever: none waits.
  // The next whose key may go; none if there is none. `may_go` is asked once for each key at most
  // of a priority.
  template <class MayGo>
  std::optional<MatchTask> take(MayGo may_go) {
    for (auto& [priority, level] : levels_) {
      if (std::optional<MatchTask> task = take_of(level, may_go)) return task;
    }
    return std::nullopt;
  }
  std::vector<MatchTask> take_all();
  void erase_stale();
  template <class Visit>  // Called with each task.
  void each(Visit visit) const {
    for (const auto& [priority, level] : levels_) {
      level.plain.each(visit);
      for (const auto& [key, lane] : level.keyed) lane->each(visit);
    }
  }

 private:
  // A task's place among those of its priority: the turn that it is due, then its coming.
  using Place = std::pair<std::int64_t, std::uint64_t>;
  struct Waiting {
    Place place;
    MatchTask task;
  };
  // The tasks of one key, first come first. Room that was needed once is kept.
  class Lane {
   public:
    explicit Lane(std::string key = "") : key(std::move(key)) {}
    bool empty() const { return next_ == tasks_.size(); }
    const Waiting& front() const { return tasks_[next_]; }
    std::size_t size() const { return tasks_.size() - next_; }
    void push(Waiting waiting) { tasks_.push_back(std::move(waiting)); }
    MatchTask pop();
    void erase_stale();
    template <class Visit>
    void each(Visit visit) const {
      for (std::size_t i = next_; i < tasks_.size(); ++i) visit(tasks_[i].task);
    }

    const std::string key;
    std::int64_t turn = 0;  // Of the task that came last.

   private:
    std::vector<Waiting> tasks_;
    std::size_t next_ = 0;
  };
  struct Level {
    Lane plain;  // Of tasks without a key.
    absl::flat_hash_map<std::string, std::unique_ptr<Lane>> keyed;
    std::map<Place, Lane*> order;  // The keyed ones that have tasks, by their first.
    std::int64_t now = 0;          // The turn of the task that went last.
    std::size_t tidy_at = 1000;    // So many keys.
  };

  template <class MayGo>
  std::optional<MatchTask> take_of(Level& level, MayGo& may_go) {
    auto next = level.order.begin();
    bool plain_waits = !level.plain.empty();
    while (plain_waits || next != level.order.end()) {
      const bool plain =
          plain_waits && (next == level.order.end() || level.plain.front().place < next->first);
      Lane& lane = plain ? level.plain : *next->second;
      if (may_go(lane.key)) return take_from(level, lane);
      if (plain)
        plain_waits = false;
      else
        ++next;
    }
    return std::nullopt;
  }
  MatchTask take_from(Level& level, Lane& lane);
  // Forgets keys that have no tasks and whose last turn is long over.
  static void tidy(Level& level);

  std::map<int, Level> levels_;  // By priority, lower first.
  std::size_t size_ = 0;
  std::uint64_t came_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_BACKLOG_H_
