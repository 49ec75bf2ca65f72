// Native libraries: workflows, activities and Nexus services in a shared object that the program
// `chimera worker` and the Python Worker load.
//   CHIMERA_LIBRARY(library) { library.add(kOrder).add_activity<&charge_card>("charge_card"); }
// Such a library is not linked with libchimera (CMake: chimera_add_library): it finds the one in
// the process that loads it.
#ifndef CHIMERA_LIBRARY_H_
#define CHIMERA_LIBRARY_H_

#include "chimera/activity.h"
#include "chimera/nexus.h"
#include "chimera/workflow.h"

// What a library was built for; a loader of another number refuses it. Changes whenever these
// headers' ABI does.
#define CHIMERA_LIBRARY_VERSION "0.1"

// The ELF note (owner "Chimera", type 1) is readable from the file before any code of it runs.
#define CHIMERA_LIBRARY(registry)                                                                 \
  static void chimera_library_define(::chimera::Registry& registry);                              \
  namespace chimera_library {                                                                     \
  struct Note {                                                                                   \
    unsigned int name_size = 8, text_size = sizeof(CHIMERA_LIBRARY_VERSION), type = 1;            \
    char name[8] = "Chimera";                                                                     \
    char text[sizeof(CHIMERA_LIBRARY_VERSION)] = CHIMERA_LIBRARY_VERSION;                         \
  };                                                                                              \
  [[gnu::section(".note.chimera"), gnu::used, gnu::aligned(4)]] static constinit const Note note; \
  }                                                                                               \
  extern "C" [[gnu::visibility("default")]] void chimera_library_v1(::chimera::Registry* into) {  \
    chimera_library_define(*into);                                                                \
  }                                                                                               \
  static void chimera_library_define(::chimera::Registry& registry)

extern "C" void chimera_library_v1(::chimera::Registry* into);

#endif  // CHIMERA_LIBRARY_H_
