// The version that this build of the bridge reports.
#ifndef CHIMERA_BINDINGS_PYTHON_VERSION_H_
#define CHIMERA_BINDINGS_PYTHON_VERSION_H_

namespace chimera::bindings {

inline constexpr const char* kVersion = CHIMERA_VERSION;  // From CMake's project().

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_VERSION_H_
