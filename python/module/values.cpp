#include "values.h"

#include <cstdint>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::python {
namespace {

namespace py = pybind11;

Value value_of(const py::handle& object, const std::string& key, const SourceLocation& location);

Table table_of(const py::dict& settings, const std::string& key, const SourceLocation& location) {
  Table table;
  for (const auto& [name, value] : settings) {
    if (!py::isinstance<py::str>(name)) {
      throw py::type_error("the keys of " + (key.empty() ? "the settings" : "'" + key + "'") +
                           " must be texts, not " + py::repr(name).cast<std::string>());
    }
    if (value.is_none()) continue;
    auto text = name.cast<std::string>();
    auto inner = value_of(value, key.empty() ? text : key + "." + text, location);
    table.set(std::move(text), std::move(inner), location);
  }
  return table;
}

std::int64_t whole_number(const py::handle& object, const std::string& key, const SourceLocation& location) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!number) throw py::error_already_set();
  int beyond = 0;
  const auto value = PyLong_AsLongLongAndOverflow(number.ptr(), &beyond);
  if (beyond != 0) throw RecipeError(location, "'" + key + "' is beyond the whole numbers of 64 bits");
  return value;
}

/// Python's own limit, of what holds itself, too.
class Recursion {
 public:
  Recursion() {
    if (Py_EnterRecursiveCall(" while parameters are read") != 0) throw py::error_already_set();
  }
  ~Recursion() { Py_LeaveRecursiveCall(); }
  Recursion(const Recursion&) = delete;
  Recursion& operator=(const Recursion&) = delete;
};

Value value_of(const py::handle& object, const std::string& key, const SourceLocation& location) {
  const Recursion recursion;
  // A bool is an int for Python, and comes first; NumPy's is none.
  if (PyBool_Check(object.ptr()) != 0 || py::isinstance(object, py::module_::import("numpy").attr("bool_"))) {
    return {object.cast<bool>(), location};
  }
  if (PyFloat_Check(object.ptr()) != 0) return {object.cast<double>(), location};
  if (PyIndex_Check(object.ptr()) != 0) return {whole_number(object, key, location), location};
  if (py::isinstance<py::str>(object)) return {object.cast<std::string>(), location};
  if (py::isinstance<py::dict>(object)) {
    return {table_of(py::reinterpret_borrow<py::dict>(object), key, location), location};
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    kindred::Array list;
    for (const auto& item : object) list.push_back(value_of(item, key, location));
    return {std::move(list), location};
  }
  if (py::hasattr(object, "__fspath__")) return {py::str(object).cast<std::string>(), location};
  if (py::hasattr(object, "__float__"))
    return {py::float_(py::reinterpret_borrow<py::object>(object)).cast<double>(), location};
  throw py::type_error("'" + key + "' is a value of the type '" +
                       py::str(py::type::handle_of(object).attr("__name__")).cast<std::string>() +
                       "'; give a number, a text, a bool, a list or a dict");
}

}  // namespace

Value recipe_value(const py::dict& settings, const std::string& origin) {
  const SourceLocation location{origin, 0, 0};
  return {table_of(settings, "", location), location};
}

}  // namespace kindred::python
