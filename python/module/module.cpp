// The extension module kindred._core: what the package's Python calls. Arguments are checked there.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>

#include "arrays.h"
#include "errors.h"
#include "model.h"
#include "plugins.h"
#include "search.h"
#include "system/device.h"
#include "system/version.h"
#include "work.h"

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  namespace python = kindred::python;
  module.doc() = "The engine of Kindred. Its functions want arrays that the package has prepared.";
  python::translate_errors();
  python::add_array_class(module);
  python::add_search(module);
  python::add_model_class(module);

  module.attr("kindred_version") = kindred::system::kindred_version;
  module.attr("torch_version") = kindred::system::torch_version();
  module.def("version_text", &kindred::system::version_text,
             "Versions of the libraries, and the hardware found.");
  module.def(
      "set_package_folder", [](const std::string& folder) { python::set_package_folder(folder); },
      py::arg("folder"), "Where lib/kindred/plugins lies. To be said once, at the start.");
  module.def(
      "refused_plugins",
      [] {
        const py::gil_scoped_release released;
        return python::refused_plugins();
      },
      "Loads the plugins; the files that were refused, with the reasons.");
  module.def(
      "set_threads",
      [](std::int64_t threads) {
        const py::gil_scoped_release released;
        const python::Alone alone;
        kindred::system::set_threads(threads);
      },
      py::arg("threads"), "Threads of LibTorch and BLAS in this process; 0: all usable processors.");
}
