#include "sdk-cpp/src/nexus_executions.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include "chimera/client.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/execution_wire.h"
#include "sdk-cpp/src/nexus_links.h"
#include "sdk-cpp/src/paging.h"
#include "sdk-cpp/src/rpc_parts.h"

namespace chimera {

// --- What users call, on its way into the chain of interceptors ---

PagedRange<NexusExecution> Client::list_nexus_operations(const std::string& query,
                                                         const ListOptions& options) const {
  sdk::ListNexusCall call{query, options};
  return state_->outbound().call(call);
}

NexusExecutionCount Client::count_nexus_operations(const std::string& query) const {
  sdk::CountNexusCall call{query};
  return state_->outbound().call(call);
}

namespace detail {

NexusTarget start_nexus_execution(ClientState& client, std::string_view endpoint,
                                  std::string_view service, std::string_view operation,
                                  const StartNexusOperationOptions& options, Arguments input) {
  sdk::StartNexusExecutionCall call{endpoint, service, operation, options, input};
  return client.outbound().call(call);
}
std::optional<Payload> nexus_operation_result(ClientState& client, NexusTarget& target) {
  sdk::NexusResultCall call{target};
  return client.outbound().call(call);
}
NexusExecutionDescription describe_nexus_operation(ClientState& client, const NexusTarget& target,
                                                   const DescribeNexusOperationOptions& options) {
  sdk::DescribeNexusCall call{target, options};
  return client.outbound().call(call);
}
void cancel_nexus_operation(ClientState& client, const NexusTarget& target,
                            const std::string& reason) {
  sdk::CancelNexusCall call{target, reason};
  client.outbound().call(call);
}
void terminate_nexus_operation(ClientState& client, const NexusTarget& target,
                               const std::string& reason) {
  sdk::TerminateNexusCall call{target, reason};
  client.outbound().call(call);
}

NexusValues::NexusValues(const ClientState& client, const NexusTarget& target)
    : context_(new sdk::ValueContext(client.values_of(target))),
      before_(sdk::set_converting(static_cast<const sdk::ValueContext*>(context_))) {}
NexusValues::~NexusValues() {
  sdk::set_converting(static_cast<const sdk::ValueContext*>(before_));
  delete static_cast<const sdk::ValueContext*>(context_);
}

}  // namespace detail

// --- The calls at its end ---

namespace sdk {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ClientState;
using detail::NexusTarget;

std::string doing(std::string_view what, const NexusTarget& target) {
  return absl::StrCat("cannot ", std::string(what), " Nexus operation '", target.id, "'");
}

template <class Request>
Request request_of(const ClientState& client, const NexusTarget& target) {
  Request request;
  request.set_namespace_(client.namespace_);
  request.set_operation_id(target.id);
  if constexpr (requires { request.set_run_id(""); }) request.set_run_id(target.run_id);
  if constexpr (requires { request.set_identity(""); })
    request.set_identity(client.connection->options().identity);
  if constexpr (requires { request.set_request_id(""); }) request.set_request_id(random_id());
  return request;
}

void check(const StartNexusExecutionCall& call) {
  const auto require = [&](std::string_view value, const char* what) {
    if (!value.empty()) return;
    throw std::invalid_argument(
        absl::StrCat("a Nexus operation needs ", what, ": endpoint '", std::string(call.endpoint),
                     "', service '", std::string(call.service), "', operation '",
                     std::string(call.operation), "', id '", call.options.id, "'"));
  };
  require(call.endpoint, "the name of an endpoint");
  require(call.service, "the name of a service");
  require(call.operation, "a name");
  require(call.options.id, "an id (StartNexusOperationOptions::id)");
}

void write(const StartNexusOperationOptions& options, const Codec& codec,
           ws::StartNexusOperationExecutionRequest& out) {
  set_duration(options.schedule_to_close_timeout,
               "StartNexusOperationOptions::schedule_to_close_timeout",
               [&] { return out.mutable_schedule_to_close_timeout(); });
  set_duration(options.schedule_to_start_timeout,
               "StartNexusOperationOptions::schedule_to_start_timeout",
               [&] { return out.mutable_schedule_to_start_timeout(); });
  set_duration(options.start_to_close_timeout, "StartNexusOperationOptions::start_to_close_timeout",
               [&] { return out.mutable_start_to_close_timeout(); });
  out.set_id_reuse_policy(
      static_cast<api::enums::v1::NexusOperationIdReusePolicy>(options.id_reuse_policy));
  out.set_id_conflict_policy(
      static_cast<api::enums::v1::NexusOperationIdConflictPolicy>(options.id_conflict_policy));
  if (!options.search_attributes.empty())
    *out.mutable_search_attributes() = to_proto(options.search_attributes);
  if (!options.summary.empty())
    set_metadata(options.summary, "", codec, *out.mutable_user_metadata());
  out.mutable_nexus_header()->insert(options.headers.begin(), options.headers.end());
}

// What lists and descriptions have alike.
template <class Info>
void read_common(const Info& info, NexusExecution& out) {
  out.id = info.operation_id();
  out.run_id = info.run_id();
  out.endpoint = info.endpoint();
  out.service = info.service();
  out.operation = info.operation();
  out.status = static_cast<NexusExecutionStatus>(info.status());
  out.schedule_time = base::to_wall_time(info.schedule_time());
  out.close_time = base::to_wall_time(info.close_time());
  out.execution_duration = base::to_nanoseconds(info.execution_duration());
  out.state_transition_count = info.state_transition_count();
  out.search_attributes = to_public(info.search_attributes());
}

// What the requests to start and to cancel it have alike.
template <class Info, class Out>
void read_attempts(const Info& info, const Codec& codec, Out& out) {
  out.attempt = info.attempt();
  out.last_attempt_complete_time = base::to_wall_time(info.last_attempt_complete_time());
  out.next_attempt_schedule_time = base::to_wall_time(info.next_attempt_schedule_time());
  out.blocked_reason = info.blocked_reason();
  if (info.has_last_attempt_failure())
    out.last_attempt_failure = to_error(info.last_attempt_failure(), codec);
}

Payload value_of(const ProtoPayload& payload, const Codec& codec) {
  ProtoPayload scratch;
  return to_public(decoded(payload, codec, scratch));
}

NexusExecutionCancellation cancellation(
    const api::nexus::v1::NexusOperationExecutionCancellationInfo& info, const Codec& codec) {
  NexusExecutionCancellation out;
  read_attempts(info, codec, out);
  out.requested_time = base::to_wall_time(info.requested_time());
  out.state = static_cast<NexusOperationCancellationState>(info.state());
  out.reason = info.reason();
  return out;
}

NexusExecutionDescription describe(const ws::DescribeNexusOperationExecutionResponse& told,
                                   const Codec& codec) {
  const auto& info = told.info();
  NexusExecutionDescription out;
  read_common(info, out);
  if (out.run_id.empty()) out.run_id = told.run_id();
  read_attempts(info, codec, out);
  out.state = static_cast<PendingNexusOperationState>(info.state());
  out.schedule_to_close_timeout = base::to_nanoseconds(info.schedule_to_close_timeout());
  out.schedule_to_start_timeout = base::to_nanoseconds(info.schedule_to_start_timeout());
  out.start_to_close_timeout = base::to_nanoseconds(info.start_to_close_timeout());
  out.expiration_time = base::to_wall_time(info.expiration_time());
  out.request_id = info.request_id();
  out.operation_token = info.operation_token();
  out.identity = info.identity();
  const auto& texts = info.user_metadata();
  out.summary = read_text(texts.has_summary(), texts.summary(), codec);
  out.details = read_text(texts.has_details(), texts.details(), codec);
  out.headers.insert(info.nexus_header().begin(), info.nexus_header().end());
  for (const ProtoLink& link : info.links())
    if (auto shown = to_public(link)) out.links.push_back(*std::move(shown));
  if (info.has_cancellation_info())
    out.cancellation = cancellation(info.cancellation_info(), codec);
  if (told.has_input()) out.input = value_of(told.input(), codec);
  if (told.has_result()) out.result = value_of(told.result(), codec);
  if (told.has_failure()) out.outcome_failure = to_error(told.failure(), codec);
  return out;
}

}  // namespace

NexusTarget NexusExecutions::call(StartNexusExecutionCall& call) {
  check(call);
  const StartNexusOperationOptions& options = call.options;
  NexusTarget target{.id = options.id,
                     .run_id = {},
                     .endpoint = std::string(call.endpoint),
                     .service = std::string(call.service),
                     .operation = std::string(call.operation)};
  const CodecIn codec = client_.codec_of(target);
  auto request = request_of<ws::StartNexusOperationExecutionRequest>(client_, target);
  request.set_endpoint(target.endpoint);
  request.set_service(target.service);
  request.set_operation(target.operation);
  if (call.input.empty()) {
    PayloadSink(request.mutable_input()).set_null();
    encode_in_place(*request.mutable_input(), codec);
  } else {
    *request.mutable_input() = std::move(*encode_arguments(call.input, codec).mutable_payloads(0));
  }
  write(options, codec, request);
  ws::StartNexusOperationExecutionResponse response;
  const absl::Status status =
      client_.call(CHIMERA_WORKFLOW_SERVICE(StartNexusOperationExecution), request, response);
  if (absl::IsAlreadyExists(status)) {
    const auto found =
        detail_of<api::errordetails::v1::NexusOperationExecutionAlreadyStartedFailure>(status);
    throw NexusOperationAlreadyStartedError(options.id, found ? found->run_id() : "");
  }
  if (!status.ok()) throw_rpc(status, doing("start", target));
  target.run_id = response.run_id();
  return target;
}

std::optional<Payload> NexusExecutions::call(NexusResultCall& call) {
  NexusTarget& target = call.target;
  auto request = request_of<ws::PollNexusOperationExecutionRequest>(client_, target);
  request.set_wait_stage(api::enums::v1::NEXUS_OPERATION_WAIT_STAGE_CLOSED);
  const detail::Patience patience = client_.patience();
  for (;;) {
    ws::PollNexusOperationExecutionResponse response;
    const absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(PollNexusOperationExecution),
                                             request, response, kLongPoll, &patience);
    if (absl::IsDeadlineExceeded(status) && !patience.over()) continue;
    if (!status.ok()) throw_rpc(status, doing("wait for", target));
    if (!response.has_result() && !response.has_failure()) continue;
    if (response.has_propagated_nexus_serialization_context()) {
      const auto& told = response.propagated_nexus_serialization_context();
      target.endpoint = told.endpoint();
      target.service = told.service();
      target.operation = told.operation();
    }
    learn(target);
    const CodecIn codec = client_.codec_of(target);
    if (response.has_failure()) {
      throw_caused<NexusOperationFailureError>(to_error(response.failure(), codec), codec);
    }
    return value_of(response.result(), codec);
  }
}

