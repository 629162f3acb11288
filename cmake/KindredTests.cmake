# kindred_add_test(NAME [SOURCES file...] [LINK target...] [TIMEOUT seconds])
#
# A doctest program NAME from NAME.cpp (and further sources), as one test. Tests find their files by the
# definitions-free header paths.h.in: see test_paths.h.
function(kindred_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${name}.cpp ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE test_main ${arg_LINK})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_BINARY_DIR}/tests/generated")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/bin")
  kindred_compile_options(${name})
  kindred_use_torch_header(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
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
