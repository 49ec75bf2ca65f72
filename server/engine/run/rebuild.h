// Rebuild, the other way to a run's state than by transitions: from events that are there already,
// after a restart or for a reset. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_REBUILD_H_
#define CHIMERA_SERVER_ENGINE_RUN_REBUILD_H_

#include <utility>

#include "server/engine/run/run.h"

namespace chimera::server {

class Rebuild {
 public:
  explicit Rebuild(Run& run) : run_(run) {}
  // The next event of its history.
  void add(HistoryEvent event) {
    HistoryEvent& kept = *run_.events.add_events();
    kept = std::move(event);
    run_.history_size += static_cast<std::int64_t>(kept.ByteSizeLong());
    run_.fold(kept);
  }
  void fold(const HistoryEvent& buffered) { run_.fold(buffered); }
  void begin_again(WallTime at) { run_.begin_again(at); }
  Pending& pending() { return run_.pending_; }

 private:
  Run& run_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_REBUILD_H_
