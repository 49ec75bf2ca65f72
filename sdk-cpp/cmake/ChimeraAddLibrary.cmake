# chimera_add_library(NAME sources...): a native library of workflows and activities, libNAME.so, for `chimera worker` and
# for Python's Worker. It is compiled against chimera::sdk but not linked with it: the libchimera of the process that
# loads it, whatever its file is called there, resolves its calls.
function(chimera_add_library name)
  add_library(${name} MODULE ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE $<TARGET_PROPERTY:chimera::sdk,INTERFACE_COMPILE_OPTIONS>)
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:chimera::sdk,INTERFACE_INCLUDE_DIRECTORIES>)
  set_target_properties(${name} PROPERTIES PREFIX lib POSITION_INDEPENDENT_CODE ON)
endfunction()
