#include "server/service/task_lookup.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"

namespace chimera::server {

absl::Status check_token(Engine& engine, const std::string& ns, const std::string& bytes) {
  if (bytes.empty()) return invalid("Task token not set on request.");
  const std::optional<TaskToken> token = TaskToken::decode(bytes);
  if (!token) return invalid("Error deserializing task token.");
  if (ns.empty()) return absl::OkStatus();
  absl::StatusOr<Namespace*> named = engine.resolve_namespace(ns);
  if (!named.ok()) return named.status();
  if ((*named)->id == token->namespace_id) return absl::OkStatus();
  return invalid("Operation requested with a token from a different namespace.");
}

absl::StatusOr<const Run*> find_started_task(Engine& engine, const std::string& bytes) {
  if (bytes.empty()) return invalid("Task token not set on request.");
  const std::optional<TaskToken> token = TaskToken::decode(bytes);
  if (!token) return invalid("Error deserializing task token.");
  const Run* run = engine.runs().by_id(token->run_id);
  if (run == nullptr || !run->running()) return not_found("Workflow task not found.");
  const WorkflowTask& task = run->task;
  if (!task.is_started() || task.stamp != token->stamp || task.attempt != token->attempt) {
    return not_found("Workflow task not found.");
  }
  return run;
}

}  // namespace chimera::server
