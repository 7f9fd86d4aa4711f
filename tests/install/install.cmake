# Installs what is built in BUILD_DIR and moves it to PREFIX, where nothing is left of an earlier time. PREFIX-static holds the
# same without shared libraries.
file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-static ${PREFIX}-before)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${PREFIX}-before --config "${CONFIG}"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${PREFIX}-before ${PREFIX})
file(COPY ${PREFIX}/ DESTINATION ${PREFIX}-static)
file(GLOB_RECURSE shared ${PREFIX}-static/*.so* ${PREFIX}-static/*-shared*.cmake)
file(REMOVE ${shared})

file(GLOB_RECURSE texts ${PREFIX}/*.cmake ${PREFIX}/*.pc)
foreach(file IN LISTS texts)
  file(STRINGS ${file} lines REGEX "${PREFIX}|${BUILD_DIR}")
  if(lines)
    message(FATAL_ERROR "${file}: names a folder of this machine, expected paths from where it lies:\n${lines}")
  endif()
endforeach()
