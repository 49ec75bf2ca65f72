// Calls about schedules: requests built, answers taken apart.
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "sdk-cpp/src/client_calls.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/paging.h"
#include "sdk-cpp/src/rpc_parts.h"
#include "sdk-cpp/src/schedule_wire.h"

namespace chimera::sdk {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ClientState;
using Patch = api::schedule::v1::SchedulePatch;
using Overlap = api::enums::v1::ScheduleOverlapPolicy;

// Each needs that somebody else has changed the schedule between two calls.
constexpr int kUpdateAttempts = 10;

std::string doing(std::string_view verb, const std::string& id) {
  return absl::StrCat("cannot ", std::string(verb), " schedule '", id, "'");
}

template <class Request>
Request about(const ClientState& client, const std::string& id) {
  Request request;
  request.set_namespace_(client.namespace_);
  request.set_schedule_id(id);
  return request;
}
// With who asks.
template <class Request>
Request change(const ClientState& client, const std::string& id) {
  auto request = about<Request>(client, id);
  request.set_identity(client.connection->options().identity);
  request.set_request_id(random_id());
  return request;
}

void send_patch(ClientState& client, std::string_view verb, const std::string& id, Patch patch) {
  auto request = change<ws::PatchScheduleRequest>(client, id);
  *request.mutable_patch() = std::move(patch);
  ws::PatchScheduleResponse response;
  client.must(doing(verb, id), CHIMERA_WORKFLOW_SERVICE(PatchSchedule), request, response);
}

// As the official SDKs: a limit needs both, so that neither is forgotten.
void check_limit(const ScheduleState& state) {
  if (state.limited_actions == (state.remaining_actions != 0)) return;
  throw std::invalid_argument(
      state.limited_actions
          ? "ScheduleState::limited_actions is true, but remaining_actions is 0: the schedule "
            "would "
            "never do anything"
          : absl::StrCat("ScheduleState::remaining_actions is ", state.remaining_actions,
                         ", but limited_actions is false: there would be no limit"));
}

ws::DescribeScheduleResponse fetch(ClientState& client, std::string_view verb,
                                   const std::string& id) {
  ws::DescribeScheduleResponse response;
  client.must(doing(verb, id), CHIMERA_WORKFLOW_SERVICE(DescribeSchedule),
              about<ws::DescribeScheduleRequest>(client, id), response);
  return response;
}

// Whether an update that was answered with OK has changed nothing: a server whose schedules are
// workflows (1.29, 1.32) takes it as a signal, and drops one whose conflict token is stale.
bool was_dropped(ClientState& client, const std::string& id,
                 const api::schedule::v1::ScheduleInfo& before) {
  ws::DescribeScheduleResponse now;
  const absl::Status status = client.call(CHIMERA_WORKFLOW_SERVICE(DescribeSchedule),
                                          about<ws::DescribeScheduleRequest>(client, id), now);
  if (!status.ok()) return false;  // Deleted meanwhile, say: there is nothing to mend.
  return now.info().has_update_time() == before.has_update_time() &&
         base::to_wall_time(now.info().update_time()) == base::to_wall_time(before.update_time());
}

ScheduleDescription read(const ClientState& client, const std::string& id,
                         const ws::DescribeScheduleResponse& reply) {
  const auto& workflow = reply.schedule().action().start_workflow();
  return to_public(id, reply, client.codec, client.codec_of(workflow.workflow_id()));
}

}  // namespace

std::string ClientCalls::create_schedule(CreateScheduleInput& input) {
  check_limit(input.schedule.state);
  auto request = change<ws::CreateScheduleRequest>(client_, input.id);
  *request.mutable_schedule() =
      to_proto(input.schedule, client_.codec_of(input.schedule.action.id));
  if (input.header.fields_size() > 0) {
    *request.mutable_schedule()->mutable_action()->mutable_start_workflow()->mutable_header() =
        std::move(input.header);
  }
  const CreateScheduleOptions& options = input.options;
  if (options.trigger_immediately) {
    request.mutable_initial_patch()->mutable_trigger_immediately()->set_overlap_policy(
        request.schedule().policies().overlap_policy());
  }
  for (const ScheduleBackfill& backfill : options.backfills)
    *request.mutable_initial_patch()->add_backfill_request() = to_proto(backfill);
  if (!options.memo.empty()) *request.mutable_memo() = to_proto(options.memo, client_.codec);
  if (!options.search_attributes.empty())
    *request.mutable_search_attributes() = to_proto(options.search_attributes);
  ws::CreateScheduleResponse response;
  const absl::Status status =
      client_.call(CHIMERA_WORKFLOW_SERVICE(CreateSchedule), request, response);
  // Of this code, a failure with a detail only means that.
  if (status.code() == absl::StatusCode::kAlreadyExists &&
      detail_of<api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure>(status))
    throw ScheduleAlreadyRunningError(input.id);
  if (!status.ok()) throw_rpc(status, doing("create", input.id));
  return input.id;
}

