// The newer RPCs for what an operator does to an activity, by its id: of a workflow, or one that
// stands alone, where the server is configured so. Checks and texts as server 1.32, which is the
// first to have them.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"

#include "server/engine/rules/retry.h"
#include "server/engine/standalone/operators.h"
#include "server/service/activity_checks.h"
#include "server/service/activity_options.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/queue_names.h"

namespace chimera::server {
namespace {

template <class Request>
absl::Status check(Engine& engine, Request& request) {
  if (request.workflow_id().empty() && !engine.config().standalone_operators)
    return absl::UnimplementedError("Standalone activity operator commands are disabled");
  return check_activity_request(engine, request);
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
      "startdelay",
  };
  if (mask.paths().empty()) return invalid("UpdateMask must specify at least one path");
  for (const std::string& path : mask.paths()) {
    if (!known->contains(plain_path(path)))
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
  if (absl::Status s = check(engine, from); !s.ok()) return s;
  if (from.workflow_id().empty()) {
    const absl::StatusOr<const ActivityExecution*> found = find_activity(engine, from);
    if (!found.ok()) return found.status();
    return pause_activity(engine, **found, from.identity(), from.reason(), from.request_id());
  }
  auto request = of_workflow<wf::PauseActivityRequest>(from);
  request.set_reason(from.reason());
  request.set_request_id(from.request_id());
  wf::PauseActivityResponse response;
  return pause(engine, request, response);
}

absl::Status unpause_execution(Engine& engine, wf::UnpauseActivityExecutionRequest& from,
                               wf::UnpauseActivityExecutionResponse&) {
  if (absl::Status s = check(engine, from); !s.ok()) return s;
  if (absl::Status s = check_jitter(from.jitter()); !s.ok()) return s;
  if (from.workflow_id().empty()) {
    const absl::StatusOr<const ActivityExecution*> found = find_activity(engine, from);
    if (!found.ok()) return found.status();
    return unpause_activity(engine, **found, to_nanos(from.jitter()), from.request_id());
  }
  auto request = of_workflow<wf::UnpauseActivityRequest>(from);
  *request.mutable_jitter() = from.jitter();
  wf::UnpauseActivityResponse response;
  return unpause(engine, request, response);
}

absl::Status reset_execution(Engine& engine, wf::ResetActivityExecutionRequest& from,
                             wf::ResetActivityExecutionResponse&) {
  if (absl::Status s = check(engine, from); !s.ok()) return s;
  if (absl::Status s = check_jitter(from.jitter()); !s.ok()) return s;
  if (from.workflow_id().empty()) {
    const absl::StatusOr<const ActivityExecution*> found = find_activity(engine, from);
    if (!found.ok()) return found.status();
    return reset_activity(engine, **found,
                          {from.restore_original_options(), from.reset_heartbeat(),
                           from.keep_paused(), to_nanos(from.jitter())},
                          from.request_id());
  }
  auto request = of_workflow<wf::ResetActivityRequest>(from);
  *request.mutable_jitter() = from.jitter();
  request.set_keep_paused(from.keep_paused());
  request.set_restore_original_options(from.restore_original_options());
  request.set_reset_heartbeat(from.reset_heartbeat());
  wf::ResetActivityResponse response;
  return reset(engine, request, response);
}

absl::Status check_update(const wf::UpdateActivityExecutionOptionsRequest& request) {
  if (request.restore_original()) {
    return request.update_mask().paths().empty()
               ? absl::OkStatus()
               : invalid("Both UpdateMask and RestoreOriginal are provided");
  }
  if (!request.has_activity_options()) return invalid("ActivityOptions are not provided");
  if (!request.has_update_mask()) return invalid("UpdateMask is not provided");
  return check_paths(request.update_mask());
}

bool names(const google::protobuf::FieldMask& mask, absl::string_view option) {
  return std::any_of(mask.paths().begin(), mask.paths().end(), [&](const std::string& path) {
    return absl::StartsWith(plain_path(path), option);
  });
}

// The options that are asked for, as they would hold.
absl::Status merge_asked(const wf::UpdateActivityExecutionOptionsRequest& request,
                         const ActivityExecution& execution, OptionsChange& change) {
  const auto& asked = request.activity_options();
  const auto& mask = request.update_mask();
  if (names(mask, "startdelay")) {
    const std::string problem = duration_problem(asked.start_delay());
    if (!problem.empty()) return invalid(absl::StrCat("invalid StartDelay: ", problem));
    change.start_delay = to_nanos(asked.start_delay());
  }
  if (names(mask, "taskqueue")) {
    if (absl::Status s = check_queue(asked.task_queue(), asked.has_task_queue()); !s.ok()) return s;
  }
  if (std::string problem = priority_problem(asked.priority()); !problem.empty())
    return invalid(problem);
  change.attributes = std::make_unique<Activity::Attributes>(execution.activity.attributes());
  Activity::Attributes& attributes = *change.attributes;
  merge_options(mask, asked, attributes);
  default_retry_policy(*attributes.mutable_retry_policy());
  if (const std::string problem = check_retry_policy(attributes.retry_policy()); !problem.empty())
    return invalid(problem);
  if (absl::Status s =
          check_timeouts(attributes, execution.id(), attributes.activity_type().name());
      !s.ok())
    return s;
  attempt::fill_activity_timeouts(Nanos{0}, attributes);
  change.retry_policy = names(mask, "retrypolicy");
  return absl::OkStatus();
}

absl::Status update_standalone(Engine& engine, wf::UpdateActivityExecutionOptionsRequest& request,
                               wf::UpdateActivityExecutionOptionsResponse& response) {
  const absl::StatusOr<const ActivityExecution*> found = find_activity(engine, request);
  if (!found.ok()) return found.status();
  const ActivityExecution& execution = **found;
  if (execution.options_request_id != request.request_id()) {
    const bool delay = names(request.update_mask(), "startdelay");
    if (absl::Status s = check_changeable(execution, engine.now(), delay); !s.ok()) return s;
    OptionsChange change;
    change.request_id = request.request_id();
    if (!request.restore_original()) {
      if (absl::Status s = merge_asked(request, execution, change); !s.ok()) return s;
    }
    change_activity(engine, execution, std::move(change));
  }
  auto& options = *response.mutable_activity_options();
  attempt::fill_options(execution.activity, options);
  options.mutable_task_queue()->clear_normal_name();
  options.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (execution.start_delay > Nanos{0}) set(options.mutable_start_delay(), execution.start_delay);
  return absl::OkStatus();
}

absl::Status update_execution(Engine& engine, wf::UpdateActivityExecutionOptionsRequest& from,
                              wf::UpdateActivityExecutionOptionsResponse& response) {
  if (absl::Status s = check(engine, from); !s.ok()) return s;
  if (absl::Status s = check_update(from); !s.ok()) return s;
  if (from.workflow_id().empty()) return update_standalone(engine, from, response);
  auto request = of_workflow<wf::UpdateActivityOptionsRequest>(from);
  if (from.restore_original()) {
    request.set_restore_original(true);
  } else {
    *request.mutable_activity_options() = from.activity_options();
    *request.mutable_update_mask() = from.update_mask();
  }
  wf::UpdateActivityOptionsResponse updated;
  if (absl::Status s = update_options(engine, request, updated); !s.ok()) return s;
  *response.mutable_activity_options() = std::move(*updated.mutable_activity_options());
  return absl::OkStatus();
}

}  // namespace

void register_activity_operators(MethodTable& table) {
  table.add("PauseActivityExecution", pause_execution);
  table.add("UnpauseActivityExecution", unpause_execution);
  table.add("ResetActivityExecution", reset_execution);
  table.add("UpdateActivityExecutionOptions", update_execution);
}

}  // namespace chimera::server
