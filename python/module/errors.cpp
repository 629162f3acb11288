#include "errors.h"

#include <c10/util/Exception.h>

#include <exception>
#include <string>

#include "kindred/core/error.h"
#include "system/out_of_memory.h"
#include "text/printable.h"

namespace kindred::python {
namespace {

namespace py = pybind11;

/// A message may name a file whose name is no UTF-8, which Python's texts are made of.
void set_error(PyObject* type, const std::string& message) {
  PyErr_SetString(type, text::escaped_lines(message).c_str());
}

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("kindred._errors").attr(name);
  set_error(type.ptr(), error.what());
}

void translate(std::exception_ptr thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const system::OutOfMemory& error) {
    set_error(PyExc_MemoryError, error.what());
  } catch (const RecipeError& error) {
    raise("RecipeError", error);
  } catch (const PluginError& error) {
    raise("PluginError", error);
  } catch (const DataError& error) {
    raise("DataError", error);
  } catch (const ComponentError& error) {
    raise("ComponentError", error);
  } catch (const Error& error) {
    raise("Error", error);
  } catch (const c10::Error& error) {
    const auto what = std::string("LibTorch: ") + error.what_without_backtrace();
    const bool memory = system::is_out_of_memory(error);
    set_error(memory ? PyExc_MemoryError : PyExc_RuntimeError, what);
  } catch (const py::builtin_exception&) {
    throw;  // pybind11's own, and its translator's
  } catch (const std::exception& error) {
    if (!system::is_out_of_memory(error)) throw;
    set_error(PyExc_MemoryError, error.what());
  }
}

}  // namespace

void translate_errors() {
  py::register_local_exception_translator(&translate);
}

}  // namespace kindred::python
