// What workers report of activities that stand alone; as pending/activity.h has it of those of
// workflows. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_REPORTS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_REPORTS_H_

#include <string>

#include "absl/status/statusor.h"

#include "server/base/tokens.h"
#include "server/engine/standalone/activity_executions.h"

namespace chimera::server {

// One whose task a worker has.
absl::StatusOr<const ActivityExecution*> find_standalone_by_token(Engine& engine,
                                                                  const TaskToken& token);
// `begun`: one that no worker has is not found.
absl::StatusOr<const ActivityExecution*> find_standalone_by_id(Engine& engine, const Namespace& ns,
                                                               const std::string& id,
                                                               const std::string& run_id,
                                                               bool begun);

void complete_activity(Engine& engine, const ActivityExecution* execution, common::Payloads& result,
                       const std::string& identity, const common::WorkerVersionStamp* worker);
void fail_activity(Engine& engine, const ActivityExecution* execution, failure::Failure& failure,
                   const std::string& identity, const common::Payloads* last_heartbeat_details,
                   const common::WorkerVersionStamp* worker);
absl::Status cancel_activity(Engine& engine, const ActivityExecution* execution,
                             common::Payloads& details, const std::string& identity);
HeartbeatReply heartbeat_activity(Engine& engine, const ActivityExecution* execution,
                                  common::Payloads& details, bool has_details);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_REPORTS_H_
