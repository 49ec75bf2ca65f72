// The protobuf side of the public payload types. Borrowed both ways; any thread.
#ifndef CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_
#define CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_

#include <memory>
#include <vector>

#include "chimera/definition.h"
#include "chimera/options.h"
#include "core/base/api.h"
#include "core/converter/codec.h"

namespace chimera::sdk {

using ProtoPayload = api::common::v1::Payload;
using ProtoPayloads = api::common::v1::Payloads;
using Codec =
    std::shared_ptr<const core::PayloadCodec>;  // Shared by client, workers and runs. Null: none.

Payload to_public(const ProtoPayload& payload);
ProtoPayload to_proto(const Payload& payload);
std::vector<Payload> to_public(const ProtoPayloads& payloads);
ProtoPayloads to_proto(const std::vector<Payload>& payloads);

// Throw ConversionError when a value or the codec fails.
ProtoPayloads encode_arguments(detail::Arguments arguments, const Codec& codec);
void encode_in_place(ProtoPayload& payload, const Codec& codec);
void encode_in_place(ProtoPayloads& payloads, const Codec& codec);
// The payloads as they are, or, with a codec, a decoded copy in `scratch`.
const ProtoPayloads& decoded(const ProtoPayloads& payloads, const Codec& codec,
                             ProtoPayloads& scratch);
const ProtoPayload& decoded(const ProtoPayload& payload, const Codec& codec, ProtoPayload& scratch);

api::common::v1::Memo to_proto(const Memo& memo, const Codec& codec);
api::common::v1::SearchAttributes to_proto(const SearchAttributes& attributes);
api::common::v1::RetryPolicy to_proto(const RetryPolicy& policy);
RetryPolicy to_public(const api::common::v1::RetryPolicy& policy);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_
