// Schedules: the RPCs that make, show, change and list them. Texts are those of the genuine server
// (1.29, 1.32).
#include "server/engine/schedules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/start_attributes.h"
#include "server/schedule/canonical.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"
#include "server/service/starts.h"
#include "server/visibility/attributes.h"
#include "server/visibility/values.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

namespace api = ::temporal::api::schedule::v1;

constexpr std::size_t kNotesMax = 1000;
constexpr int kMatchingTimesMax = 1000;
constexpr char kNoId[] = "Can't load workflow execution.  WorkflowId not set.";

std::string token_of(std::int64_t number) {
  std::string token;
  for (int shift = 56; shift >= 0; shift -= 8) token += static_cast<char>(number >> shift & 0xff);
  return token;
}

// `ended`: the text about one that is no more.
absl::StatusOr<Schedules::Schedule*> find(
    Engine& engine, const std::string& ns_name, const std::string& id,
    const char* ended = "workflow execution already completed") {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(ns_name);
  if (!ns.ok()) return ns.status();
  if (id.empty()) return invalid(kNoId);
  Schedules::Schedule* schedule = engine.schedules->find(**ns, id);
  if (schedule == nullptr && engine.schedules->has_ended(**ns, id)) return not_found(ended);
  if (schedule == nullptr)
    return not_found(absl::StrCat("workflow not found for ID: ", kScheduleIdPrefix, id));
  return schedule;
}

// What an action starts has to pass as a start of its own.
absl::Status check_action(Engine& engine, const std::string& ns_name,
                          const api::ScheduleAction& action) {
  const auto& start = action.start_workflow();
  wf::StartWorkflowExecutionRequest request;
  copy_start(start, request);
  request.set_namespace_(ns_name);
  request.clear_cron_schedule();
  request.clear_workflow_id_reuse_policy();
  // As long as it will be.
  request.set_workflow_id(absl::StrCat(start.workflow_id(), "-2009-11-10T23:00:00Z"));
  if (start.has_task_queue()) request.mutable_task_queue();
  if (absl::Status s = validate_start(engine, request); !s.ok()) return s;
  if (!start.cron_schedule().empty())
    return invalid("Scheduled workflow must not contain CronSchedule");
  const auto reuse = start.workflow_id_reuse_policy();
  if (reuse != enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED &&
      reuse != enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
    return invalid("Scheduled workflow must not contain WorkflowIDReusePolicy");
  return absl::OkStatus();
}

// Of a create or an update: the schedule becomes canonical.
template <class Request>
absl::StatusOr<schedule::Spec> check_schedule(Engine& engine, Request& request) {
  api::Schedule& schedule = *request.mutable_schedule();
  absl::StatusOr<schedule::Spec> spec = schedule::Spec::compile(schedule.spec());
  if (!spec.ok()) return spec.status();
  *schedule.mutable_spec() = spec->canonical();
  if (!schedule.action().has_start_workflow())
    return invalid("Only StartWorkflow action is supported for schedules");
  if (absl::Status s = check_action(engine, request.namespace_(), schedule.action()); !s.ok())
    return s;
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check_search_attributes((*ns)->search_attributes, (*ns)->name(),
                                               request.search_attributes());
      !s.ok())
    return s;
  const std::size_t bytes =
      request.memo().ByteSizeLong() + schedule.action().start_workflow().input().ByteSizeLong();
  if (bytes > kBlobBytesMax) return invalid("Blob data size exceeds limit.");
  return spec;
}

absl::Status check_patch(const api::SchedulePatch& patch) {
  if (patch.pause().size() > kNotesMax || patch.unpause().size() > kNotesMax)
    return invalid("Schedule notes exceeds limit.");
  return absl::OkStatus();
}

