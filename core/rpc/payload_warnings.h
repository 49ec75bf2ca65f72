// Warnings of what is sent: values that are large for a history, TMPRL1103. Any thread.
#ifndef CHIMERA_CORE_RPC_PAYLOAD_WARNINGS_H_
#define CHIMERA_CORE_RPC_PAYLOAD_WARNINGS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "google/protobuf/message_lite.h"

namespace chimera::core {

// Sizes above which is warned; 0: never.
struct PayloadWarnings {
  std::size_t memo_bytes = 0, payload_bytes = 0;
};

// Logs a warning for each value (a list of arguments is one) and memo of a request that is larger,
// with what it is. A request that is small costs its size only.
void warn_of_large_values(
    const PayloadWarnings& warnings, std::string_view method,
    const std::variant<const google::protobuf::MessageLite*, std::string>& request);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_PAYLOAD_WARNINGS_H_
