# Turns files into a .cc that holds their bytes.
#   cmake -DOUTPUT=x.cc -DFUNCTION=ConsoleFiles -DFILES=a;b -P embed.cmake
set(code "#include \"server/embedded.h\"\n\n#include <array>\n\nnamespace kelp::server {\nnamespace {\n\n")
set(table "")
set(count 0)
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  # An array, not a string literal: the standard bounds the length of those.
  string(APPEND code "const unsigned char kFile${count}[] = {${bytes}0};\n")
  string(APPEND table
    "    {\"${name}\", {reinterpret_cast<const char*>(kFile${count}), ${size}}},\n")
  math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
  string(APPEND code "}  // namespace\n\nstd::span<const EmbeddedFile> ${FUNCTION}() { return {}; }\n\n")
else()
  string(APPEND code "const std::array<EmbeddedFile, ${count}> kFiles = {{\n${table}}};\n\n}  // namespace\n\n"
    "std::span<const EmbeddedFile> ${FUNCTION}() { return kFiles; }\n\n")
endif()
string(APPEND code "}  // namespace kelp::server\n")
file(WRITE ${OUTPUT} "${code}")
