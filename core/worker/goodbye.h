// Goodbye, tells the server that a worker goes, so that it moves the worker's sticky runs to the
// normal queue and answers its open polls; again while polls are open, since the last of them may
// have arrived behind it. Shared by its own callbacks only, which may run after the worker has
// ended. Any thread.
#ifndef CHIMERA_CORE_WORKER_GOODBYE_H_
#define CHIMERA_CORE_WORKER_GOODBYE_H_

#include <memory>
#include <vector>

#include "core/rpc/connection.h"
#include "core/worker/poller.h"
#include "core/worker/worker.h"

namespace chimera::core {

class Goodbye : public std::enable_shared_from_this<Goodbye> {
 public:
  using Request = api::workflowservice::v1::ShutdownWorkerRequest;

  Goodbye(std::shared_ptr<Connection> connection, std::shared_ptr<const Request> request,
          CallOptions options, WorkerEnvironment environment,
          const std::vector<std::shared_ptr<PollerBase>>& pollers);

  void say();
  void cancel_polls();

 private:
  void said(bool heard);
  template <class Do>
  void each_poller(const Do& act);

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<const Request> request_;
  CallOptions options_;
  const WorkerEnvironment environment_;
  const std::vector<std::weak_ptr<PollerBase>> pollers_;
  const base::SteadyTime started_;
  // A server that answers, but keeps the polls, is not to be asked all the time.
  std::chrono::milliseconds interval_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_GOODBYE_H_
