// NexusRequests, what workers are asked by Nexus: a request waits at its task queue until a worker
// takes it, then for the answer, and all of that until its deadline. In memory: who asks asks again
// after a restart. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_REQUESTS_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_REQUESTS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "server/matching/task.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

// The worker's answer or, without one, the handler's failure: the worker's own, or that none came.
struct NexusReply {
  std::optional<nexus::Response> response;
  failure::Failure failure;
};

class NexusRequests final : public TaskOwner, public std::enable_shared_from_this<NexusRequests> {
 public:
  using Done = absl::AnyInvocable<void(NexusReply) &&>;

  explicit NexusRequests(Engine& engine) : engine_(engine) {}

  struct Ask {
    std::string namespace_id, task_queue;
    nexus::Request request;
    Nanos timeout{};                       // Of the whole; the last second of it is the way back.
    WallTime operation_deadline = kNever;  // The worker is told how long it is until then.
  };
  // `done` runs once, in a turn.
  void send(Ask ask, Done done);
  // By a worker. Not found: it was answered, or is too old.
  absl::Status complete(const std::string& id, nexus::Response response);
  absl::Status fail(const std::string& id, failure::Failure failure);
  void clear();  // Nobody hears of those that are open.

  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask) override {}  // There are no sticky queues of Nexus.
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override;

 private:
  struct Open {
    std::string id;  // In its token.
    Ask ask;
    Done done;
    WallTime deadline{};
    bool taken = false;
    std::unique_ptr<Timer> timer;
  };
  absl::Status answer(const std::string& id, NexusReply reply);
  void finish(std::int64_t number, NexusReply reply);

  Engine& engine_;
  std::int64_t last_ = 0;
  std::map<std::int64_t, Open> open_;
  absl::flat_hash_map<std::string, std::int64_t> ids_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_REQUESTS_H_
