# Writes a C++ source that holds the files of some folders:
#   cmake -D "FOLDERS=FOLDER=PREFIX|FOLDER=PREFIX" -D OUTPUT=... -P this
# PREFIX is where the folder's files are served, such as "js/". A file's bytes become the elements of an array,
# so that any content will do. What only developers read is left out.
string(REPLACE "|" ";" FOLDERS "${FOLDERS}")

set(FILES "")  # Each as "served path=file", sorted.
foreach(FOLDER_AND_PREFIX IN LISTS FOLDERS)
  string(REGEX MATCH "^(.*)=(.*)$" _ "${FOLDER_AND_PREFIX}")
  set(FOLDER "${CMAKE_MATCH_1}")
  set(PREFIX "${CMAKE_MATCH_2}")
  file(GLOB_RECURSE PATHS RELATIVE ${FOLDER} ${FOLDER}/*)
  list(FILTER PATHS EXCLUDE REGEX "(README\\.md|\\.d\\.ts)$")
  foreach(PATH IN LISTS PATHS)
    list(APPEND FILES "${PREFIX}${PATH}=${FOLDER}/${PATH}")
  endforeach()
endforeach()
list(SORT FILES)

set(ARRAYS "")
set(TABLE "")
set(NUMBER 0)
foreach(PATH_AND_FILE IN LISTS FILES)
  string(REGEX MATCH "^([^=]*)=(.*)$" _ "${PATH_AND_FILE}")
  set(PATH "${CMAKE_MATCH_1}")
  file(READ "${CMAKE_MATCH_2}" HEX HEX)
  string(LENGTH "${HEX}" DIGITS)
  math(EXPR SIZE "${DIGITS} / 2")
  # A zero more, since an array has at least one element.
  string(REGEX REPLACE "(..)" "0x\\1," BYTES "${HEX}00")
  string(APPEND ARRAYS "constexpr unsigned char kFile${NUMBER}[] = {${BYTES}};\n")
  string(APPEND TABLE "    {\"${PATH}\", Text(kFile${NUMBER}, ${SIZE})},\n")
  math(EXPR NUMBER "${NUMBER} + 1")
endforeach()

file(WRITE ${OUTPUT}.new "// Written by embed_files.cmake.
#include <vector>

#include \"server/web/static_files.h\"

namespace millrace::server {
namespace {

${ARRAYS}
[[maybe_unused]] std::string_view Text(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

absl::Span<const StaticFile> ConsoleFiles() {
  static const auto& files = *new std::vector<StaticFile>{
${TABLE}  };
  return files;
}

}  // namespace millrace::server
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