absl::Status create_schedule(Engine& engine, wf::CreateScheduleRequest& request,
                             wf::CreateScheduleResponse& response) {
  if (request.schedule_id().empty()) return invalid(kNoId);
  const std::size_t length =
      absl::string_view(kScheduleIdPrefix).size() + request.schedule_id().size();
  if (length > kIdMax) {
    return invalid(
        absl::StrCat("WorkflowId exceeds maximum allowed length (", length, "/", kIdMax, ")"));
  }
  if (request.request_id().empty()) return invalid("RequestId is not set on request.");
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  absl::StatusOr<schedule::Spec> spec = check_schedule(engine, request);
  if (!spec.ok()) return spec.status();
  Namespace& ns = *engine.namespaces().find(request.namespace_());
  const std::string& id = request.schedule_id();
  if (const Schedules::Schedule* there = engine.schedules->find(ns, id)) {
    if (there->envelope.create_request_id != request.request_id())
      return already_started(absl::StrCat("schedule \"", id, "\" is already registered"), "", "",
                             "");
    response.set_conflict_token(token_of(1));
    return absl::OkStatus();
  }
  ScheduleEnvelope envelope{id, engine.ids().uuid(), request.request_id(), request.memo(),
                            request.search_attributes()};
  const std::string key = envelope.key;
  Schedules::Schedule& schedule = engine.schedules->add(
      ns, std::move(envelope), schedule::Scheduler::fresh(request.schedule(), engine.now()),
      *std::move(spec));
  if (!schedule.scheduler.has_room_for(request.initial_patch())) {
    engine.schedules->erase(schedule);
    return absl::FailedPreconditionError("too many concurrent backfillers");
  }
  if (request.has_initial_patch())
    schedule.scheduler.apply(request.initial_patch(), key, engine.now());
  engine.schedules->changed(schedule);
  response.set_conflict_token(token_of(1));
  return absl::OkStatus();
}

void fill_defaults(const Namespace& ns, api::Schedule& schedule) {
  constexpr auto kUnspecified = enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED;
  auto& policies = *schedule.mutable_policies();
  if (policies.overlap_policy() == kUnspecified)
    policies.set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_SKIP);
  schedule::fill_ranges(*schedule.mutable_spec());
  auto& start = *schedule.mutable_action()->mutable_start_workflow();
  start.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (start.has_search_attributes()) {
    *start.mutable_search_attributes() =
        with_types(ns.search_attributes, std::move(*start.mutable_search_attributes()));
  }
}

absl::Status describe_schedule(Engine& engine, wf::DescribeScheduleRequest& request,
                               wf::DescribeScheduleResponse& response) {
  absl::StatusOr<Schedules::Schedule*> found =
      find(engine, request.namespace_(), request.schedule_id(), "schedule not found");
  if (!found.ok()) return found.status();
  const Schedules::Schedule& schedule = **found;
  *response.mutable_schedule() = schedule.scheduler.state().schedule;
  fill_defaults(schedule.ns, *response.mutable_schedule());
  set(response.mutable_schedule()->mutable_policies()->mutable_catchup_window(),
      schedule.scheduler.catchup_window());
  *response.mutable_info() = schedule.scheduler.info(engine.now());
  if (!schedule.envelope.memo.fields().empty()) *response.mutable_memo() = schedule.envelope.memo;
  if (!schedule.envelope.search_attributes.indexed_fields().empty()) {
    *response.mutable_search_attributes() =
        with_types(schedule.ns.search_attributes, schedule.envelope.search_attributes);
  }
  response.set_conflict_token(token_of(schedule.scheduler.state().conflict_token));
  return absl::OkStatus();
}

absl::Status update_schedule(Engine& engine, wf::UpdateScheduleRequest& request,
                             wf::UpdateScheduleResponse&) {
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  absl::StatusOr<schedule::Spec> spec = check_schedule(engine, request);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<Schedules::Schedule*> found =
      find(engine, request.namespace_(), request.schedule_id());
  if (!found.ok()) return found.status();
  Schedules::Schedule& schedule = **found;
  if (!request.conflict_token().empty() &&
      request.conflict_token() != token_of(schedule.scheduler.state().conflict_token))
    return absl::FailedPreconditionError("mismatched conflict token");
  if (request.has_search_attributes())
    schedule.envelope.search_attributes = request.search_attributes();
  if (request.has_memo()) schedule.envelope.memo = request.memo();
  schedule.scheduler.update(request.schedule(), *std::move(spec), engine.now());
  engine.schedules->changed(schedule);
  return absl::OkStatus();
}

