// UnderWay, what is under way, by its name, and who waits until nothing is. Any thread.
#ifndef CHIMERA_CORE_BASE_UNDER_WAY_H_
#define CHIMERA_CORE_BASE_UNDER_WAY_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace chimera::base {

template <class T>
class UnderWay {
 public:
  void add(const std::string& name, std::shared_ptr<T> one) {
    absl::MutexLock lock(&mutex_);
    all_[name] = std::move(one);
  }
  // Null: it has ended.
  std::shared_ptr<T> find(const std::string& name) const {
    absl::MutexLock lock(&mutex_);
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : found->second;
  }
  // In order of their names: the map's own differs from process to process.
  std::vector<std::shared_ptr<T>> all() const {
    std::vector<std::pair<std::string, std::shared_ptr<T>>> named;
    {
      absl::MutexLock lock(&mutex_);
      named.assign(all_.begin(), all_.end());
    }
    std::sort(named.begin(), named.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::shared_ptr<T>> sorted;
    for (auto& [name, one] : named) sorted.push_back(std::move(one));
    return sorted;
  }
  bool empty() const {
    absl::MutexLock lock(&mutex_);
    return all_.empty();
  }

  // The one of this name has ended. Those who wait for the last may end this object.
  void ended(const std::string& name) {
    std::shared_ptr<T> last;  // Released without the lock.
    std::vector<absl::AnyInvocable<void() &&>> told;
    {
      absl::MutexLock lock(&mutex_);
      const auto found = all_.find(name);
      if (found == all_.end()) return;
      last = std::move(found->second);
      all_.erase(found);
      if (all_.empty()) told.swap(when_none_);
    }
    for (auto& then : told) std::move(then)();
  }
  // Runs `then` when nothing is under way: at once, or on the thread that ends the last.
  void when_none(absl::AnyInvocable<void() &&> then) {
    {
      absl::MutexLock lock(&mutex_);
      if (!all_.empty()) {
        when_none_.push_back(std::move(then));
        return;
      }
    }
    std::move(then)();
  }

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<T>> all_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::AnyInvocable<void() &&>> when_none_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_UNDER_WAY_H_
