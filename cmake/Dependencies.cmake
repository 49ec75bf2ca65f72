# Everything comes from Debian 12's packages (scripts/setup installs them) and from the shared build of proto/.
find_package(Protobuf REQUIRED)  # Module mode and before gRPC: Debian ships no config file for it.
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(Boost 1.74 CONFIG REQUIRED COMPONENTS context)
find_package(spdlog CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(Threads REQUIRED)

# Comes with GCC, as a rule; reports name lines of source with it, functions without.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES backtrace)
check_cxx_source_compiles("#include <backtrace.h>
  int main() { return backtrace_create_state(nullptr, 1, nullptr, nullptr) == nullptr; }" CHIMERA_BACKTRACE)
unset(CMAKE_REQUIRED_LIBRARIES)

if(NOT EXISTS ${CHIMERA_PROTO_BUILD}/libchimera_proto.a)
  message(FATAL_ERROR "No protocol library in ${CHIMERA_PROTO_BUILD}. Run scripts/setup first, "
    "or point CHIMERA_PROTO_BUILD at a build of proto/.")
endif()
include(${CHIMERA_PROTO_BUILD}/chimera_proto.cmake)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
