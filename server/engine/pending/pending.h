// Pending, all that a run has open, by kind. A new kind is added to the list at the end of this
// file. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_PENDING_H_
#define CHIMERA_SERVER_ENGINE_PENDING_PENDING_H_

#include <algorithm>
#include <tuple>
#include <vector>

#include "server/engine/pending/activity.h"
#include "server/engine/pending/callback.h"
#include "server/engine/pending/child.h"
#include "server/engine/pending/external_cancel.h"
#include "server/engine/pending/external_signal.h"
#include "server/engine/pending/kind.h"
#include "server/engine/pending/nexus_operation.h"
#include "server/engine/pending/timer.h"

namespace chimera::server {

template <class... Kinds>
class PendingOf {
 public:
  template <class K>
  struct BatchOf {
    typename K::Batch batch;
  };
  using Batches = std::tuple<BatchOf<Kinds>...>;

  template <class K>
  K& of() {
    return std::get<K>(kinds_);
  }
  template <class K>
  const K& of() const {
    return std::get<K>(kinds_);
  }
  template <class Visit>
  void each(Visit visit) {
    (visit(of<Kinds>()), ...);
  }
  template <class Visit>
  void each(Visit visit) const {
    (visit(of<Kinds>()), ...);
  }

  template <class Visit>
  static void each_type(Visit visit) {
    (visit.template operator()<Kinds>(), ...);
  }

  // False: the command is of no kind.
  static bool check(CommandCheck& check, const command::Command& command, Verdict& verdict) {
    const auto type = command.command_type();
    return ((Kinds::takes(type) && (verdict = Kinds::check(check, command), true)) || ...);
  }
  static bool apply(CommandTurn& turn, command::Command& command) {
    const auto type = command.command_type();
    return ((Kinds::takes(type) && (Kinds::apply(turn, command), true)) || ...);
  }
  static bool withdraws(const Batches& batches, const HistoryEvent& event) {
    return (Kinds::withdraws(std::get<BatchOf<Kinds>>(batches).batch, event) || ...);
  }

  bool fold(const HistoryEvent& event) { return (of<Kinds>().fold(event) || ...); }
  void close() { (of<Kinds>().close(), ...); }
  static bool is_result(enums::EventType type) { return (Kinds::is_result(type) || ...); }
  static void link(HistoryEvent& event, const FlushedStarts& starts) {
    (Kinds::link(event, starts), ...);
  }
  void flushed(const HistoryEvent& event, FlushedStarts& starts) {
    (of<Kinds>().flushed(event, starts), ...);
  }

  WallTime next_deadline() const { return std::min({of<Kinds>().next_deadline()...}); }
  void collect_due(WallTime now, std::vector<Due>& due) const {
    (of<Kinds>().collect_due(now, due), ...);
  }

  WallTime waits_until(WallTime now) const { return std::min({of<Kinds>().waits_until(now)...}); }

  bool bars_reset() const { return (of<Kinds>().bars_reset() || ...); }
  void describe(WallTime now, wf::DescribeWorkflowExecutionResponse& response) const {
    (of<Kinds>().describe(now, response), ...);
  }
  static void resume(Transition& t) { (Kinds::resume(t), ...); }
  static void begin_again(Transition& t) { (Kinds::begin_again(t), ...); }
  static bool carry_over(Transition& t, const HistoryEvent& event) {
    return (Kinds::carry_over(t, event) || ...);
  }

 private:
  std::tuple<Kinds...> kinds_;
};

// Events and commands are looked for in this order.
using Pending = PendingOf<Activities, Timers, Children, ExternalSignals, ExternalCancels,
                          NexusOperations, Callbacks>;

// What a command is checked against: the run, and what the batch has brought about so far.
struct CommandCheck {
  const Engine& engine;
  const Run& run;
  Pending::Batches batches;
  std::int64_t event_id = 0;  // That the command's event will have.

  template <class K>
  typename K::Batch& batch() {
    return std::get<Pending::BatchOf<K>>(batches).batch;
  }
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_PENDING_H_
