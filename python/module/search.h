// Judging, re-ranking and matching descriptors that Python has.
#pragma once

#include <pybind11/pybind11.h>

namespace kindred::python {

/// Adds the functions evaluate, evaluate_distances, post_process and match to the module.
void add_search(pybind11::module_& module);

}  // namespace kindred::python
