# chimera_room(NAME DEPS...): a static library of all .cc files in the current folder. Which room may depend on which
# is stated once, in tests/tidy/arrows.py, and checked from the #include lines.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)  # `linux` is a macro otherwise.
add_compile_options(-fPIC -pthread)  # Everywhere alike, or the one precompiled header does not fit.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -DCHIMERA_DEV=1")
add_compile_options(-Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers
  $<$<COMPILE_LANGUAGE:CXX>:-Wno-redundant-move>
  -Wno-deprecated-declarations  # Of the API: fields that older servers need.
  -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)  # False alarms of g++ 12 on std::string.
if(CHIMERA_SANITIZER)
  add_compile_options(-fno-omit-frame-pointer -Wno-maybe-uninitialized)  # False alarms where checks are woven in.
endif()
if(CHIMERA_SANITIZER STREQUAL "address")
  # No vptr: libchimera keeps the messages' type information to itself.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  add_link_options(-fsanitize=address,undefined)
elseif(CHIMERA_SANITIZER STREQUAL "thread")
  # Protobuf's headers lay messages out otherwise where they see the compiler's own macro, and Debian's library and ours
  # of the protocol are built without it.
  add_compile_options(-fsanitize=thread -U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1 -DCHIMERA_TSAN=1)
  add_link_options(-fsanitize=thread)
  set(chimera_tsan chimera_tsan)
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-fsanitize=undefined -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  add_link_options(-fsanitize=undefined)
endif()

# The protocol headers, precompiled once for all rooms: parsing them costs seconds a file otherwise.
file(WRITE ${CMAKE_BINARY_DIR}/pch/pch.cc "")
add_library(chimera_pch STATIC ${CMAKE_BINARY_DIR}/pch/pch.cc)
target_link_libraries(chimera_pch PUBLIC chimera::chimera_proto absl::status absl::statusor absl::flat_hash_map
  absl::strings absl::synchronization absl::time absl::any_invocable ${chimera_tsan} Threads::Threads)
target_include_directories(chimera_pch PUBLIC ${CMAKE_SOURCE_DIR})
target_compile_definitions(chimera_pch PUBLIC CHIMERA_VERSION="${PROJECT_VERSION}")
target_compile_options(chimera_pch PUBLIC $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
target_precompile_headers(chimera_pch PRIVATE
  <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view> <variant> <vector>
  <absl/status/status.h> <absl/status/statusor.h> <absl/container/flat_hash_map.h> <absl/strings/str_cat.h>
  <temporal/api/history/v1/message.pb.h> <temporal/api/workflowservice/v1/request_response.pb.h>)

# The rooms' headers for code that is linked with libchimera, which holds the rooms themselves.
add_library(chimera_room_headers INTERFACE)
target_include_directories(chimera_room_headers INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/sdk-cpp/include)
target_include_directories(chimera_room_headers SYSTEM INTERFACE
  $<TARGET_PROPERTY:chimera::chimera_proto,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(chimera_room_headers INTERFACE CHIMERA_VERSION="${PROJECT_VERSION}")
target_compile_options(chimera_room_headers INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
target_link_libraries(chimera_room_headers INTERFACE protobuf::libprotobuf absl::status absl::statusor
  absl::flat_hash_map absl::strings absl::str_format absl::synchronization absl::time absl::any_invocable
  Threads::Threads)

function(chimera_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_precompile_headers(${name} REUSE_FROM chimera_pch)
    target_link_libraries(${name} PUBLIC chimera_pch ${ARGN})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE chimera_pch ${ARGN})
  endif()
  set_property(GLOBAL APPEND PROPERTY CHIMERA_ROOMS ${name})
endfunction()

# chimera_test(NAME [LABEL label] DEPS...): one program of all *_test.cc files in the current folder.
function(chimera_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_precompile_headers(${name} REUSE_FROM chimera_pch)
  target_link_libraries(${name} PRIVATE ${arg_UNPARSED_ARGUMENTS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE CHIMERA_TEST_DATA="${CMAKE_SOURCE_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  if(arg_LABEL)
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL})
  endif()
endfunction()

# chimera_install_stripped(TARGET FOLDER COMPONENT): after its install() goes what only a debugger reads. That lies beside
# it, as the component `debug`, under the name that the stripped file says.
function(chimera_install_stripped target folder component)
  if(CHIMERA_SANITIZER OR NOT CMAKE_OBJCOPY)
    return()
  endif()
  set(debug ${CMAKE_BINARY_DIR}/debug/$<TARGET_FILE_NAME:${target}>.debug)
  set(installed "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}/$<TARGET_FILE_NAME:${target}>")
  install(CODE "
    file(MAKE_DIRECTORY \"${CMAKE_BINARY_DIR}/debug\")
    execute_process(COMMAND \"${CMAKE_OBJCOPY}\" --only-keep-debug \"$<TARGET_FILE:${target}>\" \"${debug}\"
      COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND \"${CMAKE_OBJCOPY}\" --strip-unneeded \"--add-gnu-debuglink=${debug}\" \"${installed}\"
      COMMAND_ERROR_IS_FATAL ANY)
  " COMPONENT ${component})
  install(FILES ${debug} DESTINATION ${folder} COMPONENT debug EXCLUDE_FROM_ALL)
endfunction()
