#include "server/service/operation_checks.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

using StartRequest = wf::StartNexusOperationExecutionRequest;

absl::Status check_target(const DynamicConfig& config, const StartRequest& request) {
  if (request.endpoint().empty()) return invalid("endpoint is required");
  if (request.service().empty()) return invalid("service is required");
  if (absl::Status s = check_limit("service", request.service(),
                                   static_cast<std::size_t>(config.nexus_service_name_max));
      !s.ok())
    return s;
  if (request.operation().empty()) return invalid("operation is required");
  return check_limit("operation", request.operation(),
                     static_cast<std::size_t>(config.nexus_operation_name_max));
}

absl::Status check_timeouts(const DynamicConfig& config, StartRequest& request) {
  const std::pair<const char*, google::protobuf::Duration*> all[] = {
      {"schedule_to_close_timeout", request.has_schedule_to_close_timeout()
                                        ? request.mutable_schedule_to_close_timeout()
                                        : nullptr},
      {"schedule_to_start_timeout", request.has_schedule_to_start_timeout()
                                        ? request.mutable_schedule_to_start_timeout()
                                        : nullptr},
      {"start_to_close_timeout",
       request.has_start_to_close_timeout() ? request.mutable_start_to_close_timeout() : nullptr}};
  for (const auto& [name, duration] : all) {
    if (duration == nullptr) continue;
    if (const std::string problem = duration_problem(*duration); !problem.empty())
      return invalid(absl::StrCat(name, " is invalid: ", problem));
    cap_duration(duration);
  }
  Nanos close = to_nanos(request.schedule_to_close_timeout());
  const Nanos most = config.nexus_schedule_to_close_max;
  if (most > Nanos{0} && (close == Nanos{0} || close > most)) {
    close = most;
    set(request.mutable_schedule_to_close_timeout(), close);
  }
  for (const auto& [name, duration] : all) {
    if (duration != nullptr && close > Nanos{0} && to_nanos(*duration) > close)
      set(duration, close);
  }
  return absl::OkStatus();
}

absl::Status check_header(const DynamicConfig& config, StartRequest& request) {
  std::size_t size = 0;
  google::protobuf::Map<std::string, std::string> lower;
  for (const auto& [name, value] : request.nexus_header()) {
    size += name.size() + value.size();
    if (is_disallowed_nexus_header(name)) {
      return invalid(
          absl::StrCat("nexus_header contains a disallowed key: \"", absl::CEscape(name), "\""));
    }
    lower[absl::AsciiStrToLower(name)] = value;
  }
  if (static_cast<std::int64_t>(size) > config.nexus_header_max)
    return invalid("nexus_header exceeds size limit");
  request.mutable_nexus_header()->swap(lower);
  return absl::OkStatus();
}

}  // namespace

absl::Status check_operation_start(Engine& engine, const Namespace& ns, StartRequest& request) {
  const DynamicConfig& config = engine.config();
  if (absl::Status s = check_request_id(engine, request); !s.ok()) return s;
  if (absl::Status s = check_operation_id(request.operation_id()); !s.ok()) return s;
  if (absl::Status s = check_limit("identity", request.identity()); !s.ok()) return s;
  if (absl::Status s = check_target(config, request); !s.ok()) return s;
  if (absl::Status s = check_timeouts(config, request); !s.ok()) return s;
  if (absl::Status s = check_size("input", request.input().ByteSizeLong(), kBlobBytesMax); !s.ok())
    return s;
  if (absl::Status s = check_user_metadata(request.user_metadata()); !s.ok()) return s;
  if (absl::Status s = check_header(config, request); !s.ok()) return s;
  return check_search_attributes(ns.search_attributes, ns.name(), request.search_attributes());
}

}  // namespace chimera::server
