#include "server/timers/prompt_thread.h"

#include <cstdint>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chimera::server {
namespace {

// struct sched_attr of linux/sched/types.h, first version: including that header clashes with
// glibc's sched.h.
struct SchedulerAttributes {
  std::uint32_t size = sizeof(SchedulerAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // Of an ordinary thread: its slice in ns, at least 100,000.
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

constexpr std::uint32_t kOrdinary = 0;  // SCHED_OTHER.
constexpr std::uint64_t kShortestSliceNs = 100'000;

}  // namespace

void be_woken_promptly() {
  prctl(PR_SET_TIMERSLACK, 1);
  SchedulerAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != kOrdinary) return;  // Whoever chose another knows better.
  attributes.size = sizeof attributes;
  attributes.runtime = kShortestSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace chimera::server
