// RunLocal, a run's local activities: what runs in this worker while a task is open, and what
// history has of it. Lane thread.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_LOCAL_H_
#define CHIMERA_CORE_WORKFLOW_RUN_LOCAL_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"

#include "core/workflow/run_data.h"
#include "core/workflow/run_machines.h"

namespace chimera::core {

class RunLocal {
 public:
  // Both borrowed; `machines` may still be under construction.
  RunLocal(RunData& run, RunMachines& machines) : run_(run), machines_(machines) {}

  void begin_task() { wake_asked_ = heartbeat_due_ = false; }
  // A task that came with live history: what replay has left open runs now.
  void begin_work();
  bool executing() const { return executing_ > 0; }
  // The worker ends and leaves some to others.
  bool dropped() const { return dropped_; }

  // --- What machines do ---
  void execute(std::uint32_t seq, std::shared_ptr<const ScheduleLocalActivity> activity);
  void executed() { --executing_; }
  void stop(std::uint32_t seq);
  std::optional<LocalMarker> take_cancelled_ahead(std::uint32_t seq);

  // --- Markers of the task to come ---
  void begin_batch();
  void look_ahead(const HistoryEvent& event);
  void look_further(absl::Span<const HistoryEvent* const> events);  // At those of later tasks.
  // Those that meet their activity now; `at_rest`: nothing else can happen.
  bool release_ahead(bool at_rest);

  // --- Ends ---
  void keep(LocalActivityDone done) { ends_.push_back(std::move(done)); }
  void settle();  // Those that came while the language or the server was at work.
  void end(LocalActivityDone& done);
  void let_go();

  // --- The task that waits for them ---
  // Those under way, or left to others, keep the task open or ask for another.
  bool holds_task() const { return executing_ > 0 || dropped_; }
  void want_heartbeat() { heartbeat_due_ = true; }
  bool heartbeat_due() const { return heartbeat_due_ || (dropped_ && executing_ == 0); }
  void ask_wake();
  // Attempts beside first ones that were made for the task; once.
  std::uint32_t take_later_attempts() { return std::exchange(later_attempts_, 0); }

 private:
  LocalActivityMachine* machine_of(const LocalMarker& marker);

  RunData& run_;
  RunMachines& machines_;
  int executing_ = 0;
  bool wake_asked_ = false;     // For this task.
  bool heartbeat_due_ = false;  // Likewise.
  bool dropped_ = false;
  std::uint32_t later_attempts_ = 0;
  std::vector<LocalActivityDone> ends_;  // That came while the run could not take them.
  // Of the task to come, in history's order; those before `ahead_next_` have met theirs.
  std::vector<LocalMarker> ahead_;
  std::size_t ahead_next_ = 0;
  std::vector<std::uint64_t> later_orders_;  // Of another SDK's markers behind those.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_LOCAL_H_
