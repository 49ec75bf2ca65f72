// Workers, the registry of worker heartbeats: memory only, forgotten after five minutes. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_

#include <map>
#include <string>

#include "temporal/api/worker/v1/message.pb.h"

#include "server/base/types.h"

namespace chimera::server {

class Workers {
 public:
  struct Entry {
    ::temporal::api::worker::v1::WorkerHeartbeat heartbeat;
    WallTime seen{};
  };
  void record(const std::string& namespace_id,
              ::temporal::api::worker::v1::WorkerHeartbeat heartbeat, WallTime now) {
    Entry& entry = entries_[{namespace_id, heartbeat.worker_instance_key()}];
    entry.heartbeat = std::move(heartbeat);
    entry.seen = now;
  }
  void expire(WallTime now) {
    std::erase_if(entries_, [now](const auto& item) {
      return now - item.second.seen > std::chrono::minutes{5};
    });
  }
  const std::map<std::pair<std::string, std::string>, Entry>& entries() const { return entries_; }

 private:
  std::map<std::pair<std::string, std::string>, Entry>
      entries_;  // By namespace id and instance key.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_WORKERS_H_
