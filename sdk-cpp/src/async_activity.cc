// Activities that are completed from outside their worker: what users call, on its way into the
// chain of interceptors, and the calls at its end.
#include "chimera/async_activity.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "core/converter/failure_size.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"

namespace chimera {
namespace {

std::string reason_of(const activity::CancellationDetails& details) {
  if (details.not_found) return "it is over, or there was none";
  if (details.cancel_requested) return "it was asked to";
  if (details.paused) return "it is paused";
  return "it begins anew";
}

}  // namespace

AsyncActivityCancelledError::AsyncActivityCancelledError(activity::CancellationDetails details)
    : TemporalError(absl::StrCat("the activity shall stop: ", reason_of(details))),
      details_(details) {}

AsyncActivityHandle Client::get_async_activity_handle(std::string task_token) const {
  if (task_token.empty())
    throw std::invalid_argument("get_async_activity_handle() was given an empty task token");
  return {for_handles(), {.task_token = std::move(task_token)}};
}

AsyncActivityHandle Client::get_async_activity_handle(std::string workflow_id, std::string run_id,
                                                      std::string activity_id) const {
  if (activity_id.empty())
    throw std::invalid_argument("get_async_activity_handle() was given an empty activity id");
  return {for_handles(),
          {.workflow_id = std::move(workflow_id),
           .run_id = std::move(run_id),
           .activity_id = std::move(activity_id)}};
}

namespace detail {

void complete_activity(ClientState& client, const ActivityReference& activity, Arguments result) {
  client.outbound().complete_activity({activity, result});
}
void fail_activity(ClientState& client, const ActivityReference& activity,
                   const FailureError& error, Arguments last_heartbeat_details) {
  client.outbound().fail_activity({activity, error, last_heartbeat_details});
}
void heartbeat_activity(ClientState& client, const ActivityReference& activity, Arguments details) {
  client.outbound().heartbeat_activity({activity, details});
}
void report_activity_cancellation(ClientState& client, const ActivityReference& activity,
                                  Arguments details) {
  client.outbound().report_activity_cancellation({activity, details});
}

}  // namespace detail

namespace sdk {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ActivityReference;
using detail::ClientState;

// An RPC and its twin that takes ids.
#define CHIMERA_ACTIVITY_RPC(Name, method)                                  \
  struct Name {                                                             \
    using Request = ws::method##Request;                                    \
    using Response = ws::method##Response;                                  \
    using RequestById = ws::method##ByIdRequest;                            \
    using ResponseById = ws::method##ByIdResponse;                          \
    static constexpr char kMethod[] = CHIMERA_WORKFLOW_SERVICE(method);     \
    static constexpr char kById[] = CHIMERA_WORKFLOW_SERVICE(method##ById); \
  }
CHIMERA_ACTIVITY_RPC(Complete, RespondActivityTaskCompleted);
CHIMERA_ACTIVITY_RPC(Fail, RespondActivityTaskFailed);
CHIMERA_ACTIVITY_RPC(Heartbeat, RecordActivityTaskHeartbeat);
CHIMERA_ACTIVITY_RPC(Cancel, RespondActivityTaskCanceled);
#undef CHIMERA_ACTIVITY_RPC

// `fill` writes what the verb says into either request, `take` reads either response.
template <class Rpc, class Fill, class Take>
void send(ClientState& client, const ActivityReference& activity, Fill fill, Take take) {
  const auto call = [&](auto request, auto response, std::string_view method) {
    request.set_namespace_(client.namespace_);
    request.set_identity(client.connection->options().identity);
    fill(request);
    take(client.call(method, request, response), response);
  };
  if (!activity.task_token.empty()) {
    typename Rpc::Request request;
    request.set_task_token(activity.task_token);
    return call(std::move(request), typename Rpc::Response(), Rpc::kMethod);
  }
  typename Rpc::RequestById request;
  request.set_workflow_id(activity.workflow_id);
  request.set_run_id(activity.run_id);
  request.set_activity_id(activity.activity_id);
  call(std::move(request), typename Rpc::ResponseById(), Rpc::kById);
}

std::string doing(std::string_view what, const ActivityReference& activity) {
  if (!activity.task_token.empty()) return absl::StrCat("cannot ", std::string(what));
  return absl::StrCat("cannot ", std::string(what), " '", activity.activity_id, "' of workflow '",
                      activity.workflow_id, "'");
}

}  // namespace

void ClientCalls::complete_activity(const AsyncActivityInput& input) {
  send<Complete>(
      client_, input.activity,
      [&](auto& request) {
        if (!input.values.empty())
          *request.mutable_result() =
              encode_arguments(input.values, client_.codec_of(input.activity));
      },
      [&](const absl::Status& status, const auto&) {
        if (!status.ok()) throw_rpc(status, doing("complete the activity", input.activity));
      });
}

void ClientCalls::fail_activity(const FailActivityInput& input) {
  send<Fail>(
      client_, input.activity,
      [&](auto& request) {
        const CodecIn in = client_.codec_of(input.activity);
        const Codec& codec = in;
        *request.mutable_failure() =
            to_failure(codec.to_failure(as_exception(input.error)), codec, core::kFailureBytesMax);
        if (!input.last_heartbeat_details.empty()) {
          *request.mutable_last_heartbeat_details() =
              encode_arguments(input.last_heartbeat_details, codec);
        }
      },
      [&](const absl::Status& status, const auto&) {
        if (!status.ok()) throw_rpc(status, doing("fail the activity", input.activity));
      });
}

void ClientCalls::heartbeat_activity(const AsyncActivityInput& input) {
  send<Heartbeat>(
      client_, input.activity,
      [&](auto& request) {
        if (!input.values.empty())
          *request.mutable_details() =
              encode_arguments(input.values, client_.codec_of(input.activity));
      },
      [&](const absl::Status& status, const auto& response) {
        if (absl::IsNotFound(status)) throw AsyncActivityCancelledError({.not_found = true});
        if (!status.ok()) throw_rpc(status, doing("heartbeat the activity", input.activity));
        const activity::CancellationDetails told{.cancel_requested = response.cancel_requested(),
                                                 .paused = response.activity_paused(),
                                                 .reset = response.activity_reset()};
        if (told.cancel_requested || told.paused || told.reset)
          throw AsyncActivityCancelledError(told);
      });
}

void ClientCalls::report_activity_cancellation(const AsyncActivityInput& input) {
  send<Cancel>(
      client_, input.activity,
      [&](auto& request) {
        if (!input.values.empty())
          *request.mutable_details() =
              encode_arguments(input.values, client_.codec_of(input.activity));
      },
      [&](const absl::Status& status, const auto&) {
        if (!status.ok())
          throw_rpc(status, doing("report the cancellation of the activity", input.activity));
      });
}

}  // namespace sdk
}  // namespace chimera
