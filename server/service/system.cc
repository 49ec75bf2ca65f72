// What a client asks first: GetSystemInfo, GetClusterInfo, health.
#include "grpc/health/v1/health.pb.h"

#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

// Bare: the official Web UI shows what came with a version only where all of its parts are numbers.
constexpr char kVersion[] = "1.32.0";

absl::Status get_system_info(Engine&, wf::GetSystemInfoRequest&,
                             wf::GetSystemInfoResponse& response) {
  response.set_server_version(kVersion);
  auto& can = *response.mutable_capabilities();
  can.set_signal_and_query_header(true);
  can.set_internal_error_differentiation(true);
  can.set_activity_failure_include_heartbeat(true);
  can.set_encoded_failure_attributes(true);
  can.set_build_id_based_versioning(true);
  can.set_upsert_memo(true);
  can.set_eager_workflow_start(true);
  can.set_sdk_metadata(true);
  can.set_count_group_by_execution_status(true);
  can.set_supports_schedules(true);
  can.set_nexus(true);
  return absl::OkStatus();
}

absl::Status get_cluster_info(Engine& engine, wf::GetClusterInfoRequest&,
                              wf::GetClusterInfoResponse& response) {
  auto& clients = *response.mutable_supported_clients();
  clients["temporal-go"] = "<2.0.0";
  clients["temporal-java"] = "<2.0.0";
  clients["temporal-php"] = "<2.0.0";
  clients["temporal-server"] = "<2.0.0";
  clients["temporal-typescript"] = "<2.0.0";
  clients["temporal-cli"] = "<2.0.0";
  clients["temporal-ui"] = "<3.0.0";
  response.set_server_version(kVersion);
  response.set_cluster_id(engine.cluster_id);
  response.set_cluster_name("active");
  response.set_history_shard_count(1);
  response.set_persistence_store("sqlite");
  response.set_visibility_store("sqlite");
  response.set_initial_failover_version(1);
  response.set_failover_version_increment(10);
  return absl::OkStatus();
}

absl::Status check_health(Engine&, grpc::health::v1::HealthCheckRequest& request,
                          grpc::health::v1::HealthCheckResponse& response) {
  if (!is_served(request.service())) return absl::NotFoundError("unknown service");
  response.set_status(grpc::health::v1::HealthCheckResponse::SERVING);
  return absl::OkStatus();
}

}  // namespace

void register_system(MethodTable& table) {
  table.add("GetSystemInfo", get_system_info);
  table.add("GetClusterInfo", get_cluster_info);
}

void register_health(MethodTable& table) {
  table.set_service("grpc.health.v1.Health");
  table.add("Check", check_health);  // Watch is a stream: service/grpc_streams.
}

}  // namespace chimera::server
