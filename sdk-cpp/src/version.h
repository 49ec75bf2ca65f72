// What this SDK calls itself on the wire.
#ifndef CHIMERA_SDK_CPP_SRC_VERSION_H_
#define CHIMERA_SDK_CPP_SRC_VERSION_H_

namespace chimera::sdk {

inline constexpr char kSdkName[] = "chimera-cpp";
inline constexpr char kSdkVersion[] = CHIMERA_VERSION;

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_VERSION_H_
