// Failures that are too large for a message to the server, which would be lost with all that they
// say. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_FAILURE_SIZE_H_
#define CHIMERA_SDK_CPP_SRC_FAILURE_SIZE_H_

#include <cstddef>

#include "core/base/api.h"

namespace chimera::sdk {

// Servers take values of 2 MiB and messages of 4 MiB; a codec may add to it.
inline constexpr std::size_t kFailureBytesMax = std::size_t{3} << 19;

// Shortens messages and stack traces, leaves details out and cuts the end of the chain of causes,
// each with a note of how much is missing, until the failure has at most so many bytes. One that is
// small enough stays as it is.
void shorten(api::failure::v1::Failure& failure, std::size_t bytes_max);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_FAILURE_SIZE_H_
