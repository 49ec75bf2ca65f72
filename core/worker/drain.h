// Drain, the end of a worker as states that nothing waits in: while anything holds it, tasks may
// still come; then the lanes let go of their runs; then activities and Nexus tasks end. Whoever is
// last moves it on. Shared by its callbacks, which may outlive the worker. Any thread.
#ifndef CHIMERA_CORE_WORKER_DRAIN_H_
#define CHIMERA_CORE_WORKER_DRAIN_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/activity/activity_manager.h"
#include "core/activity/local_activities.h"
#include "core/nexus/nexus_manager.h"
#include "core/worker/lane.h"

namespace chimera::core {

class Drain : public std::enable_shared_from_this<Drain> {
 public:
  // Not clean: some workflow code neither returned nor reacted to its eviction.
  using Done = absl::AnyInvocable<void(bool clean) &&>;
  // What a started worker has to drain. Borrowed until the drain is over.
  struct Parts {
    std::vector<Lane*> lanes;
    LocalActivities* local_activities = nullptr;  // Null: none.
    ActivityManager* activities = nullptr;        // Null: none.
    NexusManager* nexus = nullptr;                // Null: none.
    std::function<void()> no_more_tasks;          // Runs once, when nothing holds the drain.
  };

  explicit Drain(WorkerEnvironment environment) : environment_(std::move(environment)) {}

  void set(Parts parts);  // Before begin(), or held.
  // A task may still come: from a poll, a reserved slot, or because the worker is being set up.
  void hold();
  void release();
  // The worker shuts down: from here on nothing new holds the drain.
  void begin();
  void lane_drained() { look_at_lanes(); }

  // Once all is over: at once, or on the thread of whatever ends last. That thread is done with the
  // worker then; it may be one of the lanes' own, though, so the worker must not end inside `done`.
  void when_over(Done done);

 private:
  enum class State { kOpen, kLanes, kActivities, kOver };

  void begin_lanes();
  void look_at_lanes();
  bool gone(const Lane& lane, std::chrono::nanoseconds waited)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void activities_over();
  void over();

  const WorkerEnvironment environment_;
  absl::Mutex mutex_;
  Parts parts_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_) = State::kOpen;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
  base::SteadyTime lanes_began_ ABSL_GUARDED_BY(mutex_){};
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool clean_ ABSL_GUARDED_BY(mutex_) = true;
  std::vector<Done> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_DRAIN_H_
