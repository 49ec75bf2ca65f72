#include "sdk-cpp/src/activity_executions.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "temporal/api/activity/v1/message.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "chimera/client.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/execution_wire.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/paging.h"
#include "sdk-cpp/src/rpc_parts.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera {

// --- What users call, on its way into the chain of interceptors ---

PagedRange<ActivityExecution> Client::list_activities(const std::string& query,
                                                      const ListOptions& options) const {
  sdk::ListActivitiesCall call{query, options};
  return state_->outbound().call(call);
}

ActivityCount Client::count_activities(const std::string& query) const {
  sdk::CountActivitiesCall call{query};
  return state_->outbound().call(call);
}

namespace detail {

ActivityTarget start_activity(ClientState& client, std::string_view type,
                              const StartActivityOptions& options, Arguments arguments) {
  sdk::StartActivityCall call{.type = type, .options = options, .arguments = arguments};
  return client.outbound().call(call);
}
std::optional<Payload> activity_result(ClientState& client, const ActivityTarget& target) {
  sdk::ActivityResultCall call{target};
  return client.outbound().call(call);
}
ActivityExecutionDescription describe_activity(ClientState& client, const ActivityTarget& target,
                                               const DescribeActivityOptions& options) {
  sdk::DescribeActivityCall call{target, options};
  return client.outbound().call(call);
}
void cancel_activity(ClientState& client, const ActivityTarget& target, const std::string& reason) {
  sdk::CancelActivityCall call{target, reason};
  client.outbound().call(call);
}
void terminate_activity(ClientState& client, const ActivityTarget& target,
                        const std::string& reason) {
  sdk::TerminateActivityCall call{target, reason};
  client.outbound().call(call);
}
void pause_activity(ClientState& client, const ActivityTarget& target, const std::string& reason) {
  sdk::PauseActivityCall call{target, reason};
  client.outbound().call(call);
}
void unpause_activity(ClientState& client, const ActivityTarget& target, const std::string& reason,
                      Duration jitter) {
  sdk::UnpauseActivityCall call{target, reason, jitter};
  client.outbound().call(call);
}
ActivityExecutionOptions update_activity_options(ClientState& client, const ActivityTarget& target,
                                                 const ActivityOptionsUpdate* update) {
  sdk::UpdateActivityOptionsCall call{target, update};
  return client.outbound().call(call);
}

}  // namespace detail

// --- The calls at its end ---

namespace sdk {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ActivityTarget;
using detail::ClientState;

std::string doing(std::string_view what, const ActivityTarget& target) {
  return absl::StrCat("cannot ", std::string(what), " activity '", target.id, "'");
}

template <class Request>
Request request_of(const ClientState& client, const ActivityTarget& target) {
  Request request;
  request.set_namespace_(client.namespace_);
  request.set_activity_id(target.id);
  request.set_run_id(target.run_id);
  if constexpr (requires { request.set_identity(""); })
    request.set_identity(client.connection->options().identity);
  if constexpr (requires { request.set_request_id(""); }) request.set_request_id(random_id());
  return request;
}

void check_options(std::string_view type, const StartActivityOptions& options) {
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument(absl::StrCat("cannot start activity ", std::string(type),
                                             " with id '", options.id, "': StartActivityOptions ",
                                             why));
  };
  if (options.id.empty()) refuse("needs an id");
  if (options.task_queue.empty()) refuse("needs a task_queue");
  if (options.start_to_close_timeout.count() == 0 && options.schedule_to_close_timeout.count() == 0)
    refuse("needs a start_to_close_timeout or a schedule_to_close_timeout");
}

// The four timeouts of options, or of an update, which has those that it changes.
template <class Options, class Out>
void write_timeouts(const Options& options, Out& out) {
  set_duration(options.schedule_to_close_timeout, "schedule_to_close_timeout",
               [&] { return out.mutable_schedule_to_close_timeout(); });
  set_duration(options.schedule_to_start_timeout, "schedule_to_start_timeout",
               [&] { return out.mutable_schedule_to_start_timeout(); });
  set_duration(options.start_to_close_timeout, "start_to_close_timeout",
               [&] { return out.mutable_start_to_close_timeout(); });
  set_duration(options.heartbeat_timeout, "heartbeat_timeout",
               [&] { return out.mutable_heartbeat_timeout(); });
}

