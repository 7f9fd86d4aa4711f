# Builds PROGRAM of SOURCE outside of this tree and lets it draw a picture from CHECKPOINT, of a model that was trained in 16
# steps: enough for something round in the middle.
include(${CMAKE_CURRENT_LIST_DIR}/outside.cmake)
weft_build_outside(${PROGRAM} ${SOURCE})
execute_process(COMMAND ${BUILD_DIR}/${PROGRAM} ${CHECKPOINT} OUTPUT_VARIABLE picture COMMAND_ERROR_IS_FATAL ANY)
message("${picture}")

string(REGEX MATCHALL "[^\n]*\n" rows "${picture}")
list(LENGTH rows height)
foreach(row IN LISTS rows)
  string(LENGTH "${row}" width)
  if(NOT width EQUAL 29)  # with its newline
    message(FATAL_ERROR "${PROGRAM}: printed a row of ${width} characters, expected 28 and a newline")
  endif()
endforeach()
if(NOT height EQUAL 28)
  message(FATAL_ERROR "${PROGRAM}: printed ${height} rows, expected 28")
endif()
list(GET rows 0 top)
if(NOT top MATCHES "^ +\n$" OR NOT picture MATCHES "[+*#%@]")
  message(FATAL_ERROR "${PROGRAM}: expected ink in the middle and none above")
endif()
