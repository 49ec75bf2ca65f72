// Requests built, answers taken apart, statuses made exceptions.
#include "sdk-cpp/src/client_calls.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

#include "core/converter/payload.h"
#include "sdk-cpp/src/change_wire.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/execution_wire.h"
#include "sdk-cpp/src/nexus_workflow.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/rpc_parts.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {

std::string random_id() {
  thread_local std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

namespace {

namespace ws = api::workflowservice::v1;
using detail::Answer;
using detail::ClientState;
using detail::StartedUpdate;
using detail::Target;
using HistoryEvent = api::history::v1::HistoryEvent;

// For requests that mean a chain of runs where it is known, and else a run.
template <class Request>
void set_chain(Request& request, const detail::Target& target) {
  set_execution(*request.mutable_workflow_execution(), target);
  if (target.first_execution_run_id.empty()) return;
  request.mutable_workflow_execution()->clear_run_id();
  request.set_first_execution_run_id(target.first_execution_run_id);
}

detail::Answer first_payload(const api::common::v1::Payloads& payloads, const Codec& codec) {
  ProtoPayloads scratch;
  const ProtoPayloads& plain = decoded(payloads, codec, scratch);
  if (plain.payloads_size() == 0) return {};
  return {to_public(plain.payloads(0))};
}

// What the close event says: a result, an exception, or the run that goes on (not returned then).
std::optional<detail::Answer> read_close(const HistoryEvent& event, bool follow, const Codec& codec,
                                         std::string& next_run) {
  const auto follows = [&](const std::string& run_id) {
    if (follow && !run_id.empty()) next_run = run_id;
    return !next_run.empty();
  };
  switch (event.attributes_case()) {
    case HistoryEvent::kWorkflowExecutionCompletedEventAttributes: {
      const auto& done = event.workflow_execution_completed_event_attributes();
      if (follows(done.new_execution_run_id())) return std::nullopt;
      return first_payload(done.result(), codec);
    }
    case HistoryEvent::kWorkflowExecutionFailedEventAttributes: {
      const auto& failed = event.workflow_execution_failed_event_attributes();
      if (follows(failed.new_execution_run_id())) return std::nullopt;
      throw_caused<WorkflowFailureError>(to_error(failed.failure(), codec), codec);
    }
    case HistoryEvent::kWorkflowExecutionTimedOutEventAttributes:
      if (follows(event.workflow_execution_timed_out_event_attributes().new_execution_run_id()))
        return std::nullopt;
      throw_caused<WorkflowFailureError>(
          std::make_shared<const TimeoutError>("Workflow timed out", TimeoutType::kStartToClose),
          codec);
    case HistoryEvent::kWorkflowExecutionCanceledEventAttributes: {
      ProtoPayloads scratch;
      const auto& details = event.workflow_execution_canceled_event_attributes().details();
      throw_caused<WorkflowFailureError>(
          std::make_shared<const CancelledError>(
              "Workflow cancelled", Details(to_public(decoded(details, codec, scratch)))),
          codec);
    }
    case HistoryEvent::kWorkflowExecutionTerminatedEventAttributes: {
      const std::string& reason = event.workflow_execution_terminated_event_attributes().reason();
      throw_caused<WorkflowFailureError>(
          std::make_shared<const TerminatedError>(reason.empty() ? "Workflow terminated" : reason),
          codec);
    }
    case HistoryEvent::kWorkflowExecutionContinuedAsNewEventAttributes:
      if (follows(event.workflow_execution_continued_as_new_event_attributes()
                      .new_execution_run_id())) {
        return std::nullopt;
      }
      throw_caused<WorkflowFailureError>(
          std::make_shared<const ApplicationError>(
              "Workflow continued as new",
              ApplicationErrorOptions{
                  .type = "WorkflowContinuedAsNew",
                  .details = details(event.workflow_execution_continued_as_new_event_attributes()
                                         .new_execution_run_id())}),
          codec);
    default:
      throw RpcError(StatusCode::kInternal, absl::StrCat("the server gave event ", event.event_id(),
                                                         " as the close event, which it is not"));
  }
}

}  // namespace

namespace {

// What StartWorkflowExecution and SignalWithStartWorkflowExecution have in common.
template <class Request>
Request start_request(ClientState& client, StartWorkflowInput& input) {
  const WorkflowOptions& options = input.options;
  const CodecIn codec = client.codec_of(options.id);
  Request request;
  request.set_namespace_(client.namespace_);
  request.set_workflow_id(options.id);
  request.mutable_workflow_type()->set_name(std::string(input.type));
  request.mutable_task_queue()->set_name(options.task_queue);
  set_input(request, input.arguments, codec, std::move(input.header));
  set_duration(options.execution_timeout, "WorkflowOptions::execution_timeout",
               [&] { return request.mutable_workflow_execution_timeout(); });
  set_duration(options.run_timeout, "WorkflowOptions::run_timeout",
               [&] { return request.mutable_workflow_run_timeout(); });
  set_duration(options.task_timeout, "WorkflowOptions::task_timeout",
               [&] { return request.mutable_workflow_task_timeout(); });
  set_duration(options.start_delay, "WorkflowOptions::start_delay",
               [&] { return request.mutable_workflow_start_delay(); });
  if (options.time_skipping_config)
    write_time_skipping(*options.time_skipping_config, *request.mutable_time_skipping_config());
  request.set_identity(client.connection->options().identity);
  request.set_request_id(random_id());
  request.set_workflow_id_reuse_policy(
      static_cast<api::enums::v1::WorkflowIdReusePolicy>(options.id_reuse_policy));
  request.set_workflow_id_conflict_policy(
      static_cast<api::enums::v1::WorkflowIdConflictPolicy>(options.id_conflict_policy));
  if (options.retry_policy) *request.mutable_retry_policy() = to_proto(*options.retry_policy);
  request.set_cron_schedule(options.cron_schedule);
  if (!options.memo.empty()) *request.mutable_memo() = to_proto(options.memo, codec);
  if (!options.search_attributes.empty()) {
    *request.mutable_search_attributes() = to_proto(options.search_attributes);
  }
  if (options.priority != Priority{}) *request.mutable_priority() = to_proto(options.priority);
  if (options.versioning_override)
    *request.mutable_versioning_override() = to_proto(*options.versioning_override);
  if (!options.static_summary.empty() || !options.static_details.empty()) {
    set_metadata(options.static_summary, options.static_details, codec,
                 *request.mutable_user_metadata());
  }
  return request;
}

template <class Request, class Response>
Target send_start(ClientState& client, const StartWorkflowInput& input, std::string_view method,
                  const Request& request, Response& response) {
  const std::string type(input.type);
  const WorkflowOptions& options = input.options;
  const absl::Status status = client.call(method, request, response);
  if (status.code() == absl::StatusCode::kAlreadyExists) {
    const auto found =
        detail_of<api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure>(status);
    throw WorkflowAlreadyStartedError(options.id, type, found ? found->run_id() : "");
  }
  if (!status.ok()) {
    throw_rpc(status, absl::StrCat("cannot start workflow ", type, " with id '", options.id, "'"));
  }
  // Not pinned to the run: signals and the like reach what it continues as. Older servers do not
  // name the first run of one that was there before.
  std::string first = response.first_execution_run_id();
  if (first.empty() && response.started()) first = response.run_id();
  return {.id = options.id,
          .first_execution_run_id = std::move(first),
          .started_run_id = response.run_id(),
          .workflow_type = type};
}

void check_options(std::string_view type, const WorkflowOptions& options) {
  if (!options.id.empty() && !options.task_queue.empty()) return;
  throw std::invalid_argument(absl::StrCat("cannot start workflow ", std::string(type),
                                           " with id '", options.id, "': WorkflowOptions needs ",
                                           options.id.empty() ? "an id" : "a task_queue"));
}

}  // namespace

Target ClientCalls::start_workflow(StartWorkflowInput& input) {
  const WorkflowOptions& options = input.options;
  check_options(input.type, options);
  if (!input.signal.empty()) return signal_with_start(input);
  auto request = start_request<ws::StartWorkflowExecutionRequest>(client_, input);
  core::WorkflowSlotPtr slot;
  if (options.request_eager_start) {
    slot = client_.connection->eager_starts()->try_reserve(client_.namespace_, options.task_queue);
  }
  core::ask_for_first_task(request, slot.get());
  put_nexus_request(request);
  ws::StartWorkflowExecutionResponse response;
  Target started = send_start(client_, input, CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution),
                              request, response);
  take_nexus_links(request, response);
  if (slot != nullptr && response.has_eager_workflow_task()) {
    slot->run(
        std::shared_ptr<ws::PollWorkflowTaskQueueResponse>(response.release_eager_workflow_task()));
  }
  return started;
}

