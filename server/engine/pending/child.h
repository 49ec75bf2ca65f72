// Child workflows, seen from their parent. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_CHILD_H_
#define CHIMERA_SERVER_ENGINE_PENDING_CHILD_H_

#include <map>
#include <string>

#include "absl/container/flat_hash_set.h"

#include "server/engine/pending/kind.h"

namespace chimera::server {

struct Child {
  const HistoryEvent* event = nullptr;  // StartChildWorkflowExecutionInitiated.
  std::int64_t initiated_id = 0;
  std::int64_t started_id = 0;  // 0: not started, or its event is buffered.
  std::string run_id;           // Empty: not started.
  const history::StartChildWorkflowExecutionInitiatedEventAttributes& attributes() const {
    return event->start_child_workflow_execution_initiated_event_attributes();
  }
};

// They stay when the run closes: what then becomes of them is their policy.
class Children : public PendingKind {
 public:
  struct Batch {
    absl::flat_hash_set<std::string> started;  // Workflow ids.
  };
  static bool takes(enums::CommandType type);
  static Verdict check(CommandCheck& check, const command::Command& command);
  static void apply(CommandTurn& turn, command::Command& command);
  bool fold(const HistoryEvent& event);
  WallTime waits_until(WallTime) const { return open_.empty() ? kNever : kUnset; }
  bool bars_reset() const { return !open_.empty(); }
  static bool is_result(enums::EventType type);
  static void link(HistoryEvent& event, const FlushedStarts& starts);
  void flushed(const HistoryEvent& event, FlushedStarts& starts);
  void describe(WallTime now, wf::DescribeWorkflowExecutionResponse& response) const;
  static bool carry_over(Transition& t, const HistoryEvent& event);

  const Child* find(std::int64_t initiated_id) const;
  // The run has closed: its children go the way of their policy.
  static void parent_closed(Engine& engine, const Run& parent);
  // The run has closed and none follows it: its parent learns how.
  static void tell_parent(Engine& engine, const Run& child);

 private:
  std::map<std::int64_t, Child> open_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_CHILD_H_