template <class Out, class Info>
void read_timeouts(const Info& info, Out& out) {
  out.schedule_to_close_timeout = base::to_nanoseconds(info.schedule_to_close_timeout());
  out.schedule_to_start_timeout = base::to_nanoseconds(info.schedule_to_start_timeout());
  out.start_to_close_timeout = base::to_nanoseconds(info.start_to_close_timeout());
  out.heartbeat_timeout = base::to_nanoseconds(info.heartbeat_timeout());
  out.start_delay = base::to_nanoseconds(info.start_delay());
}

// What lists and descriptions have alike.
template <class Info>
void read_common(const Info& info, ActivityExecution& out) {
  out.id = info.activity_id();
  out.run_id = info.run_id();
  out.activity_type = info.activity_type().name();
  out.task_queue = info.task_queue();
  out.status = static_cast<ActivityExecutionStatus>(info.status());
  out.schedule_time = base::to_wall_time(info.schedule_time());
  out.execution_time = base::to_wall_time(info.execution_time());
  out.close_time = base::to_wall_time(info.close_time());
  out.execution_duration = base::to_nanoseconds(info.execution_duration());
  out.search_attributes = to_public(info.search_attributes());
}

std::vector<Payload> values_of(const ProtoPayloads& payloads, const Codec& codec) {
  ProtoPayloads scratch;
  return to_public(decoded(payloads, codec, scratch));
}

std::optional<Payload> first_of(const ProtoPayloads& payloads, const Codec& codec) {
  std::vector<Payload> values = values_of(payloads, codec);
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

ActivityExecutionDescription describe(const ws::DescribeActivityExecutionResponse& told,
                                      const Codec& codec) {
  const auto& info = told.info();
  ActivityExecutionDescription out;
  read_common(info, out);
  if (out.run_id.empty()) out.run_id = told.run_id();
  read_timeouts(info, out);
  out.run_state = static_cast<PendingActivityState>(info.run_state());
  out.attempt = info.attempt();
  out.current_retry_interval = base::to_nanoseconds(info.current_retry_interval());
  out.retry_policy = to_public(info.retry_policy());
  out.priority = to_public(info.priority());
  out.expiration_time = base::to_wall_time(info.expiration_time());
  out.last_started_time = base::to_wall_time(info.last_started_time());
  out.last_heartbeat_time = base::to_wall_time(info.last_heartbeat_time());
  out.last_attempt_complete_time = base::to_wall_time(info.last_attempt_complete_time());
  out.next_attempt_schedule_time = base::to_wall_time(info.next_attempt_schedule_time());
  out.last_worker_identity = info.last_worker_identity();
  out.canceled_reason = info.canceled_reason();
  if (info.has_last_deployment_version())
    out.last_deployment_version = to_public(info.last_deployment_version());
  out.total_heartbeat_count = info.total_heartbeat_count();
  const auto& texts = info.user_metadata();
  out.summary = read_text(texts.has_summary(), texts.summary(), codec);
  out.input = values_of(told.input(), codec);
  out.heartbeat_details = values_of(info.heartbeat_details(), codec);
  if (info.has_last_failure()) out.last_failure = to_error(info.last_failure(), codec);
  if (told.outcome().has_result()) out.result = first_of(told.outcome().result(), codec);
  if (told.outcome().has_failure()) out.outcome_failure = to_error(told.outcome().failure(), codec);
  return out;
}

}  // namespace

