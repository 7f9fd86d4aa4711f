# What ONNX and JavaScript make of exported graphs.
add_executable(weft_export_cases interchange/export_cases.cpp)
target_link_libraries(weft_export_cases PRIVATE weft_exporters weft_test_support)
weft_add_web_test(Interchange.ExportsGiveWhatWeftGives interchange/exports_test.mjs $<TARGET_FILE:weft_export_cases>)
execute_process(COMMAND "${WEFT_PYTHON}" -c "import onnx" RESULT_VARIABLE without_onnx OUTPUT_QUIET ERROR_QUIET)
if(NOT without_onnx EQUAL 0)
  message(STATUS "Test Interchange.OnnxCheckerAcceptsExports is left out: it needs Python 3 with onnx")
else()
  add_test(NAME Interchange.OnnxCheckerAcceptsExports
           COMMAND ${WEFT_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/interchange/check_onnx.py $<TARGET_FILE:weft_export_cases>)
  set_tests_properties(Interchange.OnnxCheckerAcceptsExports PROPERTIES TIMEOUT 600 ENVIRONMENT "${sanitizer_options}")
endif()
weft_add_web_test(Interchange.AnExportedModelGivesWhatTheToolGives interchange/exported_model_test.mjs
                  $<TARGET_FILE:vae> ${PROJECT_SOURCE_DIR}/examples/data/mnist)
