// Tasks, what Python runs of one kind of task, by their tokens, and the callbacks by which it hears
// of them. Any thread; nothing of Python's is called or dropped with the lock held.
#ifndef CHIMERA_BINDINGS_PYTHON_TASKS_H_
#define CHIMERA_BINDINGS_PYTHON_TASKS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "bindings/python/queue.h"

namespace chimera::bindings {

// `Running` is copied: what the end of a task takes.
template <class Running>
class Tasks {
 public:
  // With the GIL.
  Tasks(std::shared_ptr<Queue> queue, py::object start, py::object cancel)
      : queue_(std::move(queue)),
        start_(std::make_shared<const Ref>(std::move(start))),
        cancel_(std::make_shared<const Ref>(std::move(cancel))) {}

  // False once this is closed: then the task is the caller's to end.
  bool start(const std::string& token, Running running, MakeArgs make_args) {
    std::shared_ptr<const Ref> callback;
    {
      absl::MutexLock lock(&mutex_);
      if (closed_) return false;
      callback = start_;
      running_.insert_or_assign(token, std::move(running));
    }
    queue_->push(std::move(callback), std::move(make_args));
    return true;
  }

  void cancel(MakeArgs make_args) {
    std::shared_ptr<const Ref> callback;
    {
      absl::MutexLock lock(&mutex_);
      callback = cancel_;
    }
    if (callback != nullptr) queue_->push(std::move(callback), std::move(make_args));
  }

  std::optional<Running> find(std::string_view token) { return find(token, /*remove=*/false); }
  std::optional<Running> take(std::string_view token) { return find(token, /*remove=*/true); }

  bool closed() {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  // Python is not called any more. What runs still is the caller's to end.
  std::vector<Running> close() {
    std::vector<Running> left;
    std::shared_ptr<const Ref> start, cancel;
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    left.reserve(running_.size());
    for (auto& [token, running] : running_) left.push_back(std::move(running));
    running_.clear();
    start.swap(start_);
    cancel.swap(cancel_);
    return left;
  }

  // For collected.h.
  int traverse(visitproc visit, void* arg) {
    absl::MutexLock lock(&mutex_);
    if (const int result = bindings::traverse(start_, visit, arg); result != 0) return result;
    return bindings::traverse(cancel_, visit, arg);
  }

 private:
  std::optional<Running> find(std::string_view token, bool remove) {
    absl::MutexLock lock(&mutex_);
    const auto found = running_.find(absl::string_view(token.data(), token.size()));
    if (found == running_.end()) return std::nullopt;
    Running running = found->second;
    if (remove) running_.erase(found);
    return running;
  }

  const std::shared_ptr<Queue> queue_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Ref> start_ ABSL_GUARDED_BY(mutex_), cancel_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Running> running_ ABSL_GUARDED_BY(mutex_);  // By token.
};

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_TASKS_H_
