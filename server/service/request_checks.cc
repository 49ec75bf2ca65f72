#include "server/service/request_checks.h"

namespace chimera::server {

absl::Status check_namespace(Engine& engine, const std::string& name, bool may_be_empty) {
  if (name.empty() && may_be_empty) return absl::OkStatus();
  return engine.resolve_namespace(name).status();
}

absl::Status check_run_id(const std::string& run_id) {
  return run_id.empty() || is_uuid(run_id) ? absl::OkStatus() : invalid("RunId is not valid UUID.");
}

}  // namespace chimera::server
