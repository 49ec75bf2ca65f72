// What the engine asks of a kind of things that a run can have open: timers, activities, children
// and so on. A kind is a class that holds all of its own in one run, in a file of its own with all
// of its rules; pending.h lists the kinds. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_KIND_H_
#define CHIMERA_SERVER_ENGINE_PENDING_KIND_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "server/base/types.h"
#include "server/engine/rules/verdict.h"

namespace chimera::server {

class Engine;
class Run;
class Transition;
class Reader;
struct CommandCheck;  // pending.h

// Something of a run whose time has come. What falls due at one instant fires in the order of the
// events that began it, as in the genuine server.
struct Due {
  WallTime at;
  std::int64_t event_id;
  int rank;  // Among those of one event.
  void (*fire)(Transition& t, std::int64_t event_id);
  bool operator<(const Due& other) const {
    return std::tie(at, event_id, rank) < std::tie(other.at, other.event_id, other.rank);
  }
};

// The commands of a completed workflow task, as they are applied one after another.
struct CommandTurn {
  Transition& t;
  const std::string& identity;
  std::int64_t completed_id;
  std::vector<std::int64_t> eager;  // Scheduled ids of activities that the worker wants at once.
  // With the command's metadata.
  HistoryEvent event(enums::EventType type, command::Command& command) const;
};

// Scheduled or initiated event id -> the id that a buffered Started event got when it was written.
using FlushedStarts = std::map<std::int64_t, std::int64_t>;

// The calls, as they are for a kind that has nothing to say to them.
class PendingKind {
 public:
  // What earlier commands of a task will have changed by the time a later one is applied.
  struct Batch {};

  // --- Commands. All of a task are checked before any is applied.
  static bool takes(enums::CommandType) { return false; }
  static Verdict check(CommandCheck&, const command::Command&) { return std::nullopt; }
  static void apply(CommandTurn&, command::Command&) {}
  // The event is no news to the workflow: a command of the batch takes it back.
  template <class AnyBatch>
  static bool withdraws(const AnyBatch&, const HistoryEvent&) {
    return false;
  }

  // --- Events. A buffered one is folded when it is buffered; its id is not known yet then.
  bool fold(const HistoryEvent&) { return false; }  // False: the event is of another kind.
  void close() {}                                   // The run has closed.
  // A flush puts results behind the other buffered events.
  static bool is_result(enums::EventType) { return false; }
  // In a flush, before an event gets its id and after.
  static void link(HistoryEvent&, const FlushedStarts&) {}
  void flushed(const HistoryEvent&, FlushedStarts&) {}

  // --- Time.
  WallTime next_deadline() const { return kNever; }
  void collect_due(WallTime, std::vector<Due>&) const {}
  // Where the run's clock may jump to: the first of what nobody works for; kUnset: somebody works.
  WallTime waits_until(WallTime) const { return kNever; }

  // --- What no event tells: one row for each that is open, in a table of the kind's.
  static constexpr const char* kTable = nullptr;

  // --- What others see and how it goes on.
  bool bars_reset() const { return false; }  // A run cannot be reset to where this is open.
  void describe(WallTime, wf::DescribeWorkflowExecutionResponse&) const {}
  static void resume(Transition&) {}       // After a restart.
  static void begin_again(Transition&) {}  // In the run that a reset has made.
  // An event of the run that was reset, from behind the point. True: it is of this kind.
  static bool carry_over(Transition&, const HistoryEvent&) { return false; }
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_KIND_H_
