// NexusEndpoints, the names by which callers of Nexus operations find who handles them: the workers
// of a task queue, or a URL. Of the whole server; durable. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_ENDPOINTS_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_ENDPOINTS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

#include "server/base/types.h"

namespace chimera::server {

class Engine;

struct NexusEndpoint {
  nexus::Endpoint message;   // As it was made; described() has its namespace's name of now.
  std::string namespace_id;  // Of a worker target; empty: the target is a URL.
  const std::string& name() const { return message.spec().name(); }
};

class NexusEndpoints {
 public:
  explicit NexusEndpoints(Engine& engine) : engine_(engine) {}

  // The spec has been checked; its namespace is there.
  absl::StatusOr<const NexusEndpoint*> create(const nexus::EndpointSpec& spec);
  absl::StatusOr<const NexusEndpoint*> update(const std::string& id, std::int64_t version,
                                              const nexus::EndpointSpec& spec);
  absl::Status erase(const std::string& id);
  const NexusEndpoint* find(const std::string& id) const;  // Null: there is none.
  const NexusEndpoint* find_by_name(const std::string& name) const;
  const NexusEndpoint* find_by_target(const std::string& namespace_id) const;
  const std::map<std::string, NexusEndpoint>& all() const { return all_; }  // By id.
  nexus::Endpoint described(const NexusEndpoint& endpoint) const;

  // --- The store.
  static constexpr char kTable[] = "nexus_endpoint";  // By id.
  absl::Status restore(const std::string& key, const std::string& value);

 private:
  void set_spec(NexusEndpoint& endpoint, const nexus::EndpointSpec& spec);
  void save(const NexusEndpoint& endpoint);

  Engine& engine_;
  std::map<std::string, NexusEndpoint> all_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_ENDPOINTS_H_
