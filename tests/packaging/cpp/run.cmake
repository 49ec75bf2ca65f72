# Installs the C++ package, builds a program and a native library against it in a folder of their own, and runs them.
file(REMOVE_RECURSE ${SCRATCH})
macro(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
endmacro()
step(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${SCRATCH}/prefix)
file(COPY ${SOURCE}/program.cc ${SOURCE}/shop.cc ${SOURCE}/old.cc DESTINATION ${SCRATCH}/source)
file(COPY_FILE ${SOURCE}/consumer.cmake ${SCRATCH}/source/CMakeLists.txt)
step(${CMAKE_COMMAND} -S ${SCRATCH}/source -B ${SCRATCH}/build -G Ninja -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix
  -DCMAKE_CXX_COMPILER=${COMPILER})
step(${CMAKE_COMMAND} --build ${SCRATCH}/build)

# What must hold of the files themselves.
execute_process(COMMAND readelf -d ${SCRATCH}/build/libshop.so OUTPUT_VARIABLE needed)
if(needed MATCHES "libchimera")
  message(FATAL_ERROR "a native library must not need libchimera by name:\n${needed}")
endif()
step(${SCRATCH}/build/program ${SCRATCH}/build/libshop.so)
if(NOT output MATCHES "loaded 1 workflow and 1 activity")
  message(FATAL_ERROR "unexpected output:\n${output}")
endif()

# A library built for another version is refused by both versions' names, before its code runs.
step(${SCRATCH}/build/program ${SCRATCH}/build/libold.so)
if(NOT output MATCHES "built for chimera 0\\.0.*this is chimera 0\\.1")
  message(FATAL_ERROR "unexpected output:\n${output}")
endif()
step(${SCRATCH}/build/program ${SOURCE}/run.cmake)
if(NOT output MATCHES "not a shared library")
  message(FATAL_ERROR "unexpected output:\n${output}")
endif()
