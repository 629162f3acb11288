# How everything of ours is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# One precompiled header serves libraries and executables, so all must be compiled alike: executables with
# -fPIC instead of -fPIE, and no <target>_EXPORTS definition (kindred_compile_options).
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "-fPIC")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Release is -O2 -DNDEBUG: -O3 gains nothing where the work is done by LibTorch and OpenCV.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

find_program(KINDRED_CCACHE ccache)
if(KINDRED_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this sloppiness ccache does not work with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" "${KINDRED_CCACHE}")
endif()
find_program(KINDRED_LLD NAMES ld.lld)
if(KINDRED_LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # ccache needs it to see a change of the precompiled header's content instead of its time.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

function(kindred_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "")
endfunction()

# LibTorch's and OpenCV's headers are read as system headers: their warnings are not ours.
option(KINDRED_PCH "Precompile LibTorch's headers: without, each file takes 10 to 20 seconds more" ON)
function(kindred_use_torch_header target)
  if(KINDRED_PCH)
    target_precompile_headers(${target} REUSE_FROM kindred_pch)
  else()
    target_compile_options(${target} PRIVATE "SHELL:-include '${PROJECT_SOURCE_DIR}/framework/src/torch_prelude.h'")
  endif()
endfunction()

# clang 14 refuses libstdc++ 12's C++20 templates when they are instantiated inside the precompiled header.
set(CMAKE_PCH_INSTANTIATE_TEMPLATES ON)
