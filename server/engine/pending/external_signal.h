// Signals to other workflows. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_SIGNAL_H_
#define CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_SIGNAL_H_

#include <map>

#include "server/engine/pending/kind.h"

namespace chimera::server {

class ExternalSignals : public PendingKind {
 public:
  struct Batch {
    std::size_t sent = 0;
  };
  static bool takes(enums::CommandType type);
  static Verdict check(CommandCheck& check, const command::Command& command);
  static void apply(CommandTurn& turn, command::Command& command);
  bool fold(const HistoryEvent& event);
  void close() { open_.clear(); }
  WallTime waits_until(WallTime) const { return open_.empty() ? kNever : kUnset; }
  bool bars_reset() const { return !open_.empty(); }
  static void resume(Transition& t);
  static void begin_again(Transition& t) { resume(t); }

 private:
  static void deliver(Engine& engine, const Run& run, std::int64_t initiated_id);

  std::map<std::int64_t, const HistoryEvent*> open_;  // By their Initiated events' ids.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_SIGNAL_H_
