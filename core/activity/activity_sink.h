// ActivitySink, where an activity task's heartbeats and end go: the server, or a workflow task of
// this worker. Any thread.
#ifndef CHIMERA_CORE_ACTIVITY_ACTIVITY_SINK_H_
#define CHIMERA_CORE_ACTIVITY_ACTIVITY_SINK_H_

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "core/language/activity_language.h"

namespace chimera::core {

class ActivitySink {
 public:
  using Task = std::shared_ptr<const api::workflowservice::v1::PollActivityTaskQueueResponse>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;
  using HeartbeatReply = api::workflowservice::v1::RecordActivityTaskHeartbeatResponse;
  using HeartbeatDone = absl::AnyInvocable<void(absl::StatusOr<HeartbeatReply>) &&>;

  virtual ~ActivitySink() = default;
  // A local activity: the sink watches its timeouts, and a worker that ends waits for it.
  virtual bool local() const { return false; }
  // How the task ended; WillCompleteAsync only where the sink is local. `kept`: heartbeat details
  // that were not sent yet, which go with a failure. `done` runs exactly once.
  virtual void report(const Task& task, ActivityResult result,
                      std::optional<api::common::v1::Payloads> kept, Done done) = 0;
  virtual void heartbeat(const Task& task, api::common::v1::Payloads details,
                         HeartbeatDone done) = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_ACTIVITY_ACTIVITY_SINK_H_
