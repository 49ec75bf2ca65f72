// Nexus operations of workflows: what commands, answers of handlers and completions make of them in
// the run's history. What is sent for them is in engine/nexus/invocation.h. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_NEXUS_OPERATION_H_
#define CHIMERA_SERVER_ENGINE_PENDING_NEXUS_OPERATION_H_

#include <map>
#include <optional>
#include <set>
#include <string>

#include "server/engine/nexus/attempts.h"
#include "server/engine/pending/kind.h"
#include "server/engine/rules/nexus_failures.h"
#include "server/engine/rules/nexus_links.h"

namespace chimera::server {

class Writer;

struct NexusOperation {
  using Attributes = history::NexusOperationScheduledEventAttributes;
  using Cancellation = enums::NexusOperationCancellationState;
  enum class State { kScheduled, kBackingOff, kStarted };

  const HistoryEvent* event = nullptr;  // NexusOperationScheduled.
  std::int64_t scheduled_id = 0;
  State state = State::kScheduled;  // Scheduled: a request to start it is under way.
  NexusAttempts attempts;           // To start it.
  std::string token;                // The handler's; empty: none is known.
  WallTime started{};
  struct {
    std::int64_t requested_id = 0;  // Of its event; 0: nobody has asked for it.
    WallTime requested{};           // When it was begun: not before the operation has started.
    Cancellation state = enums::NEXUS_OPERATION_CANCELLATION_STATE_UNSPECIFIED;
    NexusAttempts attempts;
  } cancel;

  const Attributes& attributes() const {
    return event->nexus_operation_scheduled_event_attributes();
  }
  WallTime scheduled() const { return to_wall(event->event_time()); }
  bool is_started() const { return state == State::kStarted; }
  bool is_canceling() const {  // A request to cancel it is under way.
    return cancel.state == enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED;
  }
  WallTime start_by() const;  // kNever: at any time. So are the next two.
  WallTime close_by() const;
  WallTime end_by() const;         // From its start.
  WallTime next_deadline() const;  // A timeout, or the next attempt of whatever waits.
  // What it has run out of; TIMEOUT_TYPE_UNSPECIFIED: nothing.
  enums::TimeoutType overdue(WallTime now) const;
  // What no event tells.
  void write(Writer& ar) const;
  void read(Reader& ar);
};

class NexusOperations : public PendingKind {
 public:
  struct Batch {
    std::set<std::int64_t> scheduled, cancelled;  // By their Scheduled events' ids.
  };
  static bool takes(enums::CommandType type);
  static Verdict check(CommandCheck& check, const command::Command& command);
  static void apply(CommandTurn& turn, command::Command& command);
  bool fold(const HistoryEvent& event);
  void close() { open_.clear(); }
  static bool is_result(enums::EventType type);
  WallTime next_deadline() const;
  void collect_due(WallTime now, std::vector<Due>& due) const;
  WallTime waits_until(WallTime now) const;
  static constexpr const char* kTable = "nexus_operation";
  template <class Visit>
  void each_row(Visit visit) const {
    for (const auto& [id, operation] : open_) visit(id, operation);
  }
  bool has_rows() const { return !open_.empty(); }
  bool has_row(std::int64_t id) const { return open_.contains(id); }
  void read_row(std::int64_t id, Reader& ar);
  // What is blocked by the breaker of its endpoint is nexus_invocation::show_blocked()'s to say.
  void describe(WallTime now, wf::DescribeWorkflowExecutionResponse& response) const;
  static void resume(Transition& t);
  static void begin_again(Transition& t) { resume(t); }
  static bool carry_over(Transition& t, const HistoryEvent& event);

  NexusOperation* find(std::int64_t scheduled_id);
  const NexusOperation* find(std::int64_t scheduled_id) const;
  const std::map<std::int64_t, NexusOperation>& all() const { return open_; }

 private:
  static Verdict check_schedule(CommandCheck& check,
                                const command::ScheduleNexusOperationCommandAttributes& a);
  static Verdict check_cancel(CommandCheck& check, std::int64_t scheduled_id);
  static void schedule(CommandTurn& turn, command::Command& command);
  static void cancel(CommandTurn& turn, command::Command& command);
  void begin_cancel(NexusOperation& operation, WallTime at);
  void start(const HistoryEvent& event);

  std::map<std::int64_t, NexusOperation> open_;  // By their Scheduled events' ids.
};

// Of headers that are the server's to set.
bool is_disallowed_nexus_header(const std::string& name);

// --- How it goes on. The operation is gone, or another one, when these return.
namespace nexus_operation {

// `at`: when it was started; kUnset: now.
void started(Transition& t, const NexusOperation& operation, const std::string& token, Links links,
             WallTime at = kUnset);
void completed(Transition& t, const NexusOperation& operation, common::Payload* result,
               Links links);
// By the handler, or because no handler could do it: `cause` is its failure.
void ended_badly(Transition& t, const NexusOperation& operation, bool canceled,
                 failure::Failure cause);
void timed_out(Transition& t, const NexusOperation& operation, enums::TimeoutType type);
// `failure` null: the handler knows that it is to be cancelled.
void cancel_requested(Transition& t, const NexusOperation& operation,
                      const failure::Failure* failure);

}  // namespace nexus_operation

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_NEXUS_OPERATION_H_
