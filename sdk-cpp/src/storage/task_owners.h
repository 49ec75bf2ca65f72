// TaskOwners, whose the tasks of a connection are, by their tokens: answers do not say it. Forgets
// the oldest of many. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_STORAGE_TASK_OWNERS_H_
#define CHIMERA_SDK_CPP_SRC_STORAGE_TASK_OWNERS_H_

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "chimera/external_storage.h"

namespace chimera::sdk {

struct TaskOwner {
  StorageTarget values;      // Of what the task is answered with,
  StorageTarget heartbeats;  // and of an activity's heartbeats.
};

class TaskOwners {
 public:
  void note(const std::string& token, TaskOwner owner) {
    absl::MutexLock lock(&mutex_);
    if (newer_.size() >= kMost) older_ = std::exchange(newer_, {});
    newer_.insert_or_assign(token, std::move(owner));
  }
  std::optional<TaskOwner> find(const std::string& token) const {
    absl::MutexLock lock(&mutex_);
    for (const auto* owners : {&newer_, &older_})
      if (const auto found = owners->find(token); found != owners->end()) return found->second;
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kMost = 2000;
  using Owners = std::unordered_map<std::string, TaskOwner>;
  mutable absl::Mutex mutex_;
  Owners newer_ ABSL_GUARDED_BY(mutex_), older_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STORAGE_TASK_OWNERS_H_
