#include "core/rpc/status_codes.h"

#include "absl/strings/cord.h"

#include "core/base/transport.h"

namespace chimera::core {

absl::Status from_grpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // The numbers are the same by design (absl/status/status.h).
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (std::string details = status.error_details(); !details.empty()) {
    result.SetPayload(base::kStatusDetails, absl::Cord(std::move(details)));
  }
  return result;
}

}  // namespace chimera::core
