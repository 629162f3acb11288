# kindred_add_test(FILE [SOURCES file...] [LINK target...] [TIMEOUT seconds])
#
# A doctest program from FILE (and further sources), named for it, as one test. test_paths.h tells tests where the
# source and build trees are. Those in KINDRED_THREADED_TESTS have the label "threads" and are built by the target
# threaded_tests.
function(kindred_add_test file)
  get_filename_component(name "${file}" NAME_WE)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")
  endif()
  add_executable(${name} "${file}" ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE test_main ${arg_LINK})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_BINARY_DIR}/tests/generated")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/bin")
  kindred_compile_options(${name})
  kindred_use_torch_header(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  if(name IN_LIST KINDRED_THREADED_TESTS)
    set_tests_properties(${name} PROPERTIES LABELS threads)
    add_dependencies(threaded_tests ${name})
  endif()
endfunction()

file(WRITE "${CMAKE_BINARY_DIR}/tests/generated/test_paths.h.new" "// Generated: where tests find what they need.
#pragma once
namespace kindred::test {
inline constexpr const char* source_directory = \"${CMAKE_SOURCE_DIR}\";
inline constexpr const char* build_directory = \"${CMAKE_BINARY_DIR}\";
inline constexpr const char* golden_directory = \"${CMAKE_SOURCE_DIR}/tests/golden\";
inline constexpr const char* launcher = \"${CMAKE_BINARY_DIR}/bin/kindred\";
}  // namespace kindred::test
")
configure_file("${CMAKE_BINARY_DIR}/tests/generated/test_paths.h.new"
               "${CMAKE_BINARY_DIR}/tests/generated/test_paths.h" COPYONLY)
