// The types and values of search attributes as queries see them: the protocol's names and payloads
// on one side, AttributeType and Value on the other. Pure.
#ifndef CHIMERA_SERVER_VISIBILITY_VALUES_H_
#define CHIMERA_SERVER_VISIBILITY_VALUES_H_

#include <optional>

#include "server/base/types.h"
#include "server/visibility/attributes.h"
#include "server/visibility/query.h"

namespace chimera::server {

// The system's attributes, the predefined ones and a namespace's own. `own` is borrowed.
visibility::TypeOf attribute_types(const AttributeTypes& own);
visibility::AttributeType attribute_type_of(enums::IndexedValueType type);
// None for what is not of the type: an attribute may have been removed and added with another.
// Times are those that filters compare: of milliseconds.
std::optional<visibility::Value> attribute_value(const common::Payload& payload,
                                                 visibility::AttributeType type);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_VISIBILITY_VALUES_H_
