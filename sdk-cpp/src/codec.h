// The public codec against the core's. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CODEC_H_
#define CHIMERA_SDK_CPP_SRC_CODEC_H_

#include <memory>

#include "chimera/codec.h"
#include "core/converter/codec.h"

namespace chimera::sdk {

// Null stays null. The built-in codecs work on the core's payloads without a copy.
std::shared_ptr<const core::PayloadCodec> to_core(const std::shared_ptr<const PayloadCodec>& codec);

SerializationContext to_public(const core::PayloadContext& context);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CODEC_H_
