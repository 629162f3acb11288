#include "work.h"

#include <stdexcept>

#include "text/printable.h"

namespace kindred::python {

namespace py = pybind11;

void PythonProgress::update(const progress::Progress& /*progress*/) {
  const py::gil_scoped_acquire python;
  // Other threads than Python's first one are never told.
  if (PyErr_CheckSignals() == 0) return;
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  type_ = py::reinterpret_steal<py::object>(type);
  value_ = py::reinterpret_steal<py::object>(value);
  trace_ = py::reinterpret_steal<py::object>(trace);
  interrupted_ = true;
  throw std::runtime_error("interrupted");
}

void PythonProgress::note(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  notes_.push_back(text::escaped_lines(text));
}

void PythonProgress::raise_interrupt() {
  PyErr_Restore(type_.release().ptr(), value_.release().ptr(), trace_.release().ptr());
  throw py::error_already_set();
}

void PythonProgress::issue_warnings() const {
  if (notes_.empty()) return;
  const auto warn = py::module_::import("kindred._errors").attr("warn");
  for (const auto& note : notes_) warn(note);
}

std::unique_lock<std::mutex> one_at_a_time() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

}  // namespace kindred::python
