# The programs that read and write what weft does. A test whose program is missing is left out, and named.
find_program(WEFT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)  # Debian's own: the modules are packages of it

# `tests`: names of files in this folder, without _test.cpp; the rest: Python modules.
function(weft_tests_need_python tests)
  list(JOIN ARGN ", " modules)
  execute_process(COMMAND "${WEFT_PYTHON}" -c "import ${modules}" RESULT_VARIABLE is_missing OUTPUT_QUIET ERROR_QUIET)
  if(NOT is_missing EQUAL 0)
    message(STATUS "tests/interchange: without ${tests}, for want of Python 3 with ${modules}")
    foreach(test ${tests})
      string(APPEND left_out "|/interchange/${test}_test.cpp$")
    endforeach()
    set(left_out "${left_out}" PARENT_SCOPE)
  endif()
endfunction()

weft_tests_need_python("npy" numpy)
weft_tests_need_python("event_file;trace;training_log" json)