ActivityTarget ActivityExecutions::call(StartActivityCall& call) {
  const StartActivityOptions& options = call.options;
  const std::string type(call.type);
  check_options(type, options);
  const CodecIn in(client_.codec,
                   {.namespace_ = client_.namespace_,
                    .workflow_id = {},
                    .activity = core::PayloadContext::Activity{
                        .id = options.id, .type = call.type, .task_queue = options.task_queue}});
  const Codec& codec = in;
  ws::StartActivityExecutionRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_identity(client_.connection->options().identity);
  request.set_request_id(random_id());
  request.set_activity_id(options.id);
  request.mutable_activity_type()->set_name(type);
  request.mutable_task_queue()->set_name(options.task_queue);
  write_timeouts(options, request);
  set_duration(options.start_delay, "StartActivityOptions::start_delay",
               [&] { return request.mutable_start_delay(); });
  if (options.retry_policy) *request.mutable_retry_policy() = to_proto(*options.retry_policy);
  set_input(request, call.arguments, codec, std::move(call.header));
  request.set_id_reuse_policy(
      static_cast<api::enums::v1::ActivityIdReusePolicy>(options.id_reuse_policy));
  request.set_id_conflict_policy(
      static_cast<api::enums::v1::ActivityIdConflictPolicy>(options.id_conflict_policy));
  if (!options.search_attributes.empty())
    *request.mutable_search_attributes() = to_proto(options.search_attributes);
  if (options.priority != Priority{}) *request.mutable_priority() = to_proto(options.priority);
  if (!options.summary.empty())
    set_metadata(options.summary, "", codec, *request.mutable_user_metadata());
  ws::StartActivityExecutionResponse response;
  const absl::Status status =
      client_.call(CHIMERA_WORKFLOW_SERVICE(StartActivityExecution), request, response);
  if (absl::IsAlreadyExists(status)) {
    const auto found =
        detail_of<api::errordetails::v1::ActivityExecutionAlreadyStartedFailure>(status);
    throw ActivityAlreadyStartedError(options.id, type, found ? found->run_id() : "");
  }
  if (!status.ok())
    throw_rpc(status, absl::StrCat("cannot start activity ", type, " with id '", options.id, "'"));
  return {.id = options.id, .run_id = response.run_id()};
}

std::optional<Payload> ActivityExecutions::call(ActivityResultCall& call) {
  const auto request = request_of<ws::PollActivityExecutionRequest>(client_, call.target);
  const detail::Patience patience = client_.patience();
  for (;;) {
    ws::PollActivityExecutionResponse response;
    const absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(PollActivityExecution),
                                             request, response, kLongPoll, &patience);
    if (absl::IsDeadlineExceeded(status) && !patience.over()) continue;
    if (!status.ok()) throw_rpc(status, doing("wait for", call.target));
    if (!response.has_outcome()) continue;
    const CodecIn codec = client_.codec_of(call.target);
    if (response.outcome().has_failure()) {
      throw_caused<ActivityFailureError>(to_error(response.outcome().failure(), codec), codec);
    }
    return first_of(response.outcome().result(), codec);
  }
}

ActivityExecutionDescription ActivityExecutions::call(DescribeActivityCall& call) {
  auto request = request_of<ws::DescribeActivityExecutionRequest>(client_, call.target);
  request.set_include_input(call.options.include_input);
  request.set_include_outcome(call.options.include_outcome);
  request.set_include_heartbeat_details(call.options.include_heartbeat_details);
  request.set_include_last_failure(call.options.include_last_failure);
  ws::DescribeActivityExecutionResponse response;
  client_.must(doing("describe", call.target), CHIMERA_WORKFLOW_SERVICE(DescribeActivityExecution),
               request, response);
  return describe(response, client_.codec_of(call.target));
}

void ActivityExecutions::call(CancelActivityCall& call) {
  auto request = request_of<ws::RequestCancelActivityExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  ws::RequestCancelActivityExecutionResponse response;
  client_.must(doing("cancel", call.target),
               CHIMERA_WORKFLOW_SERVICE(RequestCancelActivityExecution), request, response);
}

void ActivityExecutions::call(TerminateActivityCall& call) {
  auto request = request_of<ws::TerminateActivityExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  ws::TerminateActivityExecutionResponse response;
  client_.must(doing("terminate", call.target),
               CHIMERA_WORKFLOW_SERVICE(TerminateActivityExecution), request, response);
}

