// What a list filter sees of a run. Loop thread.
#ifndef CHIMERA_SERVER_VISIBILITY_ROW_H_
#define CHIMERA_SERVER_VISIBILITY_ROW_H_

#include "server/engine/run.h"
#include "server/visibility/query.h"

namespace chimera::server {

// The namespace's attributes, as the parser asks for them.
visibility::TypeOf attribute_types(const Namespace& ns);
// The run's value of an attribute; none if it has none (an open run has no CloseTime).
std::optional<visibility::Value> row_value(const Run& run, std::string_view name);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_VISIBILITY_ROW_H_
