// What the engine throws, as exceptions of Python.
#pragma once

#include <pybind11/pybind11.h>

namespace kindred::python {

/// Translates errors that leave functions of the module: those of Kindred into the classes of the same names
/// in kindred._errors, with the same texts; memory that does not suffice into MemoryError; what nobody
/// expects, such as an error of LibTorch, into RuntimeError.
void translate_errors();

}  // namespace kindred::python
