// Nexus endpoints: where the operations of a name are handled.
#include "server/engine/nexus/endpoints.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/urls.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

namespace op = ::temporal::api::operatorservice::v1;

constexpr int kPageDefault = 100, kPageMax = 1000;

// All that is wrong, as one error.
absl::Status error_of(const std::vector<std::string>& issues) {
  return issues.empty() ? absl::OkStatus() : invalid(absl::StrJoin(issues, ", "));
}

// A letter; letters, digits and hyphens; no hyphen at the end.
bool is_endpoint_name(const std::string& name) {
  const auto fits = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  };
  return name.size() >= 2 && absl::ascii_isalpha(static_cast<unsigned char>(name.front())) &&
         name.back() != '-' && std::all_of(name.begin(), name.end(), fits);
}

void check_name(const DynamicConfig& config, const std::string& name,
                std::vector<std::string>& issues) {
  if (name.empty()) return issues.push_back("endpoint name not set");
  if (static_cast<std::int64_t>(name.size()) > config.endpoint_name_max) {
    issues.push_back(
        absl::StrCat("endpoint name exceeds length limit of ", config.endpoint_name_max));
  }
  if (!is_endpoint_name(name)) {
    issues.push_back(
        R"(endpoint name must match the regex: "^[a-zA-Z][a-zA-Z0-9\\-]*[a-zA-Z0-9]$")");
  }
}

std::string queue_problem(const std::string& name) {
  if (name.empty()) return "taskQueue is not set";
  if (name.size() > kIdMax) return "taskQueue length exceeds limit";
  return absl::StartsWith(name, "/_sys/")
             ? "task queue name cannot start with reserved prefix /_sys/"
             : "";
}

absl::Status check_worker(Engine& engine, const nexus::EndpointTarget::Worker& target,
                          std::vector<std::string>& issues) {
  if (target.namespace_().empty()) {
    issues.push_back("target namespace not set");
  } else if (const auto ns = engine.resolve_namespace(target.namespace_()); !ns.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "could not verify namespace referenced by target exists: ", ns.status().message()));
  }
  if (const std::string problem = queue_problem(target.task_queue()); !problem.empty())
    issues.push_back(absl::StrCat("invalid target task queue: \"", problem, "\""));
  return absl::OkStatus();
}

void check_external(const DynamicConfig& config, const std::string& text,
                    std::vector<std::string>& issues) {
  if (text.empty()) return issues.push_back("empty target URL");
  if (static_cast<std::int64_t>(text.size()) > config.endpoint_url_max) {
    return issues.push_back(
        absl::StrCat("target URL length exceeds limit of ", config.endpoint_url_max));
  }
  Url url;
  if (const std::string problem = parse_url(text, url); !problem.empty())
    return issues.push_back(absl::StrCat("invalid target URL: ", problem));
  if (url.scheme != "http" && url.scheme != "https") {
    issues.push_back(
        absl::StrCat("invalid target URL scheme: \"", url.scheme, "\", expected http or https"));
  }
}

absl::Status check_spec(Engine& engine, const nexus::EndpointSpec& spec) {
  const DynamicConfig& config = engine.config();
  std::vector<std::string> issues;
  check_name(config, spec.name(), issues);
  switch (spec.target().variant_case()) {
    case nexus::EndpointTarget::kWorker:
      if (absl::Status s = check_worker(engine, spec.target().worker(), issues); !s.ok()) return s;
      break;
    case nexus::EndpointTarget::kExternal:
      check_external(config, spec.target().external().url(), issues);
      break;
    default:
      issues.push_back("empty target variant");
      return error_of(issues);
  }
  if (static_cast<std::int64_t>(spec.description().ByteSizeLong()) >
      config.endpoint_description_max) {
    issues.push_back(
        absl::StrCat("description size exceeds limit of ", config.endpoint_description_max));
  }
  return error_of(issues);
}

// Also in braces, without hyphens or as a URN, as the genuine server reads ids.
std::string plain_id(std::string id) {
  id = absl::AsciiStrToLower(id);
  if (absl::StartsWith(id, "urn:uuid:")) id = id.substr(9);
  if (id.size() == 38 && id.front() == '{' && id.back() == '}') id = id.substr(1, 36);
  if (id.size() != 32 || absl::StrContains(id, '-')) return id;
  for (const std::size_t at : {20, 16, 12, 8}) id.insert(at, "-");
  return id;
}

