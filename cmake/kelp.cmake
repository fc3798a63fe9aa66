# The project's own build vocabulary: kelp_library, kelp_program, kelp_tests, kelp_fuzz.

add_library(kelp_options INTERFACE)
target_compile_options(kelp_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -fno-strict-aliasing -fvisibility-inlines-hidden)
if(KELP_WERROR)
  target_compile_options(kelp_options INTERFACE -Werror)
endif()
target_include_directories(kelp_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(KELP_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(KELP_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(KELP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(KELP_LINKER NAMES mold ld.lld)
if(KELP_LINKER MATCHES "mold$")
  add_link_options(-fuse-ld=mold)
elseif(KELP_LINKER MATCHES "lld$")
  add_link_options(-fuse-ld=lld)
endif()

# kelp_library(NAME SOURCES ... [LINK ...]): the target kelp_NAME of one src/ folder. LINK takes
# PUBLIC and PRIVATE as target_link_libraries does.
function(kelp_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(kelp_${name} STATIC ${arg_SOURCES})
  target_link_libraries(kelp_${name} PUBLIC kelp_options Threads::Threads)
  if(arg_LINK)
    target_link_libraries(kelp_${name} ${arg_LINK})
  endif()
endfunction()

# kelp_program(NAME SOURCES ... LINK ...): the executable NAME, in the build's bin/ folder.
function(kelp_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kelp_options ${arg_LINK})
  target_compile_definitions(${name} PRIVATE KELP_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# kelp_tests(LIBRARY sources... [LINK libraries...]): one test program kelp_LIBRARY_test, one ctest
# entry for each test suite member found by running it.
function(kelp_tests name)
  if(NOT KELP_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_executable(kelp_${name}_test ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(kelp_${name}_test PRIVATE kelp_${name} ${arg_LINK} GTest::gtest_main)
  add_test(NAME unit.${name} COMMAND kelp_${name}_test)
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300
    ENVIRONMENT "KELP_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endfunction()

# kelp_fuzz(NAME SOURCE [LINK libraries...]): the fuzz target NAME. With KELP_FUZZ it is a libFuzzer
# program; otherwise a small driver runs it over its seeds in tests/corpus/NAME as a test.
function(kelp_fuzz name source)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  if(KELP_FUZZ)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${arg_LINK})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  elseif(KELP_TESTS)
    add_executable(${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz_driver.cc)
    target_link_libraries(${name} PRIVATE ${arg_LINK})
    add_test(NAME fuzz.${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
endfunction()
