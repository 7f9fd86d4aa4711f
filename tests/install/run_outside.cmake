# Builds PROGRAM of SOURCE outside of this tree; it must end without an error.
include(${CMAKE_CURRENT_LIST_DIR}/outside.cmake)
weft_build_outside(${PROGRAM} ${SOURCE})
execute_process(COMMAND ${BUILD_DIR}/${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
