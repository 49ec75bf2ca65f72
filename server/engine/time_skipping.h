// TimeSkipping, the time of a test server: it passes like the clock's while it is locked, and while
// somebody works; else it jumps from one timer to the next. All of a server has one time. As the
// official test server (Java) does it. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TIME_SKIPPING_H_
#define CHIMERA_SERVER_ENGINE_TIME_SKIPPING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"

#include "server/engine/run/run.h"

namespace chimera::server {

struct ActivityExecution;  // standalone/activity_execution.h
class Engine;
struct OperationExecution;  // standalone/operation_execution.h

class TimeSkipping {
 public:
  // Makes the engine's, under so many locks. After recovery, before the loop starts.
  static void begin(Engine& engine, int locks);
  // In the table "meta": how far time is ahead, in nanoseconds.
  static constexpr char kAheadKey[] = "skipped_time";

  void lock() { ++locks_; }
  // One too many is kept in mind: clients that wait for several results unlock for each, and lock
  // for each when it is there.
  void unlock() { --locks_; }
  // Calls `done` when it is `at`. With `unlocked`, a lock is lifted until then. Its id is for
  // wake().
  std::uint64_t sleep(WallTime at, bool unlocked, absl::AnyInvocable<void()> done);
  void wake(std::uint64_t sleeper);  // Before it is time, without calling it; once.

  // A started activity of the run does not hold time for so long. Then `done` is called; earlier if
  // the run closes.
  void rest(const Run& run, std::int64_t scheduled_id, Nanos time, absl::AnyInvocable<void()> done);
  void rest(const ActivityExecution& execution, Nanos time, absl::AnyInvocable<void()> done);

  // The run has changed, or is gone.
  void note(const Run& run);
  void note(const ActivityExecution& execution);
  void note(const OperationExecution& execution);
  void drop(const Run& run);
  void drop(const ActivityExecution& execution);
  void drop(const OperationExecution& execution);
  // Time does not skip beyond it: later times might not fit into their type.
  static constexpr WallTime kLast = kLastOfSkips;
  // Nobody holds time, and nobody works: workflow tasks (whether or not there is a worker),
  // activities but for their back-off, queries.
  bool may_skip();

 private:
  struct Sleeper {
    std::unique_ptr<Timer> timer;
    absl::AnyInvocable<void()> done;
    bool unlocked = false;
  };

  // An activity: its run, or itself if it stands alone, and its scheduled id.
  using RestKey = std::pair<const void*, std::int64_t>;
  struct Resting {  // An attempt of it.
    std::uint64_t stamp = 0, sleeper = 0;
  };

  TimeSkipping(Engine& engine, int locks) : engine_(engine), locks_(locks) {}
  Sleeper take(std::uint64_t id);
  bool is_busy(const Run& run) const;
  bool is_resting(const RestKey& key, const Activity& activity) const;
  // `awake` is called when it is over, before `done`.
  void rest(const RestKey& key, const Activity& activity, Nanos time,
            absl::AnyInvocable<void()> awake, absl::AnyInvocable<void()> done);
  // Its activity's, which is told.
  void end_rest(std::uint64_t sleeper);
  void end_all_rest(const void* owner);

  Engine& engine_;
  int locks_;
  bool told_of_the_end_ = false;
  absl::flat_hash_set<const void*> busy_;  // Runs, and what stands alone.
  std::map<std::uint64_t, Sleeper> sleepers_;
  std::map<RestKey, Resting> resting_;
  std::uint64_t last_sleeper_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TIME_SKIPPING_H_