Target ClientCalls::signal_with_start(StartWorkflowInput& input) {
  auto request = start_request<ws::SignalWithStartWorkflowExecutionRequest>(client_, input);
  request.set_signal_name(std::string(input.signal));
  if (!input.signal_arguments.empty()) {
    *request.mutable_signal_input() =
        encode_arguments(input.signal_arguments, client_.codec_of(input.options.id));
  }
  put_nexus_request(request);
  ws::SignalWithStartWorkflowExecutionResponse response;
  Target started =
      send_start(client_, input, CHIMERA_WORKFLOW_SERVICE(SignalWithStartWorkflowExecution),
                 request, response);
  take_nexus_links(response);
  return started;
}

Answer ClientCalls::result(const ResultInput& input) {
  const Target& target = input.target;
  const std::string doing = absl::StrCat("cannot wait for workflow '", target.id, "'");
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_execution(), target);
  if (target.run_id.empty()) request.mutable_execution()->set_run_id(target.started_run_id);
  request.set_wait_new_event(true);
  request.set_skip_archival(true);
  request.set_history_event_filter_type(api::enums::v1::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  const detail::Patience patience = client_.patience();
  const CodecIn codec = client_.codec_of(target.id);
  for (;;) {
    ws::GetWorkflowExecutionHistoryResponse response;
    const absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory),
                                             request, response, kLongPoll, &patience);
    if (status.code() == absl::StatusCode::kDeadlineExceeded && !patience.over()) continue;
    if (!status.ok()) throw_rpc(status, doing);
    request.set_next_page_token(response.next_page_token());
    if (response.history().events_size() == 0) continue;
    std::string next_run;
    const auto answer =
        read_close(response.history().events(0), input.follow_runs, codec, next_run);
    if (answer) return *answer;
    request.mutable_execution()->set_run_id(next_run);
    request.clear_next_page_token();
  }
}

