// Failures against exceptions, for the SDK's own files. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_ERRORS_H_
#define CHIMERA_SDK_CPP_SRC_ERRORS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"

#include "chimera/errors.h"
#include "core/base/api.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

inline constexpr char kFailureSource[] = "chimera-cpp";

// Never null. A failure of no known kind becomes an ApplicationError.
std::shared_ptr<const FailureError> to_error(const api::failure::v1::Failure& failure,
                                             const Codec& codec);
// Shortened to `bytes_max` where that is not 0 (failure_size.h).
api::failure::v1::Failure to_failure(const FailureError& error, const Codec& codec,
                                     std::size_t bytes_max = 0);
// Of the exception being handled: a FailureError as it is, anything else as an ApplicationError of
// its type's name.
api::failure::v1::Failure current_failure(const Codec& codec, std::size_t bytes_max = 0);
std::shared_ptr<const FailureError> to_error(const std::exception_ptr& exception);
// With no payloads, so that no codec has a part in it.
api::failure::v1::Failure plain_failure(std::string message, std::string type);

// "std::out_of_range: vector::at" or "an exception of type int" for the exception being handled.
std::string describe_current();
std::string current_type();

RpcError rpc_error(const absl::Status& status, std::string message);
[[noreturn]] void throw_rpc(const absl::Status& status, std::string_view doing);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ERRORS_H_
