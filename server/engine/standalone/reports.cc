#include "server/engine/standalone/reports.h"

#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/activity_change.h"

namespace chimera::server {
namespace {

absl::Status gone(const std::string& id) {
  return not_found(absl::StrCat("activity not found for ID: ", id));
}

}  // namespace

absl::StatusOr<const ActivityExecution*> find_standalone_by_token(Engine& engine,
                                                                  const TaskToken& token) {
  const ActivityExecution* execution = engine.activity_executions->by_run_id(token.run_id);
  if (execution == nullptr) return not_found("activity not found");
  const Activity& activity = execution->activity;
  if (!execution->open() || !activity.is_started() || activity.stamp != token.stamp ||
      activity.attempt != token.attempt) {
    return gone(execution->id());
  }
  return execution;
}

absl::StatusOr<const ActivityExecution*> find_standalone_by_id(Engine& engine, const Namespace& ns,
                                                               const std::string& id,
                                                               const std::string& run_id,
                                                               bool begun) {
  absl::StatusOr<const ActivityExecution*> found = engine.activity_executions->find(ns, id, run_id);
  if (!found.ok()) return found;
  if (begun && (!(*found)->open() || !(*found)->activity.is_started())) return gone(id);
  if (!(*found)->open()) {
    return absl::FailedPreconditionError(
        absl::StrCat("invalid transition from ", (*found)->state()));
  }
  return found;
}

void complete_activity(Engine& engine, const ActivityExecution* execution, common::Payloads& result,
                       const std::string& identity, const common::WorkerVersionStamp*) {
  ActivityChange change(engine, *execution);
  change.completed(change.activity(), result, identity);
  change.commit();
}

void fail_activity(Engine& engine, const ActivityExecution* execution, failure::Failure& failure,
                   const std::string& identity, const common::Payloads* last_heartbeat_details,
                   const common::WorkerVersionStamp*) {
  ActivityChange change(engine, *execution);
  change.fail(failure, identity, last_heartbeat_details);
  change.commit();
}

absl::Status cancel_activity(Engine& engine, const ActivityExecution* execution,
                             common::Payloads& details, const std::string&) {
  if (!execution->cancel_requested()) {
    return invalid(
        "unable to mark activity as canceled without activity being request canceled first");
  }
  ActivityChange change(engine, *execution);
  change.cancel(details);
  change.commit();
  return absl::OkStatus();
}

HeartbeatReply heartbeat_activity(Engine& engine, const ActivityExecution* execution,
                                  common::Payloads& details, bool has_details) {
  ActivityChange change(engine, *execution);
  const HeartbeatReply reply = change.heartbeat(details, has_details);
  change.commit();
  return reply;
}

}  // namespace chimera::server
