// Search attributes: the system's and the namespace's names, their types, and the metadata that
// payloads carry. Loop thread.
#ifndef CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_
#define CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "temporal/api/enums/v1/common.pb.h"

#include "server/base/types.h"

namespace chimera::server {

using AttributeTypes = std::map<std::string, enums::IndexedValueType>;  // A namespace's own.

const std::map<std::string, enums::IndexedValueType>& system_attributes();
const std::map<std::string, enums::IndexedValueType>&
predefined_attributes();  // Settable by clients.
std::optional<enums::IndexedValueType> settable_type(const AttributeTypes& own,
                                                     const std::string& name);
std::string type_name(enums::IndexedValueType type);  // "KeywordList"
std::optional<enums::IndexedValueType> parse_type(const std::string& name);
// Adds the metadata "type" to each payload, which clients read.
common::SearchAttributes with_types(const AttributeTypes& own, common::SearchAttributes attributes);
// Names known, values of their type. `ns`: the namespace, for the texts.
absl::Status check_search_attributes(const AttributeTypes& own, absl::string_view ns,
                                     const common::SearchAttributes& attributes);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_
