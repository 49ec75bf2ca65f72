// Filter, what a list of an archive may ask for: equal ids, type and status, and a range of close
// times, as by the genuine server's file store, whose words refusals have. Pure.
#ifndef CHIMERA_SERVER_ARCHIVAL_QUERY_H_
#define CHIMERA_SERVER_ARCHIVAL_QUERY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "temporal/api/enums/v1/workflow.pb.h"

#include "server/base/types.h"

namespace chimera::server::archival {

struct Filter {
  // Nanoseconds since 1970, both included.
  std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest = std::numeric_limits<std::int64_t>::max();
  std::optional<std::string> workflow_id, run_id, workflow_type;
  std::optional<enums::WorkflowExecutionStatus> status;
  bool nothing = false;  // It contradicts itself.
};

// kInvalidArgument says what is wrong.
absl::StatusOr<Filter> parse_filter(std::string_view text);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_QUERY_H_
