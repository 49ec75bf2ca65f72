// CppNexusLanguage, the C++ Nexus services of one worker, on threads of its own.
#ifndef CHIMERA_SDK_CPP_SRC_NEXUS_POOL_H_
#define CHIMERA_SDK_CPP_SRC_NEXUS_POOL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "core/language/nexus_language.h"
#include "core/telemetry/metrics.h"
#include "core/worker/options.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/nexus_context.h"
#include "sdk-cpp/src/work_threads.h"

namespace chimera::sdk {

// Any thread. Destroyed only when no handler runs any more.
class CppNexusLanguage final : public core::NexusLanguage {
 public:
  CppNexusLanguage(Codec codec, int threads_max);
  // Before the worker runs:
  void add(const detail::NexusServiceType& service);
  void set_worker(const core::WorkerOptions& options);
  void set_metrics(core::Metrics& metrics) { metrics_ = &metrics; }
  void intercept(WorkerInterceptors interceptors) { interceptors_ = std::move(interceptors); }
  // Of handlers that begin from now on.
  void set_client(detail::ClientPtr client);

  std::string name() const override { return "C++"; }
  void start(core::NexusTask task) override;
  void cancel(const std::string& task_token, core::NexusCancelReason reason) override;
  void begin_shutdown() override;

 private:
  using Operations = std::map<std::string, detail::NexusOperationType>;

  void run(NexusContext& context);
  core::NexusResult handle(NexusContext& context);
  core::NexusResult answer(NexusContext& context);
  const detail::NexusOperationType& find(const nexus::Info& info) const;

  const Codec codec_;
  std::string namespace_, task_queue_;
  core::Metrics* metrics_ = &core::process_metrics();
  WorkerInterceptors interceptors_;
  std::map<std::string, Operations> services_;
  absl::Mutex mutex_;
  detail::ClientPtr client_ ABSL_GUARDED_BY(mutex_);
  // Shared with the thread that runs it.
  absl::flat_hash_map<std::string, std::shared_ptr<NexusContext>> running_ ABSL_GUARDED_BY(mutex_);
  bool shutting_down_ ABSL_GUARDED_BY(mutex_) = false;
  WorkThreads<std::shared_ptr<NexusContext>> threads_;  // Last: they use the others.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_NEXUS_POOL_H_
