// RunCache, the sticky cache: in which order its runs were used, and how much they hold.
// Knows the runs by a handle of the owner's; bounded by count and by bytes. One lane's; lane thread
// only.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_CACHE_H_
#define CHIMERA_CORE_WORKFLOW_RUN_CACHE_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace chimera::core {

template <class Entry>
class RunCache {
 public:
  RunCache(std::size_t runs_max, std::size_t bytes_max)
      : runs_max_(runs_max), bytes_max_(bytes_max) {}

  // Marks the run as just used; null if it is not cached.
  std::shared_ptr<Entry> find(const std::string& run_id) {
    const auto found = by_id_.find(run_id);
    if (found == by_id_.end()) return nullptr;
    runs_.splice(runs_.begin(), runs_, found->second);
    return runs_.front().entry;
  }
  void insert(const std::string& run_id, std::shared_ptr<Entry> entry) {
    runs_.push_front({run_id, std::move(entry), 0});
    by_id_[run_id] = runs_.begin();
  }
  void erase(const std::string& run_id) {
    const auto found = by_id_.find(run_id);
    if (found == by_id_.end()) return;
    bytes_ -= found->second->bytes;
    runs_.erase(found->second);
    by_id_.erase(found);
  }
  void set_bytes(const std::string& run_id, std::size_t bytes) {
    const auto found = by_id_.find(run_id);
    if (found == by_id_.end()) return;
    bytes_ = bytes_ - found->second->bytes + bytes;
    found->second->bytes = bytes;
  }

  std::size_t runs_max() const { return runs_max_; }
  // There is room for one more run.
  bool has_room() const { return runs_.size() < runs_max_; }
  bool too_many_bytes() const { return bytes_ > bytes_max_; }
  // The run used longest ago of those that may leave; null if none may.
  template <class MayLeave>
  std::shared_ptr<Entry> oldest(MayLeave may_leave) const {
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
      if (may_leave(*run->entry)) return run->entry;
    }
    return nullptr;
  }

  std::size_t size() const { return runs_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Run {
    std::string id;
    std::shared_ptr<Entry> entry;  // Shared with the callbacks under way for the run.
    std::size_t bytes;
  };
  const std::size_t runs_max_, bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Run> runs_;  // Most recently used first.
  absl::flat_hash_map<std::string, typename std::list<Run>::iterator> by_id_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_CACHE_H_
