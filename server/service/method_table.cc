#include "server/service/method_table.h"

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "grpc/health/v1/health.pb.h"
#include "temporal/api/operatorservice/v1/service.pb.h"
#include "temporal/api/testservice/v1/service.pb.h"
#include "temporal/api/workflowservice/v1/service.pb.h"

#include "core/base/check.h"
#include "server/service/handlers.h"

namespace chimera::server {
namespace {

// Naming these tables links the service descriptors in: nothing else refers to them. Volatile, or
// the names are optimized away.
const void* volatile linked_workflow_service =
    &descriptor_table_temporal_2fapi_2fworkflowservice_2fv1_2fservice_2eproto;
const void* volatile linked_operator_service =
    &descriptor_table_temporal_2fapi_2foperatorservice_2fv1_2fservice_2eproto;
const void* volatile linked_test_service =
    &descriptor_table_temporal_2fapi_2ftestservice_2fv1_2fservice_2eproto;
const void* volatile linked_health = &descriptor_table_grpc_2fhealth_2fv1_2fhealth_2eproto;

}  // namespace

MethodTable::MethodTable() {
  CHIMERA_CHECK(linked_workflow_service != nullptr && linked_operator_service != nullptr &&
                    linked_test_service != nullptr && linked_health != nullptr,
                "service descriptors");
  add_service("temporal.api.workflowservice.v1.WorkflowService");
  add_service("temporal.api.operatorservice.v1.OperatorService");
  add_service("temporal.api.testservice.v1.TestService");
  add_service("grpc.health.v1.Health");
}

void MethodTable::add_service(const std::string& full_name) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const auto* service = pool->FindServiceByName(full_name);
  CHIMERA_CHECK(service != nullptr, full_name);
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  methods_.reserve(256);
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* descriptor = service->method(i);
    Method method{absl::StrCat("/", full_name, "/", descriptor->name()),
                  factory->GetPrototype(descriptor->input_type()),
                  factory->GetPrototype(descriptor->output_type()),
                  {}};
    const std::string path = method.path;
    methods_.emplace(path, std::move(method));
  }
}

const Method* MethodTable::find(absl::string_view path) const {
  auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : &it->second;
}

void MethodTable::install(absl::string_view name, const google::protobuf::Descriptor* request,
                          const google::protobuf::Descriptor* response,
                          std::function<void(Engine&, CallPtr)> handler) {
  for (const char* service : {"temporal.api.workflowservice.v1.WorkflowService",
                              "temporal.api.operatorservice.v1.OperatorService",
                              "temporal.api.testservice.v1.TestService", "grpc.health.v1.Health"}) {
    auto it = methods_.find(absl::StrCat("/", service, "/", name));
    if (it == methods_.end()) continue;
    CHIMERA_CHECK(it->second.request->GetDescriptor() == request &&
                      it->second.response->GetDescriptor() == response,
                  std::string(name));
    it->second.handler = std::move(handler);
    return;
  }
  CHIMERA_CHECK(false, absl::StrCat("no service has a method ", name));
}

const MethodTable& service_methods() {
  static const MethodTable* table = [] {
    auto* built = new MethodTable;
    register_all_handlers(*built);
    return built;
  }();
  return *table;
}

}  // namespace chimera::server
