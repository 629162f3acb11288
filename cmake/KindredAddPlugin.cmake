# kindred_add_plugin(NAME [SOURCES file...] [TESTS file...])
#
# Builds a plugin library NAME.so from plugin.cpp (which says KINDRED_PLUGIN) and further sources. Serves the
# plugins of this tree and those outside alike; the targets are NAME_plugin and, where there are further
# sources, NAME_objects, which tests link. Each file of TESTS, which has doctest's cases and no main(), becomes a
# program and a test of its name, if doctest is installed.
#
# Set by Kindred's own build, and free to be set elsewhere before the call:
#   KINDRED_PLUGIN_OUTPUT_DIRECTORY   where the library is put while building; else CMake's usual place
#   KINDRED_PLUGIN_INSTALL_DIRECTORY  where `cmake --install` puts it, relative to the prefix; else nowhere
#   KINDRED_PCH                       OFF: LibTorch's headers are not precompiled
include_guard(GLOBAL)
set(KINDRED_EXPORT_MAP "${CMAKE_CURRENT_LIST_DIR}/kindred_plugin.map" CACHE INTERNAL "")
set(KINDRED_PCH_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "")

# How a plugin's targets are compiled, whoever builds them.
function(kindred_plugin_properties target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON DEFINE_SYMBOL "")
endfunction()

