#include "arrays.h"

#include <torch/torch.h>

#include <stdexcept>
#include <utility>

namespace kindred::python {
namespace {

namespace py = pybind11;

constexpr const char* float32_format = "f";
// NumPy's own for int64 where long has 64 bits.
constexpr const char* int64_format = "l";

bool is_contiguous(const py::buffer_info& info) {
  auto stride = info.itemsize;
  for (auto i = info.ndim; i-- > 0;) {
    const auto dimension = static_cast<std::size_t>(i);
    if (info.shape[dimension] > 1 && info.strides[dimension] != stride) return false;
    stride *= info.shape[dimension];
  }
  return true;
}

py::buffer_info request(const py::buffer& array, const std::string& name, bool writable, int dimensions) {
  auto info = array.request(writable);
  if (info.ndim != dimensions || !is_contiguous(info)) {
    throw py::value_error(name + " must be C-contiguous and have " + std::to_string(dimensions) +
                          (dimensions == 1 ? " dimension" : " dimensions"));
  }
  return info;
}

py::buffer_info request_matrix(const py::buffer& array, const std::string& name, bool writable) {
  auto info = request(array, name, writable, 2);
  if (info.format != float32_format) throw py::type_error(name + " must be an array of float32");
  return info;
}

torch::Tensor tensor_of(const py::buffer_info& info) {
  return torch::from_blob(info.ptr, {info.shape[0], info.shape[1]}, torch::kFloat);
}

}  // namespace

Matrix::Matrix(const py::buffer& array, const std::string& name)
    : info_(request_matrix(array, name, /*writable=*/false)), tensor_(tensor_of(info_)) {}

OutputMatrix::OutputMatrix(const py::buffer& array, const std::string& name)
    : info_(request_matrix(array, name, /*writable=*/true)), tensor_(tensor_of(info_)) {}

Numbers::Numbers(const py::buffer& array, const std::string& name)
    : info_(request(array, name, /*writable=*/false, 1)) {
  if (info_.itemsize != sizeof(std::int64_t) || (info_.format != int64_format && info_.format != "q")) {
    throw py::type_error(name + " must be an array of int64");
  }
  values_ = {static_cast<const std::int64_t*>(info_.ptr), static_cast<std::size_t>(info_.shape[0])};
}

Array::Array(const torch::Tensor& tensor)
    : owner_(std::make_shared<torch::Tensor>(tensor)),
      data_(tensor.data_ptr()),
      format_(tensor.scalar_type() == torch::kFloat ? float32_format : int64_format),
      item_bytes_(static_cast<py::ssize_t>(tensor.element_size())),
      shape_(tensor.sizes().begin(), tensor.sizes().end()) {
  const bool known = tensor.scalar_type() == torch::kFloat || tensor.scalar_type() == torch::kLong;
  if (!known || !tensor.is_contiguous() || !tensor.device().is_cpu()) {
    throw std::logic_error("an array for Python must be contiguous, of float32 or int64, on the CPU");
  }
}

Array::Array(std::vector<double> values)
    : format_("d"), item_bytes_(sizeof(double)), shape_{static_cast<py::ssize_t>(values.size())} {
  auto owner = std::make_shared<std::vector<double>>(std::move(values));
  data_ = owner->data();
  owner_ = std::move(owner);
}

py::buffer_info Array::buffer() const {
  std::vector<py::ssize_t> strides(shape_.size(), item_bytes_);
  for (auto i = shape_.size(); i-- > 1;) strides[i - 1] = strides[i] * shape_[i];
  return {data_, item_bytes_, format_, static_cast<py::ssize_t>(shape_.size()), shape_, std::move(strides)};
}

void add_array_class(py::module_& module) {
  py::class_<Array>(module, "Array", py::buffer_protocol(),
                    "Memory that the engine has filled; numpy.asarray() shares it.")
      .def_buffer(&Array::buffer);
}

}  // namespace kindred::python
