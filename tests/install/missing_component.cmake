# A project that asks for a component that is not there is told so.
file(REMOVE_RECURSE ${BUILD_DIR})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${BUILD_DIR} -G ${GENERATOR} -D CMAKE_PREFIX_PATH=${PREFIX}
                        -D CMAKE_CXX_COMPILER=${CXX} RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE said)
string(REGEX REPLACE "[ \n]+" " " said "${said}")
if(result EQUAL 0 OR NOT said MATCHES "component telescopes: not installed in .*, expected one of: weft models exporters")
  message(FATAL_ERROR "find_package(weft COMPONENTS models telescopes): ended with ${result}, saying\n${said}")
endif()
