// Registers nothing yet: these methods answer UNIMPLEMENTED.
#include "server/service/handlers.h"

namespace chimera::server {
void register_visibility(MethodTable&) {}
}  // namespace chimera::server
