// Workers, the registry of worker heartbeats: memory only, forgotten after five minutes without
// one. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_

#include <map>
#include <string>
#include <vector>

#include "temporal/api/worker/v1/message.pb.h"

#include "server/base/types.h"

namespace chimera::server {

class Workers {
 public:
  using Heartbeat = ::temporal::api::worker::v1::WorkerHeartbeat;

  // The last one of a worker, which says that it has shut down, makes it forgotten.
  void record(const std::string& namespace_id, Heartbeat heartbeat, WallTime now);
  void expire(WallTime now);
  // By its instance key; null: unknown. Until the next record() or expire(), as the next.
  const Heartbeat* find(const std::string& namespace_id, const std::string& key) const;
  std::vector<const Heartbeat*> of_namespace(const std::string& namespace_id) const;  // By key.

 private:
  struct Entry {
    Heartbeat heartbeat;
    WallTime seen{};
  };
  std::map<std::string, std::map<std::string, Entry>>
      by_namespace_;  // By id; then by instance key.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_
