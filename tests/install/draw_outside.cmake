# Builds the project in SOURCE_DIR and lets it draw a picture from a checkpoint that TOOL has trained in 16 steps: enough for
# something round in the middle.
include(${CMAKE_CURRENT_LIST_DIR}/build_outside.cmake)
execute_process(COMMAND ${TOOL} train --epochs 1 --validation 58000 --out ${BUILD_DIR}/run COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BUILD_DIR}/draw ${BUILD_DIR}/run/model-16.safetensors OUTPUT_VARIABLE picture
                COMMAND_ERROR_IS_FATAL ANY)
message("${picture}")

string(REGEX MATCHALL "[^\n]*\n" rows "${picture}")
list(LENGTH rows height)
foreach(row IN LISTS rows)
  string(LENGTH "${row}" width)
  if(NOT width EQUAL 29)  # with its newline
    message(FATAL_ERROR "draw: printed a row of ${width} characters, expected 28 and a newline")
  endif()
endforeach()
if(NOT height EQUAL 28)
  message(FATAL_ERROR "draw: printed ${height} rows, expected 28")
endif()
list(GET rows 0 top)
if(NOT top MATCHES "^ +\n$" OR NOT picture MATCHES "[+*#%@]")
  message(FATAL_ERROR "draw: expected ink in the middle and none above")
endif()
