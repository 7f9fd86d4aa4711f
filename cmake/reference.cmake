# The reference of all public headers, by Doxygen: the target weft_reference, and a test that it gives no warning and that every
# public function says something.
find_program(WEFT_DOXYGEN doxygen)
find_program(WEFT_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT WEFT_DOXYGEN OR NOT WEFT_PYTHON)
  message(STATUS "weft: left out: the reference and its test, without doxygen and python3")
  return()
endif()

set(reference ${PROJECT_BINARY_DIR}/reference)
set(headers "")
get_property(libraries GLOBAL PROPERTY weft_libraries)
foreach(library IN LISTS libraries)
  get_target_property(of_library ${library} WEFT_HEADERS)
  list(APPEND headers ${of_library})
endforeach()
list(FILTER headers EXCLUDE REGEX "^graph/(hash_index|storage)[.]h")  # within Graph, and of no use outside
list(TRANSFORM headers PREPEND ${PROJECT_BINARY_DIR}/include/weft/)
list(JOIN headers " \\\n  " headers)
file(CONFIGURE OUTPUT ${reference}/Doxyfile @ONLY CONTENT [[
@INCLUDE         = @PROJECT_SOURCE_DIR@/docs/Doxyfile
PROJECT_NUMBER   = @PROJECT_VERSION@
OUTPUT_DIRECTORY = @reference@
STRIP_FROM_PATH  = @PROJECT_BINARY_DIR@/include
INPUT_FILTER     = "@WEFT_PYTHON@ -B @PROJECT_SOURCE_DIR@/docs/doxygen_filter.py"
INPUT            = @headers@
]])
set(write ${CMAKE_COMMAND} -D DOXYGEN=${WEFT_DOXYGEN} -D DIRECTORY=${reference} -P ${PROJECT_SOURCE_DIR}/cmake/write_reference.cmake)
add_custom_target(weft_reference COMMAND ${write} COMMENT "Reference: ${reference}/html/index.html" VERBATIM)
add_test(NAME Docs.ReferenceWithoutAWarning COMMAND ${write})
add_test(NAME Docs.EveryPublicFunctionSaysSomething
         COMMAND ${WEFT_PYTHON} -B ${PROJECT_SOURCE_DIR}/tests/docs/reference.py ${reference}/xml)
set_tests_properties(Docs.ReferenceWithoutAWarning PROPERTIES TIMEOUT 300 FIXTURES_SETUP weft_reference)
set_tests_properties(Docs.EveryPublicFunctionSaysSomething PROPERTIES TIMEOUT 60 FIXTURES_REQUIRED weft_reference)