void ClientCalls::signal(SignalInput& input) {
  const Target& target = input.target;
  ws::SignalWorkflowExecutionRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_workflow_execution(), target);
  request.set_signal_name(std::string(input.name));
  set_input(request, input.arguments, client_.codec_of(target.id), std::move(input.header));
  request.set_identity(client_.connection->options().identity);
  request.set_request_id(random_id());
  put_nexus_request(request);
  ws::SignalWorkflowExecutionResponse response;
  client_.must(absl::StrCat("cannot signal workflow '", target.id, "'"),
               CHIMERA_WORKFLOW_SERVICE(SignalWorkflowExecution), request, response);
  take_nexus_links(response);
}

Answer ClientCalls::query(QueryInput& input) {
  const Target& target = input.target;
  ws::QueryWorkflowRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_execution(), target);
  const CodecIn codec = client_.codec_of(target.id);
  auto& query = *request.mutable_query();
  query.set_query_type(std::string(input.name));
  if (!input.arguments.empty())
    *query.mutable_query_args() = encode_arguments(input.arguments, codec);
  if (input.header.fields_size() > 0) *query.mutable_header() = std::move(input.header);
  const int condition = static_cast<int>(input.options.reject_condition);
  request.set_query_reject_condition(static_cast<api::enums::v1::QueryRejectCondition>(
      condition != 0 ? condition : client_.query_reject_condition));
  ws::QueryWorkflowResponse response;
  const absl::Status status =
      client_.call(CHIMERA_WORKFLOW_SERVICE(QueryWorkflow), request, response);
  if (status.code() == absl::StatusCode::kInvalidArgument) {
    throw WorkflowQueryFailedError(std::string(status.message()));
  }
  if (!status.ok()) throw_rpc(status, absl::StrCat("cannot query workflow '", target.id, "'"));
  if (response.has_query_rejected()) {
    throw WorkflowQueryRejectedError(
        static_cast<WorkflowExecutionStatus>(response.query_rejected().status()));
  }
  return first_payload(response.query_result(), codec);
}

