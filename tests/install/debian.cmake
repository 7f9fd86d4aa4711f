# Makes the Debian packages and looks into them: what they hold, and what they depend on.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE ${WORK_DIR})
execute_process(COMMAND ${CPACK} --config ${CONFIG_FILE} -G DEB -C ${CONFIG} -B ${WORK_DIR} OUTPUT_VARIABLE said ERROR_VARIABLE said
                RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cpack: ended with ${result}, saying\n${said}")
endif()

# weft_check_package(PACKAGE DEPENDS pattern… HOLDS pattern… LACKS pattern…)
function(weft_check_package package)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;HOLDS;LACKS")
  file(GLOB file ${WORK_DIR}/${package}_${VERSION}_*.deb)
  execute_process(COMMAND ${DPKG_DEB} --field ${file} Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${DPKG_DEB} --contents ${file} OUTPUT_VARIABLE contents COMMAND_ERROR_IS_FATAL ANY)
  foreach(pattern IN LISTS arg_DEPENDS)
    if(NOT depends MATCHES "${pattern}")
      message(FATAL_ERROR "${package}: depends on ${depends}, expected ${pattern} among them")
    endif()
  endforeach()
  foreach(pattern IN LISTS arg_HOLDS)
    if(NOT contents MATCHES " [.]/usr/${pattern}")
      message(FATAL_ERROR "${package}: holds no file ${pattern}:\n${contents}")
    endif()
  endforeach()
  foreach(pattern IN LISTS arg_LACKS)
    if(contents MATCHES " [.]/usr/[^\n]*${pattern}")
      message(FATAL_ERROR "${package}: holds ${pattern}, which it should not:\n${contents}")
    endif()
  endforeach()
  message("${package}: ${depends}")
endfunction()

string(REPLACE . "[.]" so "${ABI}")
weft_check_package(libweft${ABI} DEPENDS libc6 libstdc[+][+]6 libhwy libtbb libfmt
                   HOLDS "lib[^\n]*/libweft[.]so[.]${so}\n?" "lib[^\n]*/libweft_models[.]so[.]${so}"
                   LACKS "[.]h\n" "[.]a\n" "exporters")
set(dev_depends "libweft${ABI} [(]= ${VERSION}[)]" libhwy-dev libtbb-dev libfmt-dev)
if(WITH_EXPORTERS)
  weft_check_package(libweft-exporters${ABI} DEPENDS "libweft${ABI} [(]= ${VERSION}[)]"
                     HOLDS "lib[^\n]*/libweft_exporters[.]so[.]${so}" LACKS "libweft[.]" "libweft_models")
  list(APPEND dev_depends "libweft-exporters${ABI} [(]= ${VERSION}[)]")
endif()
weft_check_package(libweft-dev DEPENDS ${dev_depends}
                   HOLDS include/weft/graph/graph.h include/weft/models/c_api.h "lib[^\n]*/libweft[.]a"
                         "lib[^\n]*/libweft[.]so -> libweft" "lib[^\n]*/cmake/weft/weftConfig.cmake"
                         "lib[^\n]*/pkgconfig/weft-models.pc"
                   LACKS "[.]so[.]${so}[.][0-9]+\n" "ops/simd")
