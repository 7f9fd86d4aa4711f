# Debian packages, by `cpack -G DEB`: libweft0.1 (weft and weft::models), libweft-exporters0.1, and libweft-dev, what compilers
# need. Configured with CMAKE_INSTALL_PREFIX=/usr libraries go where Debian wants them, /usr/lib/x86_64-linux-gnu.
set(abi ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(same_version "(= ${PROJECT_VERSION})")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the maintainers of weft <weft@invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/examples/exporters)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libweft${abi})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Graphs, layers, models and their training, for C++ and C.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libweft-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libweft${abi} ${same_version}, libhwy-dev, libtbb-dev, libfmt-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "zlib1g-dev, libprotobuf-dev, libonnx-dev")  # of a program that links to the static exporters
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Headers, static libraries, and what CMake and pkg-config read.")

if(TARGET weft_exporters)
  list(APPEND CPACK_COMPONENTS_ALL exporters)
  set(CPACK_DEBIAN_EXPORTERS_PACKAGE_NAME libweft-exporters${abi})
  set(CPACK_DEBIAN_EXPORTERS_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_EXPORTERS_PACKAGE_DEPENDS "libweft${abi} ${same_version}")
  set(CPACK_COMPONENT_EXPORTERS_DESCRIPTION "Graphs, weights and logs as other tools read them.")
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libweft-exporters${abi} ${same_version}")
endif()
include(CPack)