ScheduleDescription ClientCalls::describe_schedule(const ScheduleInput& input) {
  return read(client_, input.id, fetch(client_, "describe", input.id));
}

void ClientCalls::update_schedule(const UpdateScheduleInput& input) {
  for (int attempt = 1;; ++attempt) {
    const ws::DescribeScheduleResponse was = fetch(client_, "update", input.id);
    const std::optional<ScheduleUpdate> update = input.updater(read(client_, input.id, was));
    if (!update) return;
    auto request = change<ws::UpdateScheduleRequest>(client_, input.id);
    *request.mutable_schedule() =
        to_proto(update->schedule, client_.codec_of(update->schedule.action.id));
    request.set_conflict_token(was.conflict_token());
    if (update->search_attributes)
      *request.mutable_search_attributes() = to_proto(*update->search_attributes);
    ws::UpdateScheduleResponse response;
    absl::Status status = client_.call(CHIMERA_WORKFLOW_SERVICE(UpdateSchedule), request, response);
    if (status.ok()) {
      if (!was_dropped(client_, input.id, was.info())) return;
      status = absl::FailedPreconditionError("mismatched conflict token");
    }
    const bool stale = status.code() == absl::StatusCode::kFailedPrecondition &&
                       absl::StrContains(status.message(), "conflict token");
    if (stale && attempt < kUpdateAttempts) continue;
    throw_rpc(status, absl::StrCat(doing("update", input.id),
                                   stale ? ", which changed during each of 10 attempts" : ""));
  }
}

void ClientCalls::backfill_schedule(const BackfillScheduleInput& input) {
  if (input.backfills.empty())
    throw std::invalid_argument(absl::StrCat(doing("backfill", input.id), ": no time is given"));
  Patch patch;
  for (const ScheduleBackfill& each : input.backfills)
    *patch.add_backfill_request() = to_proto(each);
  send_patch(client_, "backfill", input.id, std::move(patch));
}

void ClientCalls::pause_schedule(const PauseScheduleInput& input) {
  Patch patch;
  if (input.pauses) {
    patch.set_pause(input.note.empty() ? "Paused via C++ SDK" : input.note);
  } else {
    patch.set_unpause(input.note.empty() ? "Unpaused via C++ SDK" : input.note);
  }
  send_patch(client_, input.pauses ? "pause" : "unpause", input.id, std::move(patch));
}

void ClientCalls::trigger_schedule(const TriggerScheduleInput& input) {
  Patch patch;
  patch.mutable_trigger_immediately()->set_overlap_policy(static_cast<Overlap>(input.overlap));
  send_patch(client_, "trigger", input.id, std::move(patch));
}

void ClientCalls::delete_schedule(const ScheduleInput& input) {
  auto request = about<ws::DeleteScheduleRequest>(client_, input.id);
  request.set_identity(client_.connection->options().identity);
  ws::DeleteScheduleResponse response;
  client_.must(doing("delete", input.id), CHIMERA_WORKFLOW_SERVICE(DeleteSchedule), request,
               response);
}

PagedRange<ScheduleListEntry> ClientCalls::list_schedules(const ListInput& input) {
  ws::ListSchedulesRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(input.query);
  return paged<ScheduleListEntry, ws::ListSchedulesResponse>(
      client_, "cannot list schedules", CHIMERA_WORKFLOW_SERVICE(ListSchedules), std::move(request),
      input.options, [](const auto& page) { return page.schedules(); },
      [](const ClientState& client, const auto& entry) { return to_public(entry, client.codec); });
}

std::int64_t ClientCalls::count_schedules(const CountInput& input) {
  ws::CountSchedulesRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(input.query);
  ws::CountSchedulesResponse response;
  client_.must("cannot count schedules", CHIMERA_WORKFLOW_SERVICE(CountSchedules), request,
               response);
  return response.count();
}

}  // namespace chimera::sdk
