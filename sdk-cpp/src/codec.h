// The public codec against the core's. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CODEC_H_
#define CHIMERA_SDK_CPP_SRC_CODEC_H_

#include "chimera/codec.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

// Null stays null. The built-in codecs work on the core's payloads without a copy.
Codec to_core(const std::shared_ptr<const PayloadCodec>& codec);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CODEC_H_
