// EndedSchedules, the ids of schedules that have ended: for as long as their namespace keeps what
// is closed, who asks for one is told that it has been there. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_ENDED_SCHEDULES_H_
#define CHIMERA_SERVER_ENGINE_ENDED_SCHEDULES_H_

#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "server/base/types.h"

namespace chimera::server {

class Engine;

class EndedSchedules {
 public:
  explicit EndedSchedules(Engine& engine) : engine_(engine) {}

  // Keys: of namespace and id (Schedules).
  void note(const std::string& key, WallTime until);
  void forget(const std::string& key);  // There is one of that id again.
  bool contains(const std::string& key) const;

  // --- The store.
  static constexpr char kTable[] = "ended_schedule";  // By key, until when.
  absl::Status restore(const std::string& key, const std::string& value);

 private:
  void add(const std::string& key, WallTime until);
  void drop_expired();

  Engine& engine_;
  absl::flat_hash_map<std::string, WallTime> until_;
  std::deque<std::pair<WallTime, std::string>> order_;  // As they were noted.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_ENDED_SCHEDULES_H_
