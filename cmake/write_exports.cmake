# Writes to FILE what a shared library shows, as a version script for the linker: whatever of namespace weft or of the C API
# has a name that stands in one of HEADERS, comments aside; and no instance of a foreign template.
set(names "")
foreach(header IN LISTS HEADERS)
  file(READ ${header} text)
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*" found "${text}")
  list(APPEND names ${found})
endforeach()
list(REMOVE_DUPLICATES names)
list(SORT names)
list(JOIN names "\n" names)
string(REGEX MATCHALL "weft_[^\n]+" c_names "${names}")  # with semicolons between them
if(c_names)
  string(APPEND c_names ";")
endif()
# A function, or the members of a class.
string(REGEX REPLACE "([^\n]+)" "weft::\\1; weft::\\1[!a-zA-Z0-9_]*;" names "${names}")
file(WRITE ${FILE} "{ global:
${c_names}
extern \"C++\" {
${names}
typeinfo?for?weft::*; typeinfo?name?for?weft::*; vtable?for?weft::*;
}; local: *; };
")
