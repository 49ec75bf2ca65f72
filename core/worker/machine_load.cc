#include "core/worker/machine_load.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace chimera::core {
namespace {

constexpr std::chrono::milliseconds kSampleEvery{100};

// The first word of a file of one line, such as "max" or "123"; empty if there is no such file.
std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::optional<double> number_in(const std::string& path) {
  double value = 0;
  if (!absl::SimpleAtod(first_word(path), &value)) return std::nullopt;
  return value;
}

// Of lines "NAME VALUE": /proc/meminfo, memory.stat, cpu.stat.
std::optional<double> named(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    double value = 0;
    if (words >> key >> value && key == name) return value;
  }
  return std::nullopt;
}

}  // namespace

MachineLoad::MachineLoad(const base::Clock& clock, std::string root)
    : clock_(clock),
      proc_(absl::StrCat(root, "proc/")),
      cgroup_(absl::StrCat(root, "sys/fs/cgroup/")) {}

Load MachineLoad::load() {
  absl::MutexLock lock(&mutex_);
  const base::SteadyTime now = clock_.steady();
  if (read_at_ && now - *read_at_ < kSampleEvery) return load_;
  read_at_ = now;
  load_.memory = std::clamp(memory(), 0.0, 1.0);
  const std::optional<CpuTime> cpu = cpu_time(now);
  if (cpu && cpu_before_ && cpu->given > cpu_before_->given) {
    load_.cpu =
        std::clamp((cpu->used - cpu_before_->used) / (cpu->given - cpu_before_->given), 0.0, 1.0);
  }
  cpu_before_ = cpu;
  return load_;
}

// What the kernel could not take back: a cgroup's memory.current has the page cache, too.
double MachineLoad::memory() const {
  if (const auto limit = number_in(absl::StrCat(cgroup_, "memory.max")); limit && *limit > 0) {
    if (const auto used = named(absl::StrCat(cgroup_, "memory.stat"), "anon"))
      return *used / *limit;
  }
  const std::string meminfo = absl::StrCat(proc_, "meminfo");
  const auto total = named(meminfo, "MemTotal:"), free = named(meminfo, "MemAvailable:");
  return total && free && *total > 0 ? 1 - *free / *total : 0;
}

std::optional<MachineLoad::CpuTime> MachineLoad::cpu_time(base::SteadyTime now) const {
  // "QUOTA PERIOD", or "max PERIOD" where there is no limit.
  std::ifstream limit(absl::StrCat(cgroup_, "cpu.max"));
  double quota = 0, period = 0;
  if (limit >> quota >> period && period > 0) {
    if (const auto used = named(absl::StrCat(cgroup_, "cpu.stat"), "usage_usec")) {
      const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
      return CpuTime{*used / 1e6, seconds * quota / period};
    }
  }
  // In ticks: user, nice, system, idle, iowait, irq, softirq, steal.
  std::ifstream stat(absl::StrCat(proc_, "stat"));
  std::string cpu;
  double ticks[8] = {};
  stat >> cpu;
  for (double& each : ticks) stat >> each;
  if (!stat) return std::nullopt;
  double all = 0;
  for (const double each : ticks) all += each;
  return CpuTime{all - ticks[3] - ticks[4], all};
}

}  // namespace chimera::core
