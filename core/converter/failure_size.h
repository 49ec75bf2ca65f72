// Failures that are too large or too deep for a message to the server, which would be lost with all
// that they say. Any thread.
#ifndef CHIMERA_CORE_CONVERTER_FAILURE_SIZE_H_
#define CHIMERA_CORE_CONVERTER_FAILURE_SIZE_H_

#include <cstddef>

#include "core/base/api.h"

namespace chimera::core {

// Servers take values of 2 MiB and messages of 4 MiB; a codec may add to it.
inline constexpr std::size_t kFailureBytesMax = std::size_t{3} << 19;

// Shortens messages and stack traces, leaves details out and cuts the end of the chain of causes,
// each with a note of how much is missing, until the failure has at most so many bytes. One that is
// small enough stays as it is.
void shorten(api::failure::v1::Failure& failure, std::size_t bytes_max);

// Protobuf reads messages up to 100 deep; a failure's causes are one inside the other, and what a
// failure stands in adds to it.
inline constexpr int kCausesMax = 64;
// Cuts a longer chain of causes, with a note of how many are missing.
void cut_causes(api::failure::v1::Failure& failure);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_FAILURE_SIZE_H_
