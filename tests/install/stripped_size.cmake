# The shared core without symbols for debuggers, in at most LIMIT bytes.
file(GLOB_RECURSE library ${PREFIX}/libweft.so)
execute_process(COMMAND ${STRIP} -o ${WORK_DIR}/libweft.stripped ${library} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${WORK_DIR}/libweft.stripped size)
message("libweft.so, stripped: ${size} bytes of ${LIMIT}")
if(size GREATER LIMIT)
  message(FATAL_ERROR "libweft.so, stripped: got ${size} bytes, expected at most ${LIMIT}")
endif()
