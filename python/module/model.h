// A trained model that Python holds.
#pragma once

#include <pybind11/pybind11.h>

namespace kindred::python {

/// Adds the class Model to the module.
void add_model_class(pybind11::module_& module);

}  // namespace kindred::python
