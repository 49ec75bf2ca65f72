// Names of RPCs that are known at run time only. Any thread.
#ifndef CHIMERA_CORE_RPC_METHOD_NAMES_H_
#define CHIMERA_CORE_RPC_METHOD_NAMES_H_

#include <string>
#include <string_view>

namespace chimera::core {

// The same name for good: transports keep it by reference. There are about 300 names, and none is
// ever let go.
std::string_view interned_method(const std::string& path);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_METHOD_NAMES_H_
