// The protobuf side of the public payload types. Borrowed both ways; any thread.
#ifndef CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_
#define CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "temporal/api/sdk/v1/user_metadata.pb.h"

#include "chimera/definition.h"
#include "chimera/options.h"
#include "core/base/api.h"
#include "core/base/proto_time.h"
#include "sdk-cpp/src/conversion.h"

namespace chimera::sdk {

using ProtoPayload = api::common::v1::Payload;
using ProtoPayloads = api::common::v1::Payloads;

Payload to_public(const ProtoPayload& payload);
ProtoPayload to_proto(const Payload& payload);
std::vector<Payload> to_public(const ProtoPayloads& payloads);
ProtoPayloads to_proto(const std::vector<Payload>& payloads);

// In the codec's context. Throw ConversionError when a value or the codec fails.
ProtoPayloads encode_arguments(detail::Arguments arguments, const Codec& codec);
void encode_in_place(ProtoPayload& payload, const Codec& codec);
void encode_in_place(ProtoPayloads& payloads, const Codec& codec);
// The payloads as they are, or, with a codec, a decoded copy in `scratch`.
const ProtoPayloads& decoded(const ProtoPayloads& payloads, const Codec& codec,
                             ProtoPayloads& scratch);
const ProtoPayload& decoded(const ProtoPayload& payload, const Codec& codec, ProtoPayload& scratch);

// What dynamic code is called with: the name, and then the arguments, which may be in `scratch`.
const ProtoPayloads& with_name(const std::string& name, const ProtoPayloads& arguments,
                               ProtoPayloads& scratch);

api::common::v1::Memo to_proto(const Memo& memo, const Codec& codec);
api::common::v1::SearchAttributes to_proto(const SearchAttributes& attributes);
Memo to_public(const api::common::v1::Memo& memo, const Codec& codec);
std::map<std::string, Payload> to_public(const api::common::v1::SearchAttributes& attributes);
// Nothing for what this SDK has no value of.
std::optional<SearchAttributeValue> to_attribute(const ProtoPayload& payload);
// The same, by what the JSON is where no type is given; nothing becomes monostate.
SearchAttributeValue to_value(const ProtoPayload& payload);
api::common::v1::RetryPolicy to_proto(const RetryPolicy& policy);  // As checked().
RetryPolicy to_public(const api::common::v1::RetryPolicy& policy);
api::common::v1::Priority to_proto(const Priority& priority);
Priority to_public(const api::common::v1::Priority& priority);
// Texts for people; none is written for an empty one.
void set_metadata(std::string_view summary, std::string_view details, const Codec& codec,
                  api::sdk::v1::UserMetadata& out);
// Empty for what is no text, as for none.
std::string read_text(bool there, const ProtoPayload& payload, const Codec& codec);

// Throws std::invalid_argument for what no option means: less than nothing, which is also what
// becomes of a duration that nanoseconds cannot hold (std::chrono::hours::max()).
Duration checked(Duration value, std::string_view option);

// `field` makes the submessage, which is to be there only if there is a duration: unset and zero
// differ for the server.
template <class Field>
void set_duration(Duration value, std::string_view option, Field&& field) {
  if (checked(value, option).count() > 0) base::set_duration(value, *field());
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_PAYLOAD_ACCESS_H_
