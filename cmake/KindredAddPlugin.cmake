# kindred_add_plugin(NAME [SOURCES file...])
#
# Builds a plugin library NAME.so from plugin.cpp (which says KINDRED_PLUGIN) and further sources. Serves the
# plugins of this tree and those outside alike; the targets are NAME_plugin and, where there are further
# sources, NAME_objects, which tests link.
#
# Set by Kindred's own build, and free to be set elsewhere before the call:
#   KINDRED_PLUGIN_OUTPUT_DIRECTORY   where the library is put while building; else CMake's usual place
#   KINDRED_PLUGIN_INSTALL_DIRECTORY  where `cmake --install` puts it, relative to the prefix; else nowhere
include_guard(GLOBAL)
set(KINDRED_EXPORT_MAP "${CMAKE_CURRENT_LIST_DIR}/kindred_plugin.map" CACHE INTERNAL "")

function(kindred_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "kindred_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/plugin.cpp")
    message(FATAL_ERROR "kindred_add_plugin(${name}): ${CMAKE_CURRENT_SOURCE_DIR}/plugin.cpp is missing; "
                        "create it, with KINDRED_PLUGIN in it (docs/first-plugin.md)")
  endif()

  add_library(${name}_plugin MODULE plugin.cpp)
  set(targets ${name}_plugin)
  if(arg_SOURCES)
    add_library(${name}_objects OBJECT ${arg_SOURCES})
    target_include_directories(${name}_objects PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${name}_objects PUBLIC Kindred::kindred)
    target_link_libraries(${name}_plugin PRIVATE ${name}_objects)
    list(APPEND targets ${name}_objects)
  endif()
  target_link_libraries(${name}_plugin PRIVATE Kindred::kindred)

  foreach(target IN LISTS targets)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES
      CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
      POSITION_INDEPENDENT_CODE ON DEFINE_SYMBOL "")
    if(COMMAND kindred_compile_options)
      kindred_compile_options(${target})
      kindred_use_torch_header(${target})
    endif()
  endforeach()

  # Exactly the two names leave the library; nothing is unresolved; it is never unloaded.
  target_link_options(${name}_plugin PRIVATE
    "LINKER:--version-script=${KINDRED_EXPORT_MAP}" LINKER:-z,defs LINKER:-z,nodelete LINKER:-z,now)
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
