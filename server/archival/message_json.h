// Messages as JSON, as the protocol's libraries write and read them, however deep they are nested:
// libprotobuf's own converter stops at 64 levels, which a chain of failures may have. Pure.
#ifndef CHIMERA_SERVER_ARCHIVAL_MESSAGE_JSON_H_
#define CHIMERA_SERVER_ARCHIVAL_MESSAGE_JSON_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include <nlohmann/json.hpp>

namespace chimera::server::archival {

using Json = nlohmann::ordered_json;

Json to_json(const google::protobuf::Message& message);
// Into an empty message. Fields and enum values that it does not know, of a newer server, are
// passed over. kDataLoss names the field that is not of its type.
absl::Status from_json(const Json& json, google::protobuf::Message& message);

// What is no UTF-8 is replaced.
std::string text_of(const Json& json);
// Discarded if it is none.
Json parse_json(const std::string& text);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_MESSAGE_JSON_H_