void NexusExecutions::learn(NexusTarget& target) {
  if (!target.endpoint.empty() && !target.service.empty() && !target.operation.empty()) return;
  const auto request = request_of<ws::DescribeNexusOperationExecutionRequest>(client_, target);
  ws::DescribeNexusOperationExecutionResponse response;
  client_.must(doing("wait for", target), CHIMERA_WORKFLOW_SERVICE(DescribeNexusOperationExecution),
               request, response);
  target.endpoint = response.info().endpoint();
  target.service = response.info().service();
  target.operation = response.info().operation();
}

NexusExecutionDescription NexusExecutions::call(DescribeNexusCall& call) {
  auto request = request_of<ws::DescribeNexusOperationExecutionRequest>(client_, call.target);
  request.set_include_input(call.options.include_input);
  request.set_include_outcome(call.options.include_outcome);
  ws::DescribeNexusOperationExecutionResponse response;
  client_.must(doing("describe", call.target),
               CHIMERA_WORKFLOW_SERVICE(DescribeNexusOperationExecution), request, response);
  const auto& info = response.info();
  return describe(response,
                  CodecIn(client_.codec, {.nexus = core::PayloadContext::Nexus{
                                              info.endpoint(), info.service(), info.operation()}}));
}

void NexusExecutions::call(CancelNexusCall& call) {
  auto request = request_of<ws::RequestCancelNexusOperationExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  ws::RequestCancelNexusOperationExecutionResponse response;
  client_.must(doing("cancel", call.target),
               CHIMERA_WORKFLOW_SERVICE(RequestCancelNexusOperationExecution), request, response);
}