void ActivityExecutions::call(PauseActivityCall& call) {
  auto request = request_of<ws::PauseActivityExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  ws::PauseActivityExecutionResponse response;
  client_.must(doing("pause", call.target), CHIMERA_WORKFLOW_SERVICE(PauseActivityExecution),
               request, response);
}

void ActivityExecutions::call(UnpauseActivityCall& call) {
  auto request = request_of<ws::UnpauseActivityExecutionRequest>(client_, call.target);
  request.set_reason(call.reason);
  set_duration(call.jitter, "jitter", [&] { return request.mutable_jitter(); });
  ws::UnpauseActivityExecutionResponse response;
  client_.must(doing("unpause", call.target), CHIMERA_WORKFLOW_SERVICE(UnpauseActivityExecution),
               request, response);
}

namespace {

void write(const ActivityOptionsUpdate& update, ws::UpdateActivityExecutionOptionsRequest& out) {
  auto& options = *out.mutable_activity_options();
  const auto change = [&](const auto& value, const char* path, auto&& set) {
    if (!value) return;
    out.mutable_update_mask()->add_paths(path);
    set(*value);
  };
  const auto duration = [&](const std::optional<Duration>& value, const char* path, auto field) {
    change(value, path, [&](Duration time) { set_duration(time, path, field); });
  };
  change(update.task_queue, "task_queue.name",
         [&](const std::string& name) { options.mutable_task_queue()->set_name(name); });
  duration(update.schedule_to_close_timeout, "schedule_to_close_timeout",
           [&] { return options.mutable_schedule_to_close_timeout(); });
  duration(update.schedule_to_start_timeout, "schedule_to_start_timeout",
           [&] { return options.mutable_schedule_to_start_timeout(); });
  duration(update.start_to_close_timeout, "start_to_close_timeout",
           [&] { return options.mutable_start_to_close_timeout(); });
  duration(update.heartbeat_timeout, "heartbeat_timeout",
           [&] { return options.mutable_heartbeat_timeout(); });
  change(update.retry_policy, "retry_policy",
         [&](const RetryPolicy& policy) { *options.mutable_retry_policy() = to_proto(policy); });
  change(update.priority, "priority",
         [&](const Priority& priority) { *options.mutable_priority() = to_proto(priority); });
}

}  // namespace

ActivityExecutionOptions ActivityExecutions::call(UpdateActivityOptionsCall& call) {
  const std::string what = doing("update the options of", call.target);
  auto request = request_of<ws::UpdateActivityExecutionOptionsRequest>(client_, call.target);
  if (call.update == nullptr) {
    request.set_restore_original(true);
  } else {
    write(*call.update, request);
    if (request.update_mask().paths_size() == 0)
      throw std::invalid_argument(absl::StrCat(what, ": none is given"));
  }
  ws::UpdateActivityExecutionOptionsResponse response;
  client_.must(what, CHIMERA_WORKFLOW_SERVICE(UpdateActivityExecutionOptions), request, response);
  const auto& options = response.activity_options();
  ActivityExecutionOptions out{.task_queue = options.task_queue().name()};
  read_timeouts(options, out);
  out.retry_policy = to_public(options.retry_policy());
  out.priority = to_public(options.priority());
  return out;
}

PagedRange<ActivityExecution> ActivityExecutions::call(ListActivitiesCall& call) {
  ws::ListActivityExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(call.query);
  return paged<ActivityExecution, ws::ListActivityExecutionsResponse>(
      client_, "cannot list activities", CHIMERA_WORKFLOW_SERVICE(ListActivityExecutions),
      std::move(request), call.options, [](const auto& page) { return page.executions(); },
      [](const ClientState&, const auto& info) {
        ActivityExecution out;
        read_common(info, out);
        return out;
      });
}

ActivityCount ActivityExecutions::call(CountActivitiesCall& call) {
  ws::CountActivityExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(call.query);
  ws::CountActivityExecutionsResponse response;
  client_.must("cannot count activities", CHIMERA_WORKFLOW_SERVICE(CountActivityExecutions),
               request, response);
  return to_count(response);
}

}  // namespace sdk
}  // namespace chimera
