# Runs DOXYGEN in DIRECTORY, where its Doxyfile is and nothing is left of an earlier time.
file(REMOVE_RECURSE ${DIRECTORY}/html ${DIRECTORY}/xml)
execute_process(COMMAND ${DOXYGEN} ${DIRECTORY}/Doxyfile RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "doxygen: ended with ${result}, having said what is wrong above")
endif()
