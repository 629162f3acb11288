# kindred_find_torch([options of find_package()])
#
# find_package(Torch), and for the packages of PyTorch's own (a wheel of pip, an archive of pytorch.org) the
# same without their CMake files: those of a package with CUDA stop without a CUDA compiler, though nothing of ours is
# compiled for a GPU. Sets Torch_FOUND, TORCH_LIBRARIES, TORCH_INCLUDE_DIRS, Torch_VERSION and Torch_DIR.
#
# libtorch.so brings in libtorch_cuda.so where there is one. Nothing of ours refers to it, so what was built against a
# package for the CPU runs with one for CUDA of the same version.
include_guard(GLOBAL)

macro(kindred_find_torch)
  if(NOT Torch_DIR)
    find_path(Torch_DIR TorchConfig.cmake HINTS ${CMAKE_PREFIX_PATH} PATH_SUFFIXES Torch share/cmake/Torch
      NO_DEFAULT_PATH)
  endif()
  get_filename_component(kindred_torch_root "${Torch_DIR}/../../.." ABSOLUTE)
  if(Torch_DIR AND EXISTS "${kindred_torch_root}/lib/libtorch.so" AND EXISTS "${kindred_torch_root}/include/torch")
    kindred_take_torch_package("${kindred_torch_root}")
  else()
    find_package(Torch ${ARGN})
  endif()
endmacro()

function(kindred_take_torch_package root)
  set(header "${root}/include/torch/headeronly/version.h")
  if(NOT EXISTS "${header}")
    set(header "${root}/include/torch/csrc/api/include/torch/version.h")
  endif()
  file(STRINGS "${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
  list(TRANSFORM lines REPLACE ".*_(MAJOR|MINOR|PATCH) ([0-9]+).*" "\\2")
  list(JOIN lines "." version)

  file(READ "${root}/share/cmake/Torch/TorchConfig.cmake" config)
  if(config MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
    message(FATAL_ERROR "${root}: this LibTorch was built with the old string ABI of libstdc++, which fits no other "
                        "library here; take PyTorch 2.7 or later, or the archive with cxx11-abi in its name")
  endif()

  if(NOT TARGET kindred_torch)
    add_library(kindred_torch INTERFACE IMPORTED)
    # Libraries with CUDA need others that only a machine with a GPU has to have.
    target_link_libraries(kindred_torch INTERFACE "${root}/lib/libtorch.so" "${root}/lib/libtorch_cpu.so"
      "${root}/lib/libc10.so")
    target_link_options(kindred_torch INTERFACE LINKER:--no-as-needed LINKER:--allow-shlib-undefined)
    # What its headers are compiled with; they declare more or less because of it.
    file(READ "${root}/share/cmake/Caffe2/Caffe2Targets.cmake" targets)
    if(targets MATCHES "set_target_properties\\(torch_cpu PROPERTIES[ \n]+INTERFACE_COMPILE_DEFINITIONS \"([^\"]*)\"")
      target_compile_definitions(kindred_torch INTERFACE ${CMAKE_MATCH_1})
    endif()
  endif()
  set(TORCH_LIBRARIES kindred_torch PARENT_SCOPE)
  set(TORCH_INCLUDE_DIRS "${root}/include" "${root}/include/torch/csrc/api/include" PARENT_SCOPE)
  set(Torch_VERSION "${version}" PARENT_SCOPE)
  set(Torch_FOUND TRUE PARENT_SCOPE)
  message(STATUS "LibTorch ${version}: ${root}")
endfunction()
