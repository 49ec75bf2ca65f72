// What runs in Python report of their SDK. A name of our own: temporal-python 0.1.0 is another one.
#ifndef CHIMERA_BINDINGS_PYTHON_VERSION_H_
#define CHIMERA_BINDINGS_PYTHON_VERSION_H_

namespace chimera::bindings {

inline constexpr const char* kName = "chimera-python";
inline constexpr const char* kVersion = CHIMERA_VERSION;  // From CMake's project().

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_VERSION_H_
