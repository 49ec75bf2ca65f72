// NexusManager, the Nexus tasks that run in one worker: hands them to the language of their
// service, tells it when the caller has given up, and its sink how they ended. Any thread.
#ifndef CHIMERA_CORE_NEXUS_NEXUS_MANAGER_H_
#define CHIMERA_CORE_NEXUS_NEXUS_MANAGER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/base/under_way.h"
#include "core/nexus/nexus_sink.h"
#include "core/telemetry/sdk_metrics.h"
#include "core/telemetry/worker_figures.h"

namespace chimera::core {

struct NexusManagerOptions {
  // The language of a service, or null when none is registered for it.
  std::function<NexusLanguage*(const std::string& service)> language_of;
  std::string known_services;           // For the message about an unknown one.
  const SdkMetrics* metrics = nullptr;  // Borrowed; null: nothing is counted.
  TaskFigures* figures = nullptr;       // The same.
};

// Of which service and operation a request is.
struct NexusTarget {
  const std::string& service;
  const std::string& operation;
};
NexusTarget target_of(const api::nexus::v1::Request& request);

class NexusManager {
 public:
  // As it comes from a poll.
  using Polled = std::shared_ptr<api::workflowservice::v1::PollNexusTaskQueueResponse>;

  // Borrows timers and clock; they outlive the manager.
  NexusManager(NexusManagerOptions options, std::shared_ptr<NexusSink> sink, base::Timers& timers,
               base::Clock& clock);
  ~NexusManager();  // Requires that no task runs.

  // The permit is released when the task has been answered. Changes the names of its headers to
  // small letters.
  void start(const Polled& task, std::shared_ptr<void> permit);

  // From here tasks are cancelled (worker shutdown) once `grace` has passed.
  void begin_shutdown(std::chrono::nanoseconds grace);
  // Runs `then` when no task runs: at once, or on the thread that ends the last one.
  void when_idle(absl::AnyInvocable<void() &&> then) { running_.when_none(std::move(then)); }

 private:
  class Running;
  struct Instruments;
  void cancel_all();

  const NexusManagerOptions options_;
  const std::shared_ptr<NexusSink> sink_;
  base::Timers& timers_;
  base::Clock& clock_;
  const std::unique_ptr<Instruments> instruments_;  // Null when nothing is counted.
  base::UnderWay<Running> running_;
  absl::Mutex mutex_;
  base::TimerId grace_timer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;
};

// "9.5s", "500ms", "2m", as the header request-timeout has it; none: it is no such text.
std::optional<std::chrono::nanoseconds> parse_nexus_duration(absl::string_view text);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_NEXUS_NEXUS_MANAGER_H_
