# What holds for every library of weft: how its headers are included, its kinds, and what a shared one shows.
include(GNUInstallDirs)

# Headers are included as <weft/graph/graph.h>, in the tree as after installation: one link a folder.
file(REMOVE ${PROJECT_BINARY_DIR}/include/weft)  # a link, in build folders of earlier days
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/weft)
foreach(folder graph ops autodiff models examples tests)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/include/weft/${folder} SYMBOLIC)
endforeach()
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/examples/exporters ${PROJECT_BINARY_DIR}/include/weft/exporters SYMBOLIC)

# Headers that consumers may not include: the rooms of the compiler, and what ops, runs and exporters are made of.
set(weft_internal_headers
    "graph/(boost_graph|views/picture)"
    "graph/compile/(blocks|chain|combine|emit|iteration_space|layout|memory_plan|partition|schedule|strips)"
    "graph/runtime/(block_program|executor|foreign_format|panels|safetensors_header|workspace)"
    "ops/((fused|layout|random|reduction|simd)/.*|element_blocks)"
    "models/(c_api_handles|text/.*|training/(fit_progress|generation_index))"
    "exporters/(exported_ops|layer_patterns|npy_header|onnx_node|onnx_rules|script_[a-z]+|stored_value|zip)")

# All other headers of these folders, below weft/. What they declare is exported, and nothing else.
function(weft_public_headers result)
  set(headers "")
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE found RELATIVE ${PROJECT_BINARY_DIR}/include/weft CONFIGURE_DEPENDS FOLLOW_SYMLINKS
         ${PROJECT_BINARY_DIR}/include/weft/${folder}/*.h)
    list(APPEND headers ${found})
  endforeach()
  list(JOIN weft_internal_headers "|" internal)
  list(FILTER headers EXCLUDE REGEX "^(${internal})[.]h$")
  set(${result} ${headers} PARENT_SCOPE)
endfunction()

# weft_library(TARGET COMPONENT component [ON target] HEADERS header…): weft::component, which links to `ON`, and so do its
# consumers.
function(weft_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT;ON" "HEADERS")
  add_library(weft::${arg_COMPONENT} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_COMPONENT} WEFT_ON "${arg_ON}" WEFT_HEADERS "${arg_HEADERS}"
                                             UNITY_BUILD OFF)  # every op file includes itself once a SIMD target
  list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_BINARY_DIR}/include/weft/)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${arg_HEADERS})
  weft_give_usage(${target} ${arg_ON})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:weft_options> fmt::fmt)
  set_property(GLOBAL APPEND PROPERTY weft_libraries ${target})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY")
    weft_make_shared(${target} ${target})
  endif()
endfunction()

# What consumers of a library of either kind get.
function(weft_give_usage target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${ARGN})
endfunction()

# A shared library shows what the public headers of `described` declare. Before 1.0 each minor version may break binaries.
function(weft_make_shared target described)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                                             INSTALL_RPATH $ORIGIN)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    return()
  endif()
  get_target_property(headers ${described} WEFT_HEADERS)
  list(TRANSFORM headers PREPEND ${PROJECT_BINARY_DIR}/include/weft/)
  set(exports ${CMAKE_CURRENT_BINARY_DIR}/${target}.exports)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write_exports.cmake)
  add_custom_command(OUTPUT ${exports} VERBATIM COMMENT "What ${target} shows" DEPENDS ${headers} ${script}
                     COMMAND ${CMAKE_COMMAND} -D FILE=${exports} -D "HEADERS=${headers}" -P ${script})
  target_sources(${target} PRIVATE ${exports})
  target_link_options(${target} PRIVATE LINKER:--version-script=${exports} LINKER:-Bsymbolic-functions LINKER:--gc-sections)
  if(NOT WEFT_SANITIZE)  # whose functions only a program has
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${exports})
endfunction()

# With WEFT_BOTH_KINDS a shared library of the same objects. To be called when all is said of the static one.
function(weft_add_shared_twin target)
  if(NOT WEFT_BOTH_KINDS)
    return()
  endif()
  get_target_property(on ${target} WEFT_ON)
  get_target_property(component ${target} EXPORT_NAME)
  get_target_property(linked ${target} LINK_LIBRARIES)
  list(TRANSFORM linked REPLACE "^${on}$" "${on}_shared")
  list(TRANSFORM on APPEND _shared)
  add_library(${target}_shared SHARED $<TARGET_OBJECTS:${target}>)
  set_target_properties(${target}_shared PROPERTIES EXPORT_NAME ${component} OUTPUT_NAME ${target} LINKER_LANGUAGE CXX)
  weft_give_usage(${target}_shared ${on})
  target_link_libraries(${target}_shared PRIVATE ${linked})
  weft_make_shared(${target}_shared ${target})
endfunction()