absl::Status patch_schedule(Engine& engine, wf::PatchScheduleRequest& request,
                            wf::PatchScheduleResponse&) {
  if (!request.has_patch()) return invalid("Patch is not set on request.");
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  if (absl::Status s = check_patch(request.patch()); !s.ok()) return s;
  absl::StatusOr<Schedules::Schedule*> found =
      find(engine, request.namespace_(), request.schedule_id());
  if (!found.ok()) return found.status();
  Schedules::Schedule& schedule = **found;
  if (!schedule.scheduler.has_room_for(request.patch()))
    return absl::FailedPreconditionError("too many concurrent backfillers");
  if (schedule.scheduler.patch(request.patch(), request.request_id(), engine.ids().uuid(),
                               engine.now()))
    engine.schedules->changed(schedule);
  return absl::OkStatus();
}

absl::Status delete_schedule(Engine& engine, wf::DeleteScheduleRequest& request,
                             wf::DeleteScheduleResponse&) {
  absl::StatusOr<Schedules::Schedule*> found =
      find(engine, request.namespace_(), request.schedule_id());
  if (!found.ok()) return found.status();
  engine.schedules->erase(**found);
  return absl::OkStatus();
}

absl::Status list_matching_times(Engine& engine, wf::ListScheduleMatchingTimesRequest& request,
                                 wf::ListScheduleMatchingTimesResponse& response) {
  absl::StatusOr<Schedules::Schedule*> found =
      find(engine, request.namespace_(), request.schedule_id());
  if (!found.ok()) return found.status();
  if (!request.has_start_time() || !request.has_end_time())
    return invalid("missing or invalid query");
  const schedule::Scheduler& scheduler = (*found)->scheduler;
  const WallTime end = to_wall(request.end_time());
  WallTime time = to_wall(request.start_time());
  bool gave_up = false;
  while (response.start_time_size() < kMatchingTimesMax) {
    time = scheduler.spec().next(scheduler.id(), time, &gave_up).actual;
    if (gave_up) {
      return invalid(
          "the schedule calendar specification has too many exclusions. Please modify the "
          "specification.");
    }
    if (time == kNever || time > end) break;
    set(response.add_start_time(), time);
  }
  return absl::OkStatus();
}

// --- Lists.

using visibility::Node;
using visibility::Operator;

