// The checks of calls about activities that stand alone, with texts and order of the genuine server
// 1.32. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_ACTIVITY_CHECKS_H_
#define CHIMERA_SERVER_SERVICE_ACTIVITY_CHECKS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/ids.h"
#include "server/engine/rules/limits.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/service/standalone_checks.h"

namespace chimera::server {

// The activity that is meant and who asks; a request without an id of its own gets one.
template <class Request>
absl::Status check_activity_request(Engine& engine, Request& request) {
  if (request.activity_id().empty()) return invalid("activity ID is required");
  if (absl::Status s = check_limit("activity ID", request.activity_id()); !s.ok()) return s;
  if constexpr (requires { request.mutable_request_id(); }) {
    if (request.request_id().empty()) request.set_request_id(engine.ids().uuid());
    if (absl::Status s = check_limit("request ID", request.request_id()); !s.ok()) return s;
  }
  if constexpr (requires { request.identity(); }) {
    if (absl::Status s = check_limit("identity", request.identity()); !s.ok()) return s;
  }
  if (!request.run_id().empty() && !is_uuid(request.run_id()))
    return invalid("invalid run id: must be a valid UUID");
  if constexpr (requires { request.reason(); }) {
    if (request.reason().size() > kBlobBytesMax) return invalid("reason exceeds length limit");
  }
  return absl::OkStatus();
}

// Of what has the four timeouts; what is longer than a hundred years becomes that.
template <class Options>
absl::Status check_timeouts(Options& options, const std::string& id, const std::string& type) {
  for (const auto& [name, duration] :
       {std::pair{"ScheduleToCloseTimeout", options.mutable_schedule_to_close_timeout()},
        std::pair{"ScheduleToStartTimeout", options.mutable_schedule_to_start_timeout()},
        std::pair{"StartToCloseTimeout", options.mutable_start_to_close_timeout()},
        std::pair{"HeartbeatTimeout", options.mutable_heartbeat_timeout()}}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty())
      return invalid(absl::StrCat("invalid ", name, ": ", problem));
    cap_duration(duration);
  }
  if (to_nanos(options.schedule_to_close_timeout()) > Nanos{0} ||
      to_nanos(options.start_to_close_timeout()) > Nanos{0})
    return absl::OkStatus();
  return invalid(absl::StrCat(
      "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
      "ActivityId=",
      id, " ActivityType=", type));
}

// Of a request that has been checked.
absl::StatusOr<const ActivityExecution*> find_activity(Engine& engine, const auto& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  return engine.activity_executions->find(**ns, request.activity_id(), request.run_id());
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_ACTIVITY_CHECKS_H_
