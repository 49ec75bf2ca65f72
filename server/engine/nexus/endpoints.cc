#include "server/engine/nexus/endpoints.h"

#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

absl::Status taken(const char* doing, const std::string& name) {
  return absl::AlreadyExistsError(absl::StrCat(
      "error ", doing, " Nexus endpoint. Endpoint with name ", name, " already registered"));
}

}  // namespace

void NexusEndpoints::set_spec(NexusEndpoint& endpoint, const nexus::EndpointSpec& spec) {
  *endpoint.message.mutable_spec() = spec;
  endpoint.namespace_id.clear();
  if (spec.target().has_worker())
    endpoint.namespace_id = engine_.namespaces().find(spec.target().worker().namespace_())->id;
}

void NexusEndpoints::save(const NexusEndpoint& endpoint) {
  nexus::Endpoint stored = endpoint.message;
  if (!endpoint.namespace_id.empty()) {
    stored.mutable_spec()->mutable_target()->mutable_worker()->set_namespace_(
        endpoint.namespace_id);
  }
  engine_.put_value(kTable, stored.id(), stored.SerializeAsString());
}

absl::StatusOr<const NexusEndpoint*> NexusEndpoints::create(const nexus::EndpointSpec& spec) {
  if (find_by_name(spec.name()) != nullptr) return taken("creating", spec.name());
  const std::string id = engine_.ids().uuid();
  NexusEndpoint& endpoint = all_[id];
  set_spec(endpoint, spec);
  nexus::Endpoint& message = endpoint.message;
  message.set_version(1);
  message.set_id(id);
  message.set_url_prefix(absl::StrCat("/nexus/endpoints/", id, "/services"));
  set(message.mutable_created_time(), engine_.now());
  save(endpoint);
  return &endpoint;
}

absl::StatusOr<const NexusEndpoint*> NexusEndpoints::update(const std::string& id,
                                                            std::int64_t version,
                                                            const nexus::EndpointSpec& spec) {
  const auto found = all_.find(id);
  if (found == all_.end()) {
    return not_found(absl::StrCat("error updating Nexus endpoint. endpoint ID ", id, " not found"));
  }
  NexusEndpoint& endpoint = found->second;
  if (version != endpoint.message.version()) {
    return absl::FailedPreconditionError(
        absl::StrCat("nexus endpoint version mismatch. received: ", version, " expected ",
                     endpoint.message.version()));
  }
  const NexusEndpoint* of_that_name = find_by_name(spec.name());
  if (of_that_name != nullptr && of_that_name != &endpoint) return taken("updating", spec.name());
  set_spec(endpoint, spec);
  endpoint.message.set_version(version + 1);
  set(endpoint.message.mutable_last_modified_time(), engine_.now());
  save(endpoint);
  return &endpoint;
}

absl::Status NexusEndpoints::erase(const std::string& id) {
  if (all_.erase(id) == 0)
    return not_found(absl::StrCat("error deleting nexus endpoint with ID: ", id));
  engine_.put_value(kTable, id, "", /*erase=*/true);
  return absl::OkStatus();
}

const NexusEndpoint* NexusEndpoints::find(const std::string& id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

const NexusEndpoint* NexusEndpoints::find_by_name(const std::string& name) const {
  for (const auto& [id, endpoint] : all_) {
    if (endpoint.name() == name) return &endpoint;
  }
  return nullptr;
}

const NexusEndpoint* NexusEndpoints::find_by_target(const std::string& namespace_id) const {
  for (const auto& [id, endpoint] : all_) {
    if (endpoint.namespace_id == namespace_id) return &endpoint;
  }
  return nullptr;
}

nexus::Endpoint NexusEndpoints::described(const NexusEndpoint& endpoint) const {
  nexus::Endpoint described = endpoint.message;
  if (endpoint.namespace_id.empty()) return described;
  if (const Namespace* ns = engine_.namespaces().find_by_id(endpoint.namespace_id))
    described.mutable_spec()->mutable_target()->mutable_worker()->set_namespace_(ns->name());
  return described;
}

absl::Status NexusEndpoints::restore(const std::string& key, const std::string& value) {
  NexusEndpoint& endpoint = all_[key];
  if (!endpoint.message.ParseFromString(value)) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: Nexus endpoint ", key,
                     ". Restore a copy of the file, or start with another file name."));
  }
  const auto& target = endpoint.message.spec().target();
  if (target.has_worker()) endpoint.namespace_id = target.worker().namespace_();
  return absl::OkStatus();
}

}  // namespace chimera::server
