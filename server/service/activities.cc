// The reports of activity workers, by token and by id.
#include <optional>
#include <variant>

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/pending/activity.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"
#include "server/engine/standalone/reports.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/task_lookup.h"

namespace chimera::server {
namespace {

// Of a workflow, or one that stands alone.
using Reported = std::variant<ActivityRef, const ActivityExecution*>;

template <class Found>
absl::StatusOr<Reported> reported(absl::StatusOr<Found> found) {
  if (!found.ok()) return found.status();
  return Reported(*found);
}

absl::StatusOr<Reported> find_by_id(Engine& engine, const auto& request, bool begun) {
  if (!request.workflow_id().empty()) {
    return reported(find_activity_by_id(engine, request.namespace_(), request.workflow_id(),
                                        request.run_id(), request.activity_id(), begun));
  }
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.activity_id().empty()) return invalid("ActivityId is not set on request.");
  return reported(
      find_standalone_by_id(engine, **ns, request.activity_id(), request.run_id(), begun));
}

absl::StatusOr<Reported> find(Engine& engine, const auto& request, bool begun = true) {
  // The length of a heartbeat's is not looked at, as there.
  constexpr bool kBeats =
      std::is_same_v<std::decay_t<decltype(request)>, wf::RecordActivityTaskHeartbeatRequest> ||
      std::is_same_v<std::decay_t<decltype(request)>, wf::RecordActivityTaskHeartbeatByIdRequest>;
  if (!kBeats) {
    if (absl::Status s = check_length("Identity", request.identity()); !s.ok()) return s;
  }
  if constexpr (requires { request.activity_id(); }) {
    return find_by_id(engine, request, begun);
  } else {
    if (absl::Status s = check_token(engine, request.namespace_(), request.task_token()); !s.ok())
      return s;
    const std::optional<TaskToken> token = TaskToken::decode(request.task_token());
    if (token->workflow_id.empty()) return reported(find_standalone_by_token(engine, *token));
    return reported(find_activity_by_token(engine, request.task_token()));
  }
}

// The reports by id do not tell.
const common::WorkerVersionStamp* worker_of(const auto& request) {
  if constexpr (requires { request.worker_version(); }) {
    if (request.has_worker_version()) return &request.worker_version();
  }
  return nullptr;
}

// A report over the limits fails the activity for good.
absl::Status refuse(Engine& engine, const Reported& reported, const std::string& identity,
                    const char* why) {
  failure::Failure failure = server_failure(why);
  std::visit([&](auto ref) { fail_activity(engine, ref, failure, identity, nullptr, nullptr); },
             reported);
  return absl::OkStatus();
}

bool is_big(const common::Payloads& payloads) { return payloads.ByteSizeLong() > kBlobBytesMax; }

template <class Request, class Response>
absl::Status complete(Engine& engine, Request& request, Response&) {
  absl::StatusOr<Reported> found = find(engine, request, /*begun=*/false);
  if (!found.ok()) return found.status();
  if (is_big(request.result())) {
    found = find(engine, request);
    if (!found.ok()) return found.status();
    return refuse(engine, *found, request.identity(), "Complete result exceeds size limit.");
  }
  std::visit(
      [&](auto ref) {
        complete_activity(engine, ref, *request.mutable_result(), request.identity(),
                          worker_of(request));
      },
      *found);
  return absl::OkStatus();
}

template <class Request, class Response>
absl::Status fail(Engine& engine, Request& request, Response& response) {
  absl::StatusOr<Reported> found = find(engine, request);
  if (!found.ok()) return found.status();
  // Not by id, as there.
  constexpr bool kByToken = requires { request.task_token(); };
  if (kByToken && request.has_failure() && !request.failure().has_application_failure_info())
    return invalid("Failure must have ApplicationFailureInfo.");
  if (cut_failure(*request.mutable_failure())) *response.add_failures() = request.failure();
  const common::Payloads* details =
      request.has_last_heartbeat_details() ? &request.last_heartbeat_details() : nullptr;
  std::visit(
      [&](auto ref) {
        fail_activity(engine, ref, *request.mutable_failure(), request.identity(), details,
                      worker_of(request));
      },
      *found);
  return absl::OkStatus();
}

template <class Request, class Response>
absl::Status cancel(Engine& engine, Request& request, Response&) {
  absl::StatusOr<Reported> found = find(engine, request);
  if (!found.ok()) return found.status();
  if (is_big(request.details()))
    return refuse(engine, *found, request.identity(), "Cancel details exceed size limit.");
  return std::visit(
      [&](auto ref) {
        return cancel_activity(engine, ref, *request.mutable_details(), request.identity());
      },
      *found);
}

template <class Request, class Response>
absl::Status heartbeat(Engine& engine, Request& request, Response& response) {
  absl::StatusOr<Reported> found = find(engine, request);
  if (!found.ok()) return found.status();
  if (is_big(request.details())) {
    response.set_cancel_requested(true);
    return refuse(engine, *found, request.identity(), "Heartbeat details exceed size limit.");
  }
  const bool has_details = request.has_details();
  const HeartbeatReply reply = std::visit(
      [&](auto ref) {
        return heartbeat_activity(engine, ref, *request.mutable_details(), has_details);
      },
      *found);
  response.set_cancel_requested(reply.cancel_requested);
  response.set_activity_paused(reply.paused);
  response.set_activity_reset(reply.was_reset);
  return absl::OkStatus();
}

}  // namespace

void register_activities(MethodTable& table) {
  table.add(
      "RespondActivityTaskCompleted",
      complete<wf::RespondActivityTaskCompletedRequest, wf::RespondActivityTaskCompletedResponse>);
  table.add("RespondActivityTaskCompletedById",
            complete<wf::RespondActivityTaskCompletedByIdRequest,
                     wf::RespondActivityTaskCompletedByIdResponse>);
  table.add("RespondActivityTaskFailed",
            fail<wf::RespondActivityTaskFailedRequest, wf::RespondActivityTaskFailedResponse>);
  table.add(
      "RespondActivityTaskFailedById",
      fail<wf::RespondActivityTaskFailedByIdRequest, wf::RespondActivityTaskFailedByIdResponse>);
  table.add(
      "RespondActivityTaskCanceled",
      cancel<wf::RespondActivityTaskCanceledRequest, wf::RespondActivityTaskCanceledResponse>);
  table.add("RespondActivityTaskCanceledById", cancel<wf::RespondActivityTaskCanceledByIdRequest,
                                                      wf::RespondActivityTaskCanceledByIdResponse>);
  table.add(
      "RecordActivityTaskHeartbeat",
      heartbeat<wf::RecordActivityTaskHeartbeatRequest, wf::RecordActivityTaskHeartbeatResponse>);
  table.add("RecordActivityTaskHeartbeatById",
            heartbeat<wf::RecordActivityTaskHeartbeatByIdRequest,
                      wf::RecordActivityTaskHeartbeatByIdResponse>);
}

}  // namespace chimera::server
