// Removals, the namespaces that are being deleted: their schedules and runs go, some at a time, and
// then they. They go on after a restart. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_REMOVALS_H_
#define CHIMERA_SERVER_ENGINE_REMOVALS_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "server/base/types.h"
#include "server/engine/run/namespaces.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

class Removals {
 public:
  explicit Removals(Engine& engine) : engine_(engine) {}

  // Renames it, so that its name is free at once, and begins; its record goes after `delay` at the
  // earliest.
  void begin(Namespace& ns, Nanos delay);

  // --- The store.
  static constexpr char kTable[] = "removal";  // By namespace id, until when its record stays.
  absl::Status restore(const std::string& key, const std::string& value);
  void resume();  // When namespaces and runs are there.

 private:
  struct Removal {
    WallTime keep_until{};
    std::unique_ptr<Timer> timer;
  };
  void add(const std::string& id, WallTime keep_until);
  void advance(std::string id);
  bool end_open_runs(const Namespace& ns);  // Whether there were any.

  Engine& engine_;
  absl::flat_hash_map<std::string, Removal> all_;  // By namespace id.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_REMOVALS_H_
