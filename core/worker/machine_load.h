// MachineLoad, how much of the memory and CPU that this process may use is in use: of its cgroup
// (v2) where that has limits, else of the machine. Any thread.
#ifndef CHIMERA_CORE_WORKER_MACHINE_LOAD_H_
#define CHIMERA_CORE_WORKER_MACHINE_LOAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/base/clock.h"

namespace chimera::core {

// Shares, from 0 to 1.
struct Load {
  double memory = 0, cpu = 0;
};

class LoadMeter {
 public:
  virtual ~LoadMeter() = default;
  virtual Load load() = 0;
};

class MachineLoad : public LoadMeter {
 public:
  // Below `root` there are proc and sys/fs/cgroup, as below "/". Borrows the clock.
  explicit MachineLoad(const base::Clock& clock, std::string root = "/");
  // At most a tenth of a second old. The first has no CPU to tell of yet.
  Load load() override;

 private:
  struct CpuTime {
    double used = 0, given = 0;  // Seconds, since some beginning.
  };
  double memory() const;
  std::optional<CpuTime> cpu_time(base::SteadyTime now) const;

  const base::Clock& clock_;
  const std::string proc_, cgroup_;
  absl::Mutex mutex_;
  std::optional<base::SteadyTime> read_at_ ABSL_GUARDED_BY(mutex_);
  std::optional<CpuTime> cpu_before_ ABSL_GUARDED_BY(mutex_);
  Load load_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_MACHINE_LOAD_H_