void NexusExecutions::call(TerminateNexusCall& call) {
  auto request = request_of<ws::TerminateNexusOperationExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  ws::TerminateNexusOperationExecutionResponse response;
  client_.must(doing("terminate", call.target),
               CHIMERA_WORKFLOW_SERVICE(TerminateNexusOperationExecution), request, response);
}

PagedRange<NexusExecution> NexusExecutions::call(ListNexusCall& call) {
  ws::ListNexusOperationExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(call.query);
  return paged<NexusExecution, ws::ListNexusOperationExecutionsResponse>(
      client_, "cannot list Nexus operations",
      CHIMERA_WORKFLOW_SERVICE(ListNexusOperationExecutions), std::move(request), call.options,
      [](const auto& page) { return page.operations(); },
      [](const ClientState&, const auto& info) {
        NexusExecution out;
        read_common(info, out);
        return out;
      });
}

NexusExecutionCount NexusExecutions::call(CountNexusCall& call) {
  ws::CountNexusOperationExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(call.query);
  ws::CountNexusOperationExecutionsResponse response;
  client_.must("cannot count Nexus operations",
               CHIMERA_WORKFLOW_SERVICE(CountNexusOperationExecutions), request, response);
  return to_count(response);
}

}  // namespace sdk
}  // namespace chimera
