// Registers nothing yet: these methods answer UNIMPLEMENTED.
#include "server/service/handlers.h"

namespace chimera::server {
void register_operator(MethodTable&) {}
}  // namespace chimera::server