void check_id(const std::string& id, std::vector<std::string>& issues) {
  if (id.empty()) return issues.push_back("endpoint ID not set");
  if (is_uuid(plain_id(id))) return;
  const std::size_t size = id.size();
  const bool fits = size == 36 || size == 32 || size == 38 || size == 45;
  issues.push_back(absl::StrCat(
      "malformed endpoint ID: \"",
      fits ? "invalid UUID format" : absl::StrCat("invalid UUID length: ", size), "\""));
}

absl::Status create(Engine& engine, op::CreateNexusEndpointRequest& request,
                    op::CreateNexusEndpointResponse& response) {
  if (absl::Status s = check_spec(engine, request.spec()); !s.ok()) return s;
  const auto endpoint = engine.nexus_endpoints->create(request.spec());
  if (!endpoint.ok()) return endpoint.status();
  *response.mutable_endpoint() = engine.nexus_endpoints->described(**endpoint);
  return absl::OkStatus();
}

absl::Status update(Engine& engine, op::UpdateNexusEndpointRequest& request,
                    op::UpdateNexusEndpointResponse& response) {
  if (absl::Status s = check_spec(engine, request.spec()); !s.ok()) return s;
  const auto endpoint =
      engine.nexus_endpoints->update(request.id(), request.version(), request.spec());
  if (!endpoint.ok()) return endpoint.status();
  *response.mutable_endpoint() = engine.nexus_endpoints->described(**endpoint);
  return absl::OkStatus();
}

// The version is asked for, but whichever it is goes (genuine servers 1.29, 1.32).
absl::Status erase(Engine& engine, op::DeleteNexusEndpointRequest& request,
                   op::DeleteNexusEndpointResponse&) {
  std::vector<std::string> issues;
  check_id(request.id(), issues);
  if (request.version() <= 0) issues.push_back("endpoint version is non-positive");
  if (absl::Status s = error_of(issues); !s.ok()) return s;
  return engine.nexus_endpoints->erase(request.id());
}

absl::Status get(Engine& engine, op::GetNexusEndpointRequest& request,
                 op::GetNexusEndpointResponse& response) {
  std::vector<std::string> issues;
  check_id(request.id(), issues);
  if (absl::Status s = error_of(issues); !s.ok()) return s;
  const NexusEndpoint* endpoint = engine.nexus_endpoints->find(plain_id(request.id()));
  if (endpoint == nullptr)
    return not_found(absl::StrCat("Nexus endpoint with ID `", request.id(), "` not found"));
  *response.mutable_endpoint() = engine.nexus_endpoints->described(*endpoint);
  return absl::OkStatus();
}

absl::Status list(Engine& engine, op::ListNexusEndpointsRequest& request,
                  op::ListNexusEndpointsResponse& response) {
  const NexusEndpoints& endpoints = *engine.nexus_endpoints;
  if (!request.name().empty()) {
    if (const NexusEndpoint* endpoint = endpoints.find_by_name(request.name()))
      *response.add_endpoints() = endpoints.described(*endpoint);
    return absl::OkStatus();
  }
  const int size = request.page_size() == 0 ? kPageDefault : request.page_size();
  if (size < 0) return invalid("page_size is negative");
  if (size > kPageMax) return invalid(absl::StrCat("page_size exceeds limit of ", kPageMax));
  if (!request.next_page_token().empty() && !is_uuid(request.next_page_token()))
    return invalid("invalid next page token");
  // A page goes on behind the last id of the one before, which may be gone.
  for (auto next = endpoints.all().upper_bound(request.next_page_token());
       next != endpoints.all().end(); ++next) {
    if (response.endpoints_size() == size) {
      response.set_next_page_token(response.endpoints(size - 1).id());
      break;
    }
    *response.add_endpoints() = endpoints.described(next->second);
  }
  return absl::OkStatus();
}

}  // namespace

void register_nexus_endpoints(MethodTable& table) {
  table.add("CreateNexusEndpoint", create);
  table.add("UpdateNexusEndpoint", update);
  table.add("DeleteNexusEndpoint", erase);
  table.add("GetNexusEndpoint", get);
  table.add("ListNexusEndpoints", list);
}

}  // namespace chimera::server