namespace {

Answer read_outcome(const api::update::v1::Outcome& outcome, const Codec& codec) {
  if (outcome.has_failure())
    throw_caused<WorkflowUpdateFailedError>(to_error(outcome.failure(), codec), codec);
  return first_payload(outcome.success(), codec);
}

constexpr auto kAccepted = api::enums::v1::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;

ws::UpdateWorkflowExecutionRequest update_request(ClientState& client, const Target& target,
                                                  UpdateInput& wanted) {
  ws::UpdateWorkflowExecutionRequest request;
  request.set_namespace_(client.namespace_);
  set_execution(*request.mutable_workflow_execution(), target);
  request.mutable_wait_policy()->set_lifecycle_stage(
      static_cast<api::enums::v1::UpdateWorkflowExecutionLifecycleStage>(wanted.until));
  auto& update = *request.mutable_request();
  update.mutable_meta()->set_update_id(wanted.options.id.empty() ? random_id() : wanted.options.id);
  update.mutable_meta()->set_identity(client.connection->options().identity);
  update.mutable_input()->set_name(std::string(wanted.name));
  if (!wanted.arguments.empty())
    *update.mutable_input()->mutable_args() =
        encode_arguments(wanted.arguments, client.codec_of(target.id));
  if (wanted.header.fields_size() > 0)
    *update.mutable_input()->mutable_header() = std::move(wanted.header);
  return request;
}

// Of the two operations, the one that failed of itself: the other was aborted because of it.
[[noreturn]] void throw_multi(const absl::Status& status, std::string_view type,
                              const std::string& id) {
  using Failure = api::errordetails::v1::MultiOperationExecutionFailure;
  const auto failure = detail_of<Failure>(status);
  const std::string doing = absl::StrCat("cannot update workflow '", id, "', to be started as ",
                                         std::string(type), " if it does not run");
  if (!failure) throw_rpc(status, doing);
  for (const Failure::OperationStatus& operation : failure->statuses()) {
    const bool aborted =
        operation.details_size() > 0 &&
        operation.details(0).Is<api::failure::v1::MultiOperationExecutionAborted>();
    if (operation.code() == 0 || aborted) continue;
    for (const auto& any : operation.details()) {
      api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure started;
      if (any.UnpackTo(&started))
        throw WorkflowAlreadyStartedError(id, std::string(type), started.run_id());
    }
    throw_rpc(absl::Status(static_cast<absl::StatusCode>(operation.code()), operation.message()),
              doing);
  }
  throw_rpc(status, doing);
}

}  // namespace

StartedUpdate ClientCalls::start_update(const Target& target, UpdateInput& input) {
  const ws::UpdateWorkflowExecutionRequest request = update_request(client_, target, input);
  const std::string& id = request.request().meta().update_id();
  const detail::Patience patience = client_.patience();
  for (;;) {  // The server answers early, with a lower stage, when nobody took it in time.
    ws::UpdateWorkflowExecutionResponse response;
    client_.must(absl::StrCat("cannot update workflow '", target.id, "'"),
                 CHIMERA_WORKFLOW_SERVICE(UpdateWorkflowExecution), request, response, kLongPoll,
                 &patience);
    if (response.has_outcome())
      return {id, read_outcome(response.outcome(), client_.codec_of(target.id))};
    if (response.stage() < kAccepted) continue;
    return {id, std::nullopt, response.update_ref().workflow_execution().run_id()};
  }
}

StartedUpdate ClientCalls::update_with_start(StartWorkflowInput& start, UpdateInput& update,
                                             Target& target) {
  const WorkflowOptions& options = start.options;
  check_options(start.type, options);
  if (options.id_conflict_policy == WorkflowIdConflictPolicy::kUnspecified) {
    throw std::invalid_argument(
        absl::StrCat("cannot update workflow '", options.id,
                     "' with start: WorkflowOptions needs an id_conflict_policy, which says what "
                     "to do if it runs (kUseExisting, kFail)"));
  }
  ws::ExecuteMultiOperationRequest request;
  request.set_namespace_(client_.namespace_);
  *request.add_operations()->mutable_start_workflow() =
      start_request<ws::StartWorkflowExecutionRequest>(client_, start);
  target.id = options.id;
  target.workflow_type = std::string(start.type);
  auto& wanted = *request.add_operations()->mutable_update_workflow();
  wanted = update_request(client_, target, update);
  const std::string& id = wanted.request().meta().update_id();
  const detail::Patience patience = client_.patience();
  for (;;) {  // As start_update().
    ws::ExecuteMultiOperationResponse response;
    const absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(ExecuteMultiOperation),
                                             request, response, kLongPoll, &patience);
    if (!status.ok()) throw_multi(status, start.type, options.id);
    if (response.responses_size() < 2) continue;
    target.run_id = response.responses(0).start_workflow().run_id();
    const auto& answer = response.responses(1).update_workflow();
    if (answer.has_outcome())
      return {id, read_outcome(answer.outcome(), client_.codec_of(target.id))};
    if (answer.stage() >= kAccepted) return {id, std::nullopt};
  }
}

