# Installs the npm packages of MANIFEST, exactly those of its lock file, to the folder TO, without their scripts; does
# nothing if that was done before. OMIT=dev leaves out what only tests need.
file(MAKE_DIRECTORY ${TO})
file(LOCK ${TO} DIRECTORY GUARD PROCESS)

get_filename_component(from ${MANIFEST} DIRECTORY)
file(SHA256 ${from}/package-lock.json wanted)
set(stamp ${TO}/installed.txt)
if(EXISTS ${stamp})
  file(READ ${stamp} installed)
  if(installed STREQUAL wanted)
    return()
  endif()
  file(REMOVE ${stamp})
endif()

file(COPY ${from}/package.json ${from}/package-lock.json DESTINATION ${TO})
if(OMIT)
  set(omit --omit=${OMIT})
endif()
execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error ${omit}
                WORKING_DIRECTORY ${TO} RESULT_VARIABLE result OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "npm ci: ${TO}: ended with ${result}\n${text}")
endif()
file(WRITE ${stamp} ${wanted})
