// The newer RPCs for what an operator does to an activity, by its id: of a workflow here, and not
// of activities that stand alone. Checks and texts as server 1.32, which is the first to have them.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"

#include "server/base/errors.h"
#include "server/engine/ids.h"
#include "server/engine/rules/limits.h"
#include "server/service/activity_options.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

absl::Status check(const auto& request) {
  if (request.workflow_id().empty()) {
    return absl::UnimplementedError(
        "Standalone activities are not available in this embedded server. Name the workflow of the "
        "activity, or use a genuine Temporal server.");
  }
  const std::string& id = request.activity_id();
  if (id.empty()) return invalid("activity ID is required");
  if (id.size() > kIdMax) {
    return invalid(
        absl::StrCat("activity ID exceeds length limit. Length=", id.size(), " Limit=", kIdMax));
  }
  if (request.identity().size() > kIdMax) {
    return invalid(absl::StrCat("identity exceeds length limit. Length=", request.identity().size(),
                                " Limit=", kIdMax));
  }
  if (!request.run_id().empty() && !is_uuid(request.run_id()))
    return invalid("invalid run id: must be a valid UUID");
  return absl::OkStatus();
}

absl::Status check_jitter(const google::protobuf::Duration& jitter) {
  const std::string problem = duration_problem(jitter);
  return problem.empty() ? absl::OkStatus() : invalid(absl::StrCat("invalid jitter: ", problem));
}

absl::Status check_paths(const google::protobuf::FieldMask& mask) {
  static const auto* known = new absl::flat_hash_set<std::string>{
      "taskqueue.name",
      "scheduletoclosetimeout",
      "scheduletostarttimeout",
      "starttoclosetimeout",
      "heartbeattimeout",
      "priority",
      "priority.prioritykey",
      "priority.fairnesskey",
      "priority.fairnessweight",
      "retrypolicy",
      "retrypolicy.initialinterval",
      "retrypolicy.backoffcoefficient",
      "retrypolicy.maximuminterval",
      "retrypolicy.maximumattempts",
  };
  if (mask.paths().empty()) return invalid("UpdateMask must specify at least one path");
  for (const std::string& path : mask.paths()) {
    if (!known->contains(absl::AsciiStrToLower(absl::StrReplaceAll(path, {{"_", ""}}))))
      return invalid(absl::StrCat("unsupported update_mask path: \"", path, "\""));
  }
  return absl::OkStatus();
}

template <class Request>
Request of_workflow(const auto& from) {
  Request request;
  request.set_namespace_(from.namespace_());
  request.mutable_execution()->set_workflow_id(from.workflow_id());
  request.mutable_execution()->set_run_id(from.run_id());
  request.set_id(from.activity_id());
  request.set_identity(from.identity());
  return request;
}

absl::Status pause_execution(Engine& engine, wf::PauseActivityExecutionRequest& from,
                             wf::PauseActivityExecutionResponse&) {
  if (absl::Status s = check(from); !s.ok()) return s;
  auto request = of_workflow<wf::PauseActivityRequest>(from);
  request.set_reason(from.reason());
  request.set_request_id(from.request_id().empty() ? engine.ids().uuid() : from.request_id());
  wf::PauseActivityResponse response;
  return pause(engine, request, response);
}

absl::Status unpause_execution(Engine& engine, wf::UnpauseActivityExecutionRequest& from,
                               wf::UnpauseActivityExecutionResponse&) {
  if (absl::Status s = check(from); !s.ok()) return s;
  if (absl::Status s = check_jitter(from.jitter()); !s.ok()) return s;
  auto request = of_workflow<wf::UnpauseActivityRequest>(from);
  *request.mutable_jitter() = from.jitter();
  wf::UnpauseActivityResponse response;
  return unpause(engine, request, response);
}

absl::Status reset_execution(Engine& engine, wf::ResetActivityExecutionRequest& from,
                             wf::ResetActivityExecutionResponse&) {
  if (absl::Status s = check(from); !s.ok()) return s;
  if (absl::Status s = check_jitter(from.jitter()); !s.ok()) return s;
  auto request = of_workflow<wf::ResetActivityRequest>(from);
  *request.mutable_jitter() = from.jitter();
  request.set_keep_paused(from.keep_paused());
  request.set_restore_original_options(from.restore_original_options());
  request.set_reset_heartbeat(from.reset_heartbeat());
  wf::ResetActivityResponse response;
  return reset(engine, request, response);
}

absl::Status update_execution(Engine& engine, wf::UpdateActivityExecutionOptionsRequest& from,
                              wf::UpdateActivityExecutionOptionsResponse& response) {
  if (absl::Status s = check(from); !s.ok()) return s;
  auto request = of_workflow<wf::UpdateActivityOptionsRequest>(from);
  if (from.restore_original()) {
    if (!from.update_mask().paths().empty())
      return invalid("Both UpdateMask and RestoreOriginal are provided");
    request.set_restore_original(true);
  } else {
    if (!from.has_activity_options()) return invalid("ActivityOptions are not provided");
    if (!from.has_update_mask()) return invalid("UpdateMask is not provided");
    if (absl::Status s = check_paths(from.update_mask()); !s.ok()) return s;
    *request.mutable_activity_options() = from.activity_options();
    *request.mutable_update_mask() = from.update_mask();
  }
  wf::UpdateActivityOptionsResponse updated;
  if (absl::Status s = update_options(engine, request, updated); !s.ok()) return s;
  *response.mutable_activity_options() = std::move(*updated.mutable_activity_options());
  return absl::OkStatus();
}

}  // namespace

void register_activity_executions(MethodTable& table) {
  table.add("PauseActivityExecution", pause_execution);
  table.add("UnpauseActivityExecution", unpause_execution);
  table.add("ResetActivityExecution", reset_execution);
  table.add("UpdateActivityExecutionOptions", update_execution);
}

}  // namespace chimera::server
