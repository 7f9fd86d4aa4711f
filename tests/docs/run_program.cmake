# Runs PROGRAM, which must end without an error and print exactly what is in the file EXPECTED.
file(READ ${EXPECTED} expected)
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM}: ended with ${result}, having printed\n${printed}")
endif()
if(NOT "${printed}" STREQUAL "${expected}")
  message(FATAL_ERROR "${PROGRAM}: printed\n${printed}\nexpected\n${expected}")
endif()
