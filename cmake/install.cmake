# What a consumer gets: the library, its headers as <weft/…>, and weftConfig.cmake.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

file(GLOB_RECURSE public_headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS graph/*.h ops/*.h autodiff/*.h models/*.h)
list(FILTER public_headers EXCLUDE REGEX "^ops/simd/")  # Highway code is ours alone
list(TRANSFORM public_headers PREPEND ${PROJECT_BINARY_DIR}/include/weft/)
target_sources(weft PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${public_headers})

install(TARGETS weft weft_models EXPORT weft FILE_SET HEADERS)
install(EXPORT weft NAMESPACE weft:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weftConfig.cmake.in ${PROJECT_BINARY_DIR}/weftConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weftConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weftConfig.cmake ${PROJECT_BINARY_DIR}/weftConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