# Sets `result` to whether the files include a header of LibTorch, by way of headers beside them or of Kindred's too.
function(kindred_include_torch result)
  get_target_property(folders Kindred::plugin_api INTERFACE_INCLUDE_DIRECTORIES)
  list(PREPEND folders "${CMAKE_CURRENT_SOURCE_DIR}")
  set(seen "")
  set(files ${ARGN})
  while(files)
    list(POP_FRONT files file)
    list(APPEND seen "${file}")
    if(NOT EXISTS "${file}")
      continue()  # made while building
    endif()
    get_filename_component(own_folder "${file}" DIRECTORY)
    file(STRINGS "${file}" lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      if(line MATCHES "<(torch|ATen|c10)/" AND NOT line MATCHES "<torch/version\\.h>")
        set(${result} TRUE PARENT_SCOPE)
        return()
      endif()
      if(line MATCHES "\"([^\"]+)\"|<(kindred/[^>]+)>")
        set(name "${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
        foreach(folder IN LISTS own_folder folders)
          set(header "${folder}/${name}")
          if(EXISTS "${header}" AND NOT header IN_LIST seen AND NOT header IN_LIST files)
            list(APPEND files "${header}")
          endif()
        endforeach()
      endif()
    endforeach()
  endwhile()
  set(${result} FALSE PARENT_SCOPE)
endfunction()

# LibTorch's headers take 20 seconds in each file. They are precompiled once for all plugins of a project that include
# them, which takes as long. What a compiler has precompiled fits no other, so the package brings the header alone.
function(kindred_use_precompiled_torch target)
  if(NOT TARGET kindred_plugin_pch)
    add_library(kindred_plugin_pch OBJECT "${KINDRED_PCH_DIRECTORY}/pch.cpp")
    target_link_libraries(kindred_plugin_pch PRIVATE Kindred::plugin_api)
    kindred_plugin_properties(kindred_plugin_pch)
    target_precompile_headers(kindred_plugin_pch PRIVATE "${KINDRED_PCH_DIRECTORY}/pch.h")
  endif()
  target_precompile_headers(${target} REUSE_FROM kindred_plugin_pch)
endfunction()

function(kindred_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;TESTS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "kindred_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/plugin.cpp")
    message(FATAL_ERROR "kindred_add_plugin(${name}): ${CMAKE_CURRENT_SOURCE_DIR}/plugin.cpp is missing; "
                        "create it, with KINDRED_PLUGIN in it (docs/first-plugin.md)")
  endif()

  if(arg_TESTS AND NOT arg_SOURCES)
    message(FATAL_ERROR "kindred_add_plugin(${name}): TESTS have nothing to test without SOURCES; move what they test "
                        "from plugin.cpp to a file of its own")
  endif()

  add_library(${name}_plugin MODULE plugin.cpp)
  set(targets ${name}_plugin)
  if(arg_SOURCES)
    add_library(${name}_objects OBJECT ${arg_SOURCES})
    # For quoted includes alone: a header such as features.h must not take the place of the system's.
    target_compile_options(${name}_objects PUBLIC "SHELL:-iquote \"${CMAKE_CURRENT_SOURCE_DIR}\"")
    target_link_libraries(${name}_objects PUBLIC Kindred::plugin_api)
    target_link_libraries(${name}_plugin PRIVATE ${name}_objects)
    list(APPEND targets ${name}_objects)
  endif()
  target_link_libraries(${name}_plugin PRIVATE Kindred::plugin_api)

  if(arg_TESTS)
    find_package(doctest QUIET)
    if(NOT doctest_FOUND)
      message(STATUS "${name}: doctest was not found (Debian: doctest-dev), so the tests are left out")
      set(arg_TESTS "")
    endif()
  endif()
  foreach(file IN LISTS arg_TESTS)
    get_filename_component(test "${file}" NAME_WE)
    # Objects, because an executable's own sources are compiled with other options than the precompiled header.
    add_library(${test}_objects OBJECT "${file}")
    target_compile_definitions(${test}_objects PRIVATE DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN)
    target_link_libraries(${test}_objects PUBLIC ${name}_objects doctest::doctest)
    list(APPEND targets ${test}_objects)
    add_executable(${test} $<TARGET_OBJECTS:${test}_objects>)
    target_link_libraries(${test} PRIVATE ${name}_objects Kindred::plugin_api)
    set_target_properties(${test} PROPERTIES LINKER_LANGUAGE CXX)
    add_test(NAME ${test} COMMAND ${test})
  endforeach()

  set(includes_torch FALSE)
  if(NOT COMMAND kindred_compile_options AND (KINDRED_PCH OR NOT DEFINED KINDRED_PCH))
    set(files "")
    foreach(file IN LISTS arg_SOURCES ITEMS plugin.cpp)
      get_filename_component(file "${file}" ABSOLUTE)
      list(APPEND files "${file}")
    endforeach()
    kindred_include_torch(includes_torch ${files})
  endif()
  foreach(target IN LISTS targets)
    kindred_plugin_properties(${target})
    if(COMMAND kindred_compile_options)
      kindred_compile_options(${target})
      kindred_use_torch_header(${target})
    elseif(includes_torch)
      kindred_use_precompiled_torch(${target})
    endif()
  endforeach()

  # Exactly the two names leave the library; nothing is unresolved, but for a sanitizer's functions, which the program
  # has; it is never unloaded.
  target_link_options(${name}_plugin PRIVATE
    "LINKER:--version-script=${KINDRED_EXPORT_MAP}" LINKER:-z,nodelete LINKER:-z,now)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    target_link_options(${name}_plugin PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${name}_plugin PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" SUFFIX ".so" LINK_DEPENDS "${KINDRED_EXPORT_MAP}"
    INSTALL_RPATH_USE_LINK_PATH ON)

  if(DEFINED KINDRED_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name}_plugin PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${KINDRED_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(DEFINED KINDRED_PLUGIN_INSTALL_DIRECTORY)
    # The same run path while building: CMake pads one that it will rewrite with ':', which stands for the
    # working directory.
    set_target_properties(${name}_plugin PROPERTIES
      INSTALL_RPATH "${KINDRED_PLUGIN_INSTALL_RPATH}" BUILD_WITH_INSTALL_RPATH ON)
    install(TARGETS ${name}_plugin LIBRARY DESTINATION "${KINDRED_PLUGIN_INSTALL_DIRECTORY}")
    set_property(GLOBAL APPEND PROPERTY KINDRED_PLUGINS ${name})
  endif()
endfunction()
