# The target `package`: one Debian package of the SDK and the programs, which names the
# packages that it needs by what its files are linked with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME chimera)
set(CPACK_PACKAGE_CONTACT "The maintainers of chimera <maintainers@chimera.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Workers of the Temporal service in C++, and an embedded server")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "g++ (>= 4:12)")
set(CPACK_STRIP_FILES OFF)  # They are installed stripped, with links to what was taken off.
include(CPack)
