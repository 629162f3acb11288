# kindred_use_nccl(target file)
#
# Compiles the file of the target with c10d's NCCL, and links the library that has it. Needs a LibTorch with CUDA, and the
# headers of CUDA's toolkit and of NCCL. Those of pip's packages of PyTorch are found beside it; they lack only
# nvcc's own, which a toolkit in /usr/local/cuda has.
function(kindred_use_nccl target file)
  get_filename_component(root "${Torch_DIR}/../../.." ABSOLUTE)
  # Not kept: the build folder of a version may get another LibTorch of it.
  find_library(KINDRED_TORCH_CUDA torch_cuda HINTS "${root}/lib" NO_CACHE NO_DEFAULT_PATH)
  find_path(KINDRED_CUDA_HEADERS crt/host_config.h HINTS /usr/local/cuda/include)
  find_path(KINDRED_NCCL_HEADERS nccl.h HINTS "${root}/../nvidia/nccl/include" NO_CACHE)
  foreach(part IN ITEMS KINDRED_TORCH_CUDA KINDRED_CUDA_HEADERS KINDRED_NCCL_HEADERS)
    if(NOT ${part})
      message(FATAL_ERROR "KINDRED_NCCL=ON: ${part} is not found; it needs a LibTorch with CUDA (KINDRED_TORCH), and the "
                          "headers of CUDA's toolkit (/usr/local/cuda) and of NCCL")
    endif()
  endforeach()
  file(GLOB pip_headers "${root}/../nvidia/*/include")
  set_source_files_properties("${file}" PROPERTIES
    COMPILE_DEFINITIONS "KINDRED_NCCL;USE_C10D_NCCL"
    INCLUDE_DIRECTORIES "${KINDRED_CUDA_HEADERS};${KINDRED_NCCL_HEADERS};${pip_headers}"
    SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON
    COMPILE_OPTIONS "-include;${CMAKE_CURRENT_SOURCE_DIR}/src/torch_prelude.h")
  target_link_libraries(${target} PUBLIC "${KINDRED_TORCH_CUDA}")
  message(STATUS "NCCL: ${KINDRED_TORCH_CUDA}")
endfunction()
