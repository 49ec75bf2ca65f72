// Activities: dispatched, started, retried, heartbeaten, ended. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_
#define CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_

#include <string>

#include "absl/status/statusor.h"

#include "server/engine/run/transition.h"

namespace chimera::server {

// Which attempt a worker speaks about: found by its token or by ids.
struct ActivityRef {
  const Run* run = nullptr;
  std::int64_t scheduled_id = 0;
};
absl::StatusOr<ActivityRef> find_activity_by_token(Engine& engine, const std::string& token);
absl::StatusOr<ActivityRef> find_activity_by_id(Engine& engine, const std::string& ns,
                                                const std::string& workflow_id,
                                                const std::string& run_id,
                                                const std::string& activity_id);

void dispatch_activity(Transition& t, Activity& activity);
void start_activity(Transition& t, Activity& activity, const std::string& identity,
                    wf::PollActivityTaskQueueResponse& response);

absl::Status complete_activity(Engine& engine, ActivityRef ref, common::Payloads& result,
                               const std::string& identity);
absl::Status fail_activity(Engine& engine, ActivityRef ref, failure::Failure& failure,
                           const std::string& identity,
                           const common::Payloads* last_heartbeat_details);
absl::Status cancel_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                             const std::string& identity);
struct HeartbeatReply {
  bool cancel_requested = false, paused = false, was_reset = false;
};
absl::StatusOr<HeartbeatReply> heartbeat_activity(Engine& engine, ActivityRef ref,
                                                  common::Payloads& details, bool has_details);
void time_out_activity(Transition& t, Activity& activity, enums::TimeoutType type);
// The command: asks the worker, or ends the activity at once if no worker has it.
void request_activity_cancel(Transition& t, Activity& activity, std::int64_t completed_id,
                             const std::string& identity);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_H_
