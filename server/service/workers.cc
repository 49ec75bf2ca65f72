// Workers as they tell of themselves in heartbeats: recorded, listed, counted, described.
#include <algorithm>
#include <array>

#include "absl/strings/str_replace.h"
#include <nlohmann/json.hpp>

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/visibility/query.h"

namespace chimera::server {
namespace {

using Heartbeat = Workers::Heartbeat;
using Heartbeats = std::vector<const Heartbeat*>;
using visibility::AttributeType;
constexpr char kSystemQueues[] = "temporal-sys-";

struct TextField {
  const char* name;
  std::string (*read)(const Heartbeat&);
};

std::string status_name(const Heartbeat& worker) {
  switch (worker.status()) {
    case enums::WORKER_STATUS_RUNNING:
      return "Running";
    case enums::WORKER_STATUS_SHUTTING_DOWN:
      return "ShuttingDown";
    case enums::WORKER_STATUS_SHUTDOWN:
      return "Shutdown";
    default:
      return "Unspecified";
  }
}

// What a query may name beside StartTime and HeartbeatTime: the genuine server's.
constexpr std::array kTexts = {
    TextField{"WorkerInstanceKey", [](const Heartbeat& w) { return w.worker_instance_key(); }},
    TextField{"WorkerIdentity", [](const Heartbeat& w) { return w.worker_identity(); }},
    TextField{"HostName", [](const Heartbeat& w) { return w.host_info().host_name(); }},
    TextField{"TaskQueue", [](const Heartbeat& w) { return w.task_queue(); }},
    TextField{"DeploymentName",
              [](const Heartbeat& w) { return w.deployment_version().deployment_name(); }},
    TextField{"BuildId", [](const Heartbeat& w) { return w.deployment_version().build_id(); }},
    TextField{"SdkName", [](const Heartbeat& w) { return w.sdk_name(); }},
    TextField{"SdkVersion", [](const Heartbeat& w) { return w.sdk_version(); }},
    TextField{"WorkerStatus", status_name},
    TextField{"Status", status_name},
    TextField{"status", status_name},
};

const TextField* text_field(std::string_view name) {
  auto found = std::find_if(kTexts.begin(), kTexts.end(),
                            [name](const TextField& field) { return name == field.name; });
  return found == kTexts.end() ? nullptr : &*found;
}

std::optional<AttributeType> type_of(std::string_view name) {
  if (text_field(name) != nullptr) return AttributeType::kKeyword;
  if (name == "StartTime" || name == "HeartbeatTime") return AttributeType::kDatetime;
  return std::nullopt;
}

std::optional<visibility::Value> value_of(const Heartbeat& worker, std::string_view name) {
  if (const TextField* field = text_field(name)) return field->read(worker);
  const bool start = name == "StartTime";
  if (start ? !worker.has_start_time() : !worker.has_heartbeat_time()) return std::nullopt;
  return to_wall(start ? worker.start_time() : worker.heartbeat_time()).time_since_epoch().count();
}

// A text that is not set is an empty one, so that `!=` finds it, too.
void ask_for_empty(visibility::Node* node) {
  using visibility::Operator;
  if (node == nullptr) return;
  for (const auto& child : node->children) ask_for_empty(child.get());
  if (text_field(node->name) == nullptr) return;
  if (node->op != Operator::kIsNull && node->op != Operator::kIsNotNull) return;
  node->op = node->op == Operator::kIsNull ? Operator::kEqual : Operator::kNotEqual;
  node->operands = {std::string()};
}

absl::StatusOr<Heartbeats> select(Engine& engine, const auto& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query = visibility::parse_query(request.query(), type_of);
  if (!query.ok()) {  // The words of those who list workers.
    return invalid(absl::StrReplaceAll(
        query.status().message(), {{"invalid query: malformed SQL query: ", "malformed query: "}}));
  }
  if (!query->group_by.empty()) return invalid("invalid query: workers are not grouped");
  ask_for_empty(query->where.get());
  engine.workers().expire(engine.loop().real_now());
  Heartbeats workers = engine.workers().of_namespace((*ns)->id);
  std::erase_if(workers, [&](const Heartbeat* worker) {
    if (!request.include_system_workers() && worker->task_queue().starts_with(kSystemQueues))
      return true;
    return !matches(*query, [worker](std::string_view name) { return value_of(*worker, name); });
  });
  return workers;
}

void fill(const Heartbeat& worker, ::temporal::api::worker::v1::WorkerListInfo& info) {
  info.set_worker_instance_key(worker.worker_instance_key());
  info.set_worker_identity(worker.worker_identity());
  info.set_task_queue(worker.task_queue());
  if (worker.has_deployment_version())
    *info.mutable_deployment_version() = worker.deployment_version();
  info.set_sdk_name(worker.sdk_name());
  info.set_sdk_version(worker.sdk_version());
  info.set_status(worker.status());
  if (worker.has_start_time()) *info.mutable_start_time() = worker.start_time();
  info.set_host_name(worker.host_info().host_name());
  info.set_worker_grouping_key(worker.host_info().worker_grouping_key());
  info.set_process_id(worker.host_info().process_id());
  *info.mutable_plugins() = worker.plugins();
  *info.mutable_drivers() = worker.drivers();
}

// A page begins behind the key that its token names.
absl::StatusOr<std::string> first_key(const std::string& token) {
  const auto json = nlohmann::json::parse(token, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return invalid("invalid next_page_token");
  const auto key = json.find("l");
  if (key == json.end()) return std::string();
  if (!key->is_string()) return invalid("invalid next_page_token");
  return key->get<std::string>();
}

absl::Status list_workers(Engine& engine, wf::ListWorkersRequest& request,
                          wf::ListWorkersResponse& response) {
  absl::StatusOr<Heartbeats> workers = select(engine, request);
  if (!workers.ok()) return workers.status();
  auto next = workers->begin();
  if (!request.next_page_token().empty()) {
    absl::StatusOr<std::string> after = first_key(request.next_page_token());
    if (!after.ok()) return after.status();
    if (!after->empty()) {
      next = std::find_if(next, workers->end(), [&](const Heartbeat* worker) {
        return worker->worker_instance_key() > *after;
      });
    }
  }
  for (; next != workers->end(); ++next) {
    const int count = response.workers_size();
    if (request.page_size() > 0 && count == request.page_size()) {
      const std::string& last = response.workers(count - 1).worker_instance_key();
      response.set_next_page_token(nlohmann::json{{"l", last}}.dump());
      break;
    }
    *response.add_workers_info()->mutable_worker_heartbeat() = **next;
    fill(**next, *response.add_workers());
  }
  return absl::OkStatus();
}

absl::Status count_workers(Engine& engine, wf::CountWorkersRequest& request,
                           wf::CountWorkersResponse& response) {
  absl::StatusOr<Heartbeats> workers = select(engine, request);
  if (!workers.ok()) return workers.status();
  response.set_count(static_cast<std::int64_t>(workers->size()));
  return absl::OkStatus();
}

absl::Status describe_worker(Engine& engine, wf::DescribeWorkerRequest& request,
                             wf::DescribeWorkerResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  engine.workers().expire(engine.loop().real_now());
  const std::string& key = request.worker_instance_key();
  const Heartbeat* worker = engine.workers().find((*ns)->id, key);
  if (worker == nullptr) return not_found(absl::StrCat("Worker ", key, " not found"));
  *response.mutable_worker_info()->mutable_worker_heartbeat() = *worker;
  return absl::OkStatus();
}

absl::Status record_heartbeats(Engine& engine, wf::RecordWorkerHeartbeatRequest& request,
                               wf::RecordWorkerHeartbeatResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  engine.workers().expire(engine.loop().real_now());
  for (Heartbeat& one : *request.mutable_worker_heartbeat())
    engine.workers().record((*ns)->id, std::move(one), engine.loop().real_now());
  return absl::OkStatus();
}

}  // namespace

void register_workers(MethodTable& table) {
  table.add("RecordWorkerHeartbeat", record_heartbeats);
  table.add("ListWorkers", list_workers);
  table.add("CountWorkers", count_workers);
  table.add("DescribeWorker", describe_worker);
}

}  // namespace chimera::server
