# find_package(chimera): target chimera::sdk, and chimera_add_library() for native libraries.
include(CMakeFindDependencyMacro)
include(${CMAKE_CURRENT_LIST_DIR}/chimera-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/ChimeraAddLibrary.cmake)
