# Writes a C++ source that holds the files of FOLDER: cmake -D FOLDER=... -D OUTPUT=... -P this.
# A file's bytes become the elements of an array, so that any content will do.
file(GLOB_RECURSE PATHS RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT PATHS)

set(ARRAYS "")
set(TABLE "")
set(NUMBER 0)
foreach(PATH IN LISTS PATHS)
  file(READ ${FOLDER}/${PATH} HEX HEX)
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
