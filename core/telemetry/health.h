// Health, what the parts of a process say of themselves when a probe asks: alive (a restart would
// not help) and ready (takes on work). Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_HEALTH_H_
#define CHIMERA_CORE_TELEMETRY_HEALTH_H_

#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace chimera::core {

class Health {
 public:
  using Check = std::function<std::string()>;  // What is wrong; empty when nothing is. Is quick.
  struct Report {
    bool ok = false;
    std::string text;  // A line for each part.
  };

  // Until remove(): the checks are then not running and run no more.
  int add(std::string who, Check alive, Check ready);
  void remove(int id);

  Report alive() const;  // True without any part: nothing hangs.
  Report ready() const;  // False without any part: nobody works.

 private:
  struct Part {
    std::string who;
    Check alive, ready;
  };

  Report ask(Check Part::* check) const;

  mutable absl::Mutex mutex_;
  int last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<int, Part> parts_ ABSL_GUARDED_BY(mutex_);
};

// The process's. Lives for ever.
Health& process_health();

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_HEALTH_H_
