// Checks TLS material before gRPC sees it: gRPC would fail every call without saying which part is
// wrong.
#ifndef CHIMERA_CORE_RPC_TLS_H_
#define CHIMERA_CORE_RPC_TLS_H_

#include <string>

#include "absl/status/status.h"

#include "core/rpc/connection.h"

namespace chimera::core {

absl::Status check_tls(const TlsOptions& tls);

// Whether the certificate, PEM text, is for this DNS name or IP address (RFC 6125, wildcards too).
bool certificate_is_for(const std::string& certificate, const std::string& name);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_TLS_H_
