# Python for the package (python/): sets KINDRED_PYTHON_MODULE, and says in a line why it is off.
#
#   kindred_find_python()            Python and pybind11: the python3 on the PATH, or that of -DPython_EXECUTABLE
#   kindred_choose_python_torch()    for `pip install`: LibTorch is that of the package torch, where that Python has it
#
# `pip install` runs CMake by scikit-build-core, which sets SKBUILD.
include_guard(GLOBAL)

function(kindred_python_without reason)
  if(SKBUILD)
    message(FATAL_ERROR "the Python package cannot be built: ${reason}")
  endif()
  message(STATUS "The Python package is left out: ${reason}")
  set(KINDRED_PYTHON_MODULE OFF PARENT_SCOPE)
  set(KINDRED_PYTHON_MISSING "${reason}" PARENT_SCOPE)
endfunction()

macro(kindred_find_python)
  option(KINDRED_PYTHON_MODULE "Build the Python package, where Python's headers and pybind11 are there" ON)
  if(NOT KINDRED_PYTHON_MODULE)
    set(KINDRED_PYTHON_MISSING "KINDRED_PYTHON_MODULE is off")
  else()
    # Else CMake prefers the newest one of all folders.
    if("$ENV{KINDRED_PYTHON}" STREQUAL "")
      find_program(KINDRED_PYTHON NAMES python3)
    else()
      # Also when this build folder was configured for another one.
      unset(KINDRED_PYTHON CACHE)
      find_program(KINDRED_PYTHON NAMES "$ENV{KINDRED_PYTHON}")
      if(NOT KINDRED_PYTHON)
        message(FATAL_ERROR "KINDRED_PYTHON=$ENV{KINDRED_PYTHON} is not a program")
      endif()
    endif()
    if(NOT Python_EXECUTABLE AND KINDRED_PYTHON)
      set(Python_EXECUTABLE "${KINDRED_PYTHON}")
    endif()
    find_package(Python 3.9 QUIET COMPONENTS Interpreter Development.Module)
    set(PYBIND11_NOPYTHON ON)
    find_package(pybind11 2.10 CONFIG QUIET)
    if(NOT Python_FOUND)
      kindred_python_without("no Python 3.9 or later with its headers was found (Debian: python3-dev)")
    elseif(NOT pybind11_FOUND)
      kindred_python_without("pybind11 was not found (Debian: pybind11-dev)")
    endif()
  endif()
endmacro()

# The folder of the package torch of Python_EXECUTABLE, or "". Isolated from the environment, where pip hides what is
# installed from the build.
function(kindred_python_torch result)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -I -c
      "import importlib.util as u; s = u.find_spec('torch'); print((s.submodule_search_locations or [''])[0] if s else '')"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(folder "")
  endif()
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

macro(kindred_choose_python_torch)
  # Also when this build folder was configured for another environment.
  unset(Torch_DIR CACHE)
  # Set to nothing, as in the container's build stage, it is not set.
  if(NOT "$ENV{KINDRED_TORCH}" STREQUAL "")
    file(GLOB_RECURSE kindred_torch_config FOLLOW_SYMLINKS "$ENV{KINDRED_TORCH}/*TorchConfig.cmake")
    if(NOT kindred_torch_config)
      message(FATAL_ERROR "KINDRED_TORCH=$ENV{KINDRED_TORCH} contains no TorchConfig.cmake")
    endif()
    list(GET kindred_torch_config 0 kindred_torch_config)
    get_filename_component(Torch_DIR "${kindred_torch_config}" DIRECTORY)
  else()
    # That of Debian's python3-torch is that of the system.
    kindred_python_torch(kindred_torch_package)
    if(kindred_torch_package AND EXISTS "${kindred_torch_package}/share/cmake/Torch/TorchConfig.cmake")
      set(Torch_DIR "${kindred_torch_package}/share/cmake/Torch")
    else()
      message(STATUS "The package torch is not installed for ${Python_EXECUTABLE}; LibTorch is looked for in the system")
    endif()
  endif()
endmacro()
