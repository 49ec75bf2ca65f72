// Which sanitizer this is built with; fibers must tell it about each switch.
#ifndef CHIMERA_SDK_CPP_SRC_SANITIZERS_H_
#define CHIMERA_SDK_CPP_SRC_SANITIZERS_H_

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define CHIMERA_ASAN 1
#endif
#if defined(CHIMERA_TSAN)  // By the preset, which hides the compiler's own macro from protobuf.
#include <sanitizer/tsan_interface.h>
#endif

#endif  // CHIMERA_SDK_CPP_SRC_SANITIZERS_H_
