// Namespace and the registry of them: names, ids, retention, custom search attributes. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_NAMESPACES_H_
#define CHIMERA_SERVER_ENGINE_RUN_NAMESPACES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "temporal/api/namespace/v1/message.pb.h"

#include "server/base/types.h"
#include "server/visibility/attributes.h"

namespace chimera::server {

struct Namespace {
  std::string id;
  ::temporal::api::namespace_::v1::NamespaceInfo info;
  ::temporal::api::namespace_::v1::NamespaceConfig config;
  AttributeTypes search_attributes;  // Custom ones.
  // Told as it was set: of those that are made at start it never was.
  enums::ReplicationState replication = enums::REPLICATION_STATE_UNSPECIFIED;
  const std::string& name() const { return info.name(); }
  Nanos retention() const { return to_nanos(config.workflow_execution_retention_ttl()); }
};

inline constexpr char kNamespaceTable[] = "namespace";  // Of the store, by id.
inline constexpr char kSystemNamespace[] = "temporal-system";

class Namespaces {
 public:
  Namespace* find(const std::string& name);
  const Namespace* find(const std::string& name) const;
  Namespace* find_by_id(const std::string& id);
  Namespace& add(std::string name, std::string id, Nanos retention);
  void rename(Namespace& ns, std::string name);  // Which is free.
  // It is found no more. What refers to it may do so for as long as this lives.
  void remove(Namespace& ns);
  const std::map<std::string, std::unique_ptr<Namespace>>& all() const { return by_name_; }

 private:
  std::map<std::string, std::unique_ptr<Namespace>> by_name_;
  std::vector<std::unique_ptr<Namespace>> removed_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_NAMESPACES_H_
