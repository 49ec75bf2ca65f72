// Timers of workflows. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_TIMER_H_
#define CHIMERA_SERVER_ENGINE_PENDING_TIMER_H_

#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "server/engine/pending/kind.h"

namespace chimera::server {

struct UserTimer {
  std::int64_t started_id = 0;
  WallTime fires{};
};

class Timers : public PendingKind {
 public:
  struct Batch {
    absl::flat_hash_set<std::string> started, canceled;
  };
  static bool takes(enums::CommandType type);
  static Verdict check(CommandCheck& check, const command::Command& command);
  static void apply(CommandTurn& turn, command::Command& command);
  static bool withdraws(const Batch& batch, const HistoryEvent& event);
  bool fold(const HistoryEvent& event);
  void close();
  WallTime next_deadline() const;
  void collect_due(WallTime now, std::vector<Due>& due) const;
  WallTime waits_until(WallTime) const { return next_deadline(); }

  const UserTimer* find(const std::string& id) const;

 private:
  static Verdict check_start(CommandCheck& check, const command::StartTimerCommandAttributes& a);
  static Verdict check_cancel(CommandCheck& check, const command::CancelTimerCommandAttributes& a);
  static void start(CommandTurn& turn, command::Command& command);
  static void cancel(CommandTurn& turn, command::Command& command);
  static void fire(Transition& t, std::int64_t started_id);
  void end(const std::string& id);

  absl::flat_hash_map<std::string, UserTimer> open_;
  std::set<std::pair<WallTime, std::int64_t>> by_time_;  // With the Started event's id.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_TIMER_H_
