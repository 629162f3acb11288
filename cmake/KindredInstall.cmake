# What `cmake --install` gives:
#
#   bin/kindred               the launcher; finds ../lib/kindred/plugins from where it lies
#   lib/libkindred.so         the library for applications, in the system's library folder
#   lib/libkindred_plugin_api.so   the plugin API library, beside it
#   lib/kindred/plugins/      the plugins, in lib whatever the system's library folder is
#   include/kindred/          what applications and plugins may see
#   lib/cmake/Kindred/        find_package(Kindred) with Kindred::kindred and kindred_add_plugin()
#   share/kindred/            recipes, documentation, licenses, an example of an application, and of a plugin for each role
include(CMakePackageConfigHelpers)

set_target_properties(kindred kindred_plugin_api kindred_launcher PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
set_target_properties(kindred PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(kindred_launcher PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")

install(TARGETS kindred kindred_plugin_api EXPORT KindredTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS kindred_launcher RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/framework/include/kindred"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
foreach(folder configs docs)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${CMAKE_INSTALL_DATADIR}/kindred")
endforeach()
# What the pages of docs/ link to.
foreach(file README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE NOTICE)
  install(FILES "${PROJECT_SOURCE_DIR}/${file}" DESTINATION "${CMAKE_INSTALL_DATADIR}/kindred")
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/tools/deploy" DESTINATION "${CMAKE_INSTALL_DATADIR}/kindred/tools")

# Always below share: `kindred new` looks in ../share/kindred/examples, on every system.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/plugins/examples" DESTINATION share/kindred)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/cpp/" DESTINATION share/kindred/application)

set(KINDRED_CMAKE_INSTALL_DIRECTORY "${CMAKE_INSTALL_LIBDIR}/cmake/Kindred")
install(EXPORT KindredTargets NAMESPACE Kindred:: DESTINATION "${KINDRED_CMAKE_INSTALL_DIRECTORY}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/KindredConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/cmake/KindredConfig.cmake" INSTALL_DESTINATION "${KINDRED_CMAKE_INSTALL_DIRECTORY}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/KindredConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/cmake/KindredConfig.cmake"
  "${PROJECT_BINARY_DIR}/cmake/KindredConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/KindredAddPlugin.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/KindredTorch.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/kindred_plugin.map"
  "${PROJECT_SOURCE_DIR}/framework/src/pch.h"
  "${PROJECT_SOURCE_DIR}/framework/src/pch.cpp"
  "${PROJECT_SOURCE_DIR}/framework/src/torch_prelude.h"
  DESTINATION "${KINDRED_CMAKE_INSTALL_DIRECTORY}")
