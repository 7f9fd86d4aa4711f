# Configures weft without the packages that only some parts need: each part that is left out is named in one line, and the core
# remains. With TARGETS it is built, and its tests pass.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE ${BUILD_DIR})
set(without "")
foreach(package CLI11 Protobuf PkgConfig Python3 ZLIB)
  list(APPEND without -D CMAKE_DISABLE_FIND_PACKAGE_${package}=ON)
endforeach()
foreach(program WEFT_CHROMIUM WEFT_DOXYGEN WEFT_NODE WEFT_NPM WEFT_PYTHON)
  list(APPEND without -D ${program}=OFF)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${BUILD_DIR} -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX}
                        -D WEFT_DEVELOPER_MODE=ON -D CMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS=${FLAGS}" ${without}
                RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cmake: ended with ${result}, saying\n${said}")
endif()
foreach(line "weft::exporters, not found: ZLIB, Protobuf" "vae, the command-line tool, not found: CLI11, ZLIB, cairo, exporters"
             "tests of vae, benchmarks and fuzzers, without vae" "the reference and its test, without doxygen and python3")
  if(NOT said MATCHES "-- weft: left out: ${line}")
    message(FATAL_ERROR "cmake: said nothing of what is left out, expected '${line}' in\n${said}")
  endif()
endforeach()

if(TARGETS)
  separate_arguments(TARGETS)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD_DIR} --parallel ${JOBS} --target ${TARGETS} COMMAND_ERROR_IS_FATAL ANY)
  foreach(folder graph ops autodiff models)
    execute_process(COMMAND ${BUILD_DIR}/tests/weft_${folder}_tests --gtest_brief=1 WORKING_DIRECTORY ${BUILD_DIR}/tests
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endif()
