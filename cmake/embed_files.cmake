# Puts files into TARGET as they are, to be found by examples/vae/embedded_files.h. The assembler reads them: a megabyte as an array
# of numbers would keep the compiler busy for a minute.
function(weft_embed_files target)
  set(labels "")
  set(declarations "")
  set(rows "")
  set(number 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    set(label weft_embedded_${number})
    string(APPEND labels "${label}: .incbin \"${file}\"\n${label}_end: .byte 0\n")
    string(APPEND declarations "extern \"C\" [[gnu::visibility(\"hidden\")]] const char ${label}[], ${label}_end[];\n")
    string(APPEND rows "    {\"${name}\", {${label}, static_cast<size_t>(${label}_end - ${label})}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_files.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include "weft/examples/vae/embedded_files.h"

asm(R"(
.pushsection .rodata
@labels@.popsection
)");

@declarations@
namespace weft {

std::span<const EmbeddedFile> EmbeddedFiles() {
  static const EmbeddedFile kFiles[] = {
@rows@  };
  return kFiles;
}

}  // namespace weft
]])
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${ARGN}")
endfunction()