// ScheduleId means a workflow id with the prefix; other names of the server mean nothing here.
absl::Status adapt(Node& node, bool own_schedule_id) {
  for (const auto& child : node.children)
    if (absl::Status s = adapt(*child, own_schedule_id); !s.ok()) return s;
  if (node.kind != Node::Kind::kCompare) return absl::OkStatus();
  if (node.name == "ScheduleId" && !own_schedule_id) {
    node.name = "WorkflowId";
    for (visibility::Value& operand : node.operands) {
      if (auto* text = std::get_if<std::string>(&operand))
        *text = absl::StrCat(kScheduleIdPrefix, *text);
    }
    return absl::OkStatus();
  }
  const bool reserved =
      system_attributes().contains(node.name) || predefined_attributes().contains(node.name);
  if (reserved && node.name != "TemporalSchedulePaused") {
    return invalid(
        absl::StrCat("invalid query filter for schedules: cannot filter on \"", node.name, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<visibility::Query> schedules_query(const Namespace& ns, const std::string& text) {
  const bool own = ns.search_attributes.contains("ScheduleId");
  const visibility::TypeOf types = attribute_types(ns.search_attributes);
  std::string unknown;
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(text, [&](std::string_view name) {
        const auto type =
            name == "ScheduleId" && !own ? visibility::AttributeType::kKeyword : types(name);
        // A name is also looked for with Temporal in front; the user wrote it without.
        if (!type && name != absl::StrCat("Temporal", unknown)) unknown = name;
        return type;
      });
  if (!query.ok() && !unknown.empty()) {
    return invalid(absl::StrCat("Namespace ", ns.name(),
                                " has no mapping defined for search attribute ", unknown));
  }
  if (!query.ok()) return query.status();
  if (!query->group_by.empty())
    return invalid("invalid query: operation is not supported: 'group by' clause");
  auto division = std::make_unique<Node>();
  division->name = "TemporalNamespaceDivision";
  division->operands = {std::string(kScheduleDivision)};
  if (query->where != nullptr) {
    if (absl::Status s = adapt(*query->where, own); !s.ok()) return s;
    auto both = std::make_unique<Node>();
    both->kind = Node::Kind::kAnd;
    both->children.push_back(std::move(division));
    both->children.push_back(std::move(query->where));
    division = std::move(both);
  }
  query->where = std::move(division);
  return query;
}

// A row of the index as a list of schedules shows it.
bool fill_entry(const std::string& row, api::ScheduleListEntry& entry) {
  ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
  if (!info.ParseFromString(row)) return false;
  entry.set_schedule_id(
      std::string(absl::StripPrefix(info.execution().workflow_id(), kScheduleIdPrefix)));
  auto& memo = *info.mutable_memo()->mutable_fields();
  if (!entry.mutable_info()->ParseFromString(memo[kScheduleMemo].data())) return false;
  memo.erase(kScheduleMemo);
  if (!memo.empty()) *entry.mutable_memo() = std::move(*info.mutable_memo());
  auto& attributes = *info.mutable_search_attributes()->mutable_indexed_fields();
  attributes.erase("TemporalNamespaceDivision");
  attributes.erase("TemporalSchedulePaused");
  if (!attributes.empty())
    *entry.mutable_search_attributes() = std::move(*info.mutable_search_attributes());
  return true;
}

using ListCall = TypedCall<wf::ListSchedulesRequest, wf::ListSchedulesResponse>;

absl::Status list_schedules(Engine& engine, ListCall call) {
  auto after = place_of(call.request().next_page_token());
  if (!after.ok()) return after.status();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(call.request().namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query = schedules_query(**ns, call.request().query());
  if (!query.ok()) return query.status();
  const int size = call.request().maximum_page_size();
  engine.visibility().list(
      (*ns)->id, *std::move(query), size > 0 ? std::min(size, kPageMax) : kPageMax,
      *std::move(after),
      [&engine, call = std::move(call)](absl::StatusOr<visibility::Page> page) mutable {
        auto response = std::make_shared<wf::ListSchedulesResponse>();
        absl::Status status = page.status();
        if (page.ok()) {
          for (const std::string& row : page->infos) {
            if (!fill_entry(row, *response->add_schedules()))
              status = absl::InternalError("a row of the index of executions is damaged");
          }
          response->set_next_page_token(next_page_token(*page));
        }
        answer(engine, std::move(call), std::move(status), std::move(response));
      });
  return absl::OkStatus();
}

using CountCall = TypedCall<wf::CountSchedulesRequest, wf::CountSchedulesResponse>;

absl::Status count_schedules(Engine& engine, CountCall call) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(call.request().namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query = schedules_query(**ns, call.request().query());
  if (!query.ok()) return query.status();
  engine.visibility().count(
      (*ns)->id, *std::move(query),
      [&engine, call = std::move(call)](absl::StatusOr<visibility::Count> count) mutable {
        auto response = std::make_shared<wf::CountSchedulesResponse>();
        if (count.ok()) response->set_count(count->rows);
        answer(engine, std::move(call), count.status(), std::move(response));
      });
  return absl::OkStatus();
}

}  // namespace

void register_schedules(MethodTable& table) {
  table.add("CreateSchedule", create_schedule);
  table.add("DescribeSchedule", describe_schedule);
  table.add("UpdateSchedule", update_schedule);
  table.add("PatchSchedule", patch_schedule);
  table.add("DeleteSchedule", delete_schedule);
  table.add("ListSchedules", list_schedules);
  table.add("CountSchedules", count_schedules);
  table.add("ListScheduleMatchingTimes", list_matching_times);
}

}  // namespace chimera::server
