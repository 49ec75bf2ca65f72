// Search attributes: the system's and the namespace's names, their types, and the metadata that
// payloads carry. Loop thread.
#ifndef CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_
#define CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_

#include <map>
#include <optional>
#include <string>

#include "server/engine/namespaces.h"

namespace chimera::server {

const std::map<std::string, enums::IndexedValueType>& system_attributes();
const std::map<std::string, enums::IndexedValueType>&
predefined_attributes();  // Settable by clients.
std::optional<enums::IndexedValueType> settable_type(const Namespace& ns, const std::string& name);
std::string type_name(enums::IndexedValueType type);  // "KeywordList"
std::optional<enums::IndexedValueType> parse_type(const std::string& name);
// Adds the metadata "type" to each payload, which clients read.
common::SearchAttributes with_types(const Namespace& ns, common::SearchAttributes attributes);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_VISIBILITY_ATTRIBUTES_H_
