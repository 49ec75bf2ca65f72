// Failures against exceptions, for the SDK's own files. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_ERRORS_H_
#define CHIMERA_SDK_CPP_SRC_ERRORS_H_

#include <exception>
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
// Of any exception, as it is: a FailureError as itself, anything else as an ApplicationError of its
// type's name.
api::failure::v1::Failure to_failure(const std::exception_ptr& exception, const Codec& codec,
                                     std::size_t bytes_max = 0);
// Of the exception being handled, as the codec's failure converter has it.
api::failure::v1::Failure current_failure(const Codec& codec, std::size_t bytes_max = 0);
// As the failure converter has what came.
[[noreturn]] void throw_failure(const FailureError& came, const Codec& codec);
// The failure that a client's call ended with, in an error of the call's own; a failure converter
// may make of it what is none, which is thrown as it is.
template <class Error>
[[noreturn]] void throw_caused(std::shared_ptr<const FailureError> came, const Codec& codec);
std::shared_ptr<const FailureError> to_error(const std::exception_ptr& exception);
// With no payloads, so that no codec has a part in it.
api::failure::v1::Failure plain_failure(std::string message, std::string type);

// "std::out_of_range: vector::at" or "an exception of type int" for the exception being handled.
std::string describe_current();
std::string current_type();

// The exception that the error throws.
std::exception_ptr as_exception(const FailureError& error);
// Whether it is a FailureError.
bool is_failure(const std::exception_ptr& exception);

template <class Error>
void throw_caused(std::shared_ptr<const FailureError> came, const Codec& codec) {
  if (!codec.converts_failures()) throw Error(std::move(came));
  const std::exception_ptr error = as_exception(*came);
  const std::exception_ptr converted = codec.from_failure(error);
  if (converted == error) throw Error(std::move(came));
  if (is_failure(converted)) throw Error(to_error(converted));
  std::rethrow_exception(converted);
}

RpcError rpc_error(const absl::Status& status, std::string message);
[[noreturn]] void throw_rpc(const absl::Status& status, std::string_view doing);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ERRORS_H_
