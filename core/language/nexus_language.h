// How a language handles Nexus tasks: requests to start or to cancel an operation of one of its
// services. The worker hands over a task with a slot; the language runs the handler on threads or
// loops of its own and answers once.
#ifndef CHIMERA_CORE_LANGUAGE_NEXUS_LANGUAGE_H_
#define CHIMERA_CORE_LANGUAGE_NEXUS_LANGUAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "temporal/api/nexus/v1/message.pb.h"

#include "core/base/api.h"
#include "core/base/clock.h"

namespace chimera::core {

// Why a handler is told to stop (coresdk.nexus.NexusTaskCancelReason).
enum class NexusCancelReason : std::uint8_t { kTimedOut = 0, kWorkerShutdown = 1 };

struct NexusResult {
  // Of the request's kind. A start that failed as an operation has `failure`: an application's or a
  // cancellation's.
  struct Completed {
    api::nexus::v1::Response response;
  };
  // The handler could not answer: with nexus_handler_failure_info.
  struct Failed {
    api::failure::v1::Failure failure;
  };
  // Only after a cancellation was delivered: nothing is sent, the caller has given up.
  struct CancelAcknowledged {};
  std::variant<Completed, Failed, CancelAcknowledged> status;
};

// The running handler's line back to the worker. Any thread; outlives the task only as a no-op.
class NexusHandle {
 public:
  virtual ~NexusHandle() = default;
  virtual void complete(NexusResult result) = 0;  // Once.
};

struct NexusTask {
  // The request as the server sent it, but for the names of its headers and of its callback's,
  // which are in small letters here. Lives as long as this pointer.
  std::shared_ptr<const api::workflowservice::v1::PollNexusTaskQueueResponse> message;
  // When the caller gives up, by this machine's clock. None: it does not say.
  std::optional<base::WallTime> deadline;
  std::shared_ptr<NexusHandle> handle;
};

// Told on the worker's threads; must not block.
class NexusLanguage {
 public:
  virtual ~NexusLanguage() = default;
  // For messages to people: "C++", "Python".
  virtual std::string name() const { return "an unnamed language"; }
  // A task of a service that was registered with this language; its operation may be unknown.
  virtual void start(NexusTask task) = 0;
  // At most once per task; it may have ended already. `task_token` names it.
  virtual void cancel(const std::string& task_token, NexusCancelReason reason) = 0;
  // The worker takes no more tasks and will end. Running ones have until its grace is over.
  virtual void begin_shutdown() {}
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_NEXUS_LANGUAGE_H_
