// SessionWorker, a worker's side of sessions: two workers beside it, one that takes new sessions as
// long as there is room, and one whose task queue no other polls.
#ifndef CHIMERA_SDK_CPP_SRC_SESSION_WORKER_H_
#define CHIMERA_SDK_CPP_SRC_SESSION_WORKER_H_

#include <memory>
#include <string>

#include "chimera/worker.h"
#include "sdk-cpp/src/interceptors.h"

namespace chimera::sdk {

class SessionWorker {
 public:
  // `options` are those of the worker that it is beside; `types` has its activities.
  SessionWorker(const Client& client, const WorkerOptions& options, const Registry& types,
                const WorkerInterceptors& interceptors);
  ~SessionWorker();

  // As Worker's.
  void start();
  void shutdown();
  void wait();
  void replace_client(const Client& client);

 private:
  class Sessions;

  const std::unique_ptr<Sessions> sessions_;  // Outlives the workers, whose activities it has.
  Worker takes_, own_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_SESSION_WORKER_H_
