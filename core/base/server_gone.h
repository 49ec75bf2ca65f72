// A mark on the status of a call whose server was in this process and has ended: UNAVAILABLE as a
// server that is not there, but no further try will find one. Pure.
#ifndef CHIMERA_CORE_BASE_SERVER_GONE_H_
#define CHIMERA_CORE_BASE_SERVER_GONE_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace chimera::base {

inline constexpr char kServerGone[] = "chimera/server-gone";

inline absl::Status server_gone(absl::string_view message) {
  absl::Status status = absl::UnavailableError(message);
  status.SetPayload(kServerGone, absl::Cord());
  return status;
}

inline bool is_server_gone(const absl::Status& status) {
  return status.GetPayload(kServerGone).has_value();
}

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_SERVER_GONE_H_
