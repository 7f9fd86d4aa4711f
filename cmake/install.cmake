# What a consumer gets: headers as <weft/…>, libraries, weftConfig.cmake, and weft.pc with its like; and Debian packages of them.
if(NOT WEFT_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
set(cmake_directory ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

# Files of targets for each component and kind: a consumer reads those that it asks for.
function(weft_install target component)
  get_target_property(type ${target} TYPE)
  string(REGEX REPLACE "_LIBRARY$" "" kind ${type})
  string(TOLOWER ${kind} kind)
  if(component STREQUAL "exporters")
    set(runtime exporters)
  else()
    set(runtime runtime)
  endif()
  install(TARGETS ${target} EXPORT weft-${component}-${kind} FILE_SET HEADERS
          LIBRARY COMPONENT ${runtime} NAMELINK_COMPONENT development)
  install(EXPORT weft-${component}-${kind} NAMESPACE weft:: DESTINATION ${cmake_directory})
endfunction()

get_property(libraries GLOBAL PROPERTY weft_libraries)
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(target IN LISTS libraries)
  get_target_property(component ${target} EXPORT_NAME)
  weft_install(${target} ${component})
  if(TARGET ${target}_shared)
    weft_install(${target}_shared ${component})
  endif()
  string(REPLACE _ - name ${target})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weftConfig.cmake.in ${PROJECT_BINARY_DIR}/weftConfig.cmake
                              INSTALL_DESTINATION ${cmake_directory})
# Before 1.0 a new minor version may break sources.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weftConfig.cmake ${PROJECT_BINARY_DIR}/weftConfigVersion.cmake DESTINATION ${cmake_directory})

if(PROJECT_IS_TOP_LEVEL)
  include(${PROJECT_SOURCE_DIR}/cmake/debian.cmake)
endif()
