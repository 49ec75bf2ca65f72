// Schedules, all schedules of a server: their timers, the runs that they start and hear of, what
// lists and the store have of them. What one of them does is schedule::Scheduler's to say. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_SCHEDULES_H_
#define CHIMERA_SERVER_ENGINE_SCHEDULES_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"

#include "server/engine/ended_schedules.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/run.h"
#include "server/schedule/scheduler.h"
#include "server/store/store.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

// In lists a schedule is an execution of its own division, as it is in the genuine server 1.29.
inline constexpr char kScheduleDivision[] = "TemporalScheduler";
inline constexpr char kScheduleIdPrefix[] = "temporal-sys-scheduler:";
inline constexpr char kScheduleMemo[] = "ScheduleInfo";  // Of the serialized ScheduleListInfo.

// What a schedule has beside what it does.
struct ScheduleEnvelope {
  std::string id;
  std::string key;  // A UUID: its run id in lists.
  std::string create_request_id;
  common::Memo memo;
  common::SearchAttributes search_attributes;
};

class Schedules {
 public:
  struct Schedule {
    Schedule(Namespace& ns, ScheduleEnvelope envelope, schedule::State state, schedule::Spec spec);
    Namespace& ns;
    ScheduleEnvelope envelope;
    schedule::Scheduler scheduler;
    std::unique_ptr<Timer> timer;
  };

  explicit Schedules(Engine& engine) : ended(engine), engine_(engine) {}

  Schedule* find(const Namespace& ns, const std::string& id);
  bool has_ended(const Namespace& ns, const std::string& id) const;  // Not long ago.
  // The one that lists show as this execution; null: none.
  Schedule* shown_as(const Namespace& ns, const common::WorkflowExecution& execution);
  Schedule& add(Namespace& ns, ScheduleEnvelope envelope, schedule::State state,
                schedule::Spec spec);
  void erase(Schedule& schedule);
  // Of a namespace that goes, `most` at a time; false: there are none left.
  bool erase_some(const Namespace& ns, int most);
  // It was changed: does what is due, and has it written.
  void changed(Schedule& schedule);

  // The last run of a chain has closed.
  void run_closed(const Run& run) {
    if (!watched_.empty()) hear(run);
  }

  EndedSchedules ended;

  // --- The store.
  static constexpr char kTable[] = "schedule";
  absl::Status restore(const std::string& key, const std::string& value);
  void resume();  // When namespaces, runs and schedules are there.
  void collect(WriteBatch& changes);

 private:
  static std::string key_of(const Namespace& ns, const std::string& id);
  void hear(const Run& run);
  void end_run(const std::string& key, const Run& run);
  void advance(Schedule& schedule);
  void perform(Schedule& schedule, const schedule::Todo& todo);
  void start(Schedule& schedule, const schedule::Start& start);
  absl::Status check_version(const Schedule& schedule) const;
  void watch(const Schedule& schedule);
  visibility::Entry entry_of(const Schedule& schedule) const;

  Engine& engine_;
  absl::flat_hash_map<std::string, std::unique_ptr<Schedule>> all_;  // By namespace id and id.
  absl::flat_hash_map<std::string, std::string> watched_;  // First run of a chain -> schedule.
  absl::flat_hash_set<std::string> dirty_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_SCHEDULES_H_
