#include "work.h"

#include <torch/types.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "kindred/core/error.h"
#include "text/printable.h"

namespace kindred::python {

namespace py = pybind11;

namespace {

std::mutex mutex;
std::atomic<std::thread::id> owner;  // of the mutex

}  // namespace

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

void require_usual_type() {
  if (torch::get_default_dtype() == torch::scalarTypeToTypeMeta(torch::kFloat32)) return;
  throw Error(
      "error: torch.set_default_dtype() has been given another type than torch.float32, in which Kindred "
      "computes; set torch.float32 before Kindred is called");
}

Alone::Alone() {
  if (owner == std::this_thread::get_id()) {
    throw Error(
        "error: Kindred is at work in this thread; a handler of signals that runs meanwhile cannot judge, "
        "re-rank or set threads");
  }
  lock_ = std::unique_lock(mutex);
  owner = std::this_thread::get_id();
}

Alone::~Alone() {
  owner = std::thread::id();
}

}  // namespace kindred::python