Answer ClientCalls::update_result(const UpdateResultInput& input) {
  ws::PollWorkflowExecutionUpdateRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_update_ref()->mutable_workflow_execution(), input.target);
  request.mutable_update_ref()->set_update_id(input.update_id);
  request.set_identity(client_.connection->options().identity);
  request.mutable_wait_policy()->set_lifecycle_stage(
      api::enums::v1::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  const detail::Patience patience = client_.patience();
  for (;;) {
    ws::PollWorkflowExecutionUpdateResponse response;
    const absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(PollWorkflowExecutionUpdate),
                                             request, response, kLongPoll, &patience);
    if (status.code() == absl::StatusCode::kDeadlineExceeded && !patience.over()) continue;
    if (!status.ok()) throw_rpc(status, absl::StrCat("cannot wait for update ", input.update_id));
    if (response.has_outcome())
      return read_outcome(response.outcome(), client_.codec_of(input.target.id));
  }
}

void ClientCalls::cancel(const CancelInput& input) {
  const Target& target = input.target;
  ws::RequestCancelWorkflowExecutionRequest request;
  request.set_namespace_(client_.namespace_);
  set_chain(request, target);
  request.set_identity(client_.connection->options().identity);
  request.set_request_id(random_id());
  request.set_reason(input.options.reason);
  ws::RequestCancelWorkflowExecutionResponse response;
  client_.must(absl::StrCat("cannot cancel workflow '", target.id, "'"),
               CHIMERA_WORKFLOW_SERVICE(RequestCancelWorkflowExecution), request, response);
}

void ClientCalls::terminate(const TerminateInput& input) {
  const Target& target = input.target;
  ws::TerminateWorkflowExecutionRequest request;
  request.set_namespace_(client_.namespace_);
  set_chain(request, target);
  request.set_identity(client_.connection->options().identity);
  request.set_reason(input.reason);
  if (!input.details.empty())
    *request.mutable_details() = encode_arguments(input.details, client_.codec_of(target.id));
  ws::TerminateWorkflowExecutionResponse response;
  client_.must(absl::StrCat("cannot terminate workflow '", target.id, "'"),
               CHIMERA_WORKFLOW_SERVICE(TerminateWorkflowExecution), request, response);
}

WorkflowExecution ClientCalls::describe(const DescribeInput& input) {
  const Target& target = input.target;
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_execution(), target);
  ws::DescribeWorkflowExecutionResponse response;
  client_.must(absl::StrCat("cannot describe workflow '", target.id, "'"),
               CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), request, response);
  return to_public(response.workflow_execution_info(), client_.codec_of(target.id));
}

WorkflowExecutionOptions ClientCalls::update_options(const UpdateOptionsInput& input) {
  const std::string doing =
      absl::StrCat("cannot update options of workflow '", input.target.id, "'");
  ws::UpdateWorkflowExecutionOptionsRequest request;
  request.set_namespace_(client_.namespace_);
  set_execution(*request.mutable_workflow_execution(), input.target);
  request.set_identity(client_.connection->options().identity);
  write(input.update, doing, *request.mutable_workflow_execution_options(),
        *request.mutable_update_mask());
  ws::UpdateWorkflowExecutionOptionsResponse response;
  client_.must(doing, CHIMERA_WORKFLOW_SERVICE(UpdateWorkflowExecutionOptions), request, response);
  const auto& now = response.workflow_execution_options();
  WorkflowExecutionOptions out{.priority = to_public(now.priority())};
  if (now.has_versioning_override()) out.versioning_override = to_public(now.versioning_override());
  return out;
}

}  // namespace chimera::sdk
