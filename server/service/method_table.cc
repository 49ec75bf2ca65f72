#include "server/service/method_table.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "temporal/api/operatorservice/v1/service.pb.h"
#include "temporal/api/testservice/v1/service.pb.h"
#include "temporal/api/workflowservice/v1/service.pb.h"

#include "core/base/check.h"
#include "server/service/handlers.h"

namespace chimera::server {
namespace {

// Naming these tables links the service descriptors in, for reflection and refusals: nothing else
// refers to them. Volatile, or the names are optimized away.
const void* volatile linked_workflow_service =
    &descriptor_table_temporal_2fapi_2fworkflowservice_2fv1_2fservice_2eproto;
const void* volatile linked_operator_service =
    &descriptor_table_temporal_2fapi_2foperatorservice_2fv1_2fservice_2eproto;
const void* volatile linked_test_service =
    &descriptor_table_temporal_2fapi_2ftestservice_2fv1_2fservice_2eproto;

// What to do without a method, by a part of its name.
struct Instead {
  absl::string_view part, advice;
};
constexpr Instead kInstead[] = {
    {"testservice", "Use short times in tests, or the official test server."},
    {"", "Use a genuine Temporal server for it."},
};

}  // namespace

void MethodTable::set_service(std::string full_name) {
  service_ = std::move(full_name);
  services_.push_back(service_);
}

std::vector<std::string> MethodTable::service_names() const { return services_; }

const Method* MethodTable::find(absl::string_view path) const {
  auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : &it->second;
}

// The descriptors are asked only here: building them costs milliseconds of every start.
std::string MethodTable::refusal(absl::string_view path) const {
  CHIMERA_CHECK(linked_workflow_service != nullptr && linked_operator_service != nullptr &&
                    linked_test_service != nullptr,
                "service descriptors");
  absl::ConsumePrefix(&path, "/");
  const std::pair<std::string, std::string> names = absl::StrSplit(path, absl::MaxSplits('/', 1));
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const auto* service = pool->FindServiceByName(names.first);
  if (service == nullptr || service->FindMethodByName(names.second) == nullptr) {
    return absl::StrCat("unknown method ", names.second, " for service ", names.first);
  }
  for (const Instead& instead : kInstead) {
    if (!absl::StrContains(path, instead.part)) continue;
    return absl::StrCat("The method ", names.first, "/", names.second,
                        " is not available in this embedded server. ", instead.advice);
  }
  return "";
}

void MethodTable::install(absl::string_view name, const google::protobuf::Message& request,
                          const google::protobuf::Message& response,
                          std::function<void(Engine&, CallPtr)> handler) {
  std::string path = absl::StrCat("/", service_, "/", name);
  Method method{path, &request, &response, std::move(handler)};
  const bool fresh = methods_.emplace(std::move(path), std::move(method)).second;
  CHIMERA_CHECK(fresh, std::string(name));
}

const MethodTable& service_methods() {
  static const MethodTable* table = [] {
    auto* built = new MethodTable;
    register_all_handlers(*built);
    return built;
  }();
  return *table;
}

bool is_served(const std::string& service) {
  if (service.empty()) return true;
  const std::vector<std::string> names = service_methods().service_names();
  return std::find(names.begin(), names.end(), service) != names.end();
}

}  // namespace chimera::server
