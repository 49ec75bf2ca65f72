#include "server/engine/matched/workers.h"

namespace chimera::server {
namespace {
constexpr Nanos kMemory = std::chrono::minutes{5};
}  // namespace

void Workers::record(const std::string& namespace_id, Heartbeat heartbeat, WallTime now) {
  auto& workers = by_namespace_[namespace_id];
  const std::string& key = heartbeat.worker_instance_key();
  if (heartbeat.status() == enums::WORKER_STATUS_SHUTDOWN) {
    workers.erase(key);
    return;
  }
  Entry& entry = workers[key];
  entry.seen = now;
  entry.heartbeat = std::move(heartbeat);
}

void Workers::expire(WallTime now) {
  for (auto& [namespace_id, workers] : by_namespace_) {
    std::erase_if(workers, [now](const auto& item) { return now - item.second.seen > kMemory; });
  }
}

const Workers::Heartbeat* Workers::find(const std::string& namespace_id,
                                        const std::string& key) const {
  auto workers = by_namespace_.find(namespace_id);
  if (workers == by_namespace_.end()) return nullptr;
  auto found = workers->second.find(key);
  return found == workers->second.end() ? nullptr : &found->second.heartbeat;
}

std::vector<const Workers::Heartbeat*> Workers::of_namespace(
    const std::string& namespace_id) const {
  std::vector<const Heartbeat*> heartbeats;
  auto workers = by_namespace_.find(namespace_id);
  if (workers == by_namespace_.end()) return heartbeats;
  for (const auto& [key, entry] : workers->second) heartbeats.push_back(&entry.heartbeat);
  return heartbeats;
}

}  // namespace chimera::server
