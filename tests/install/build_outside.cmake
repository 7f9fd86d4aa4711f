# Builds the project in SOURCE_DIR, which knows nothing of this tree, in BUILD_DIR.
file(REMOVE_RECURSE ${BUILD_DIR})
execute_process(COMMAND ${CMAKE_COMMAND} -C ${CACHE} -S ${SOURCE_DIR} -B ${BUILD_DIR} -G ${GENERATOR}
                COMMAND_ERROR_IS_FATAL ANY)
load_cache(${BUILD_DIR} READ_WITH_PREFIX found_ weft_DIR)
cmake_path(IS_PREFIX PREFIX "${found_weft_DIR}" is_ours)
if(NOT is_ours)
  message(FATAL_ERROR "find_package(weft): found it in ${found_weft_DIR}, expected ${PREFIX}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD_DIR} COMMAND_ERROR_IS_FATAL ANY)
