// Arrays of Python as tensors and numbers of the engine, and the other way round. Memory is shared.
#pragma once

#include <pybind11/pybind11.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kindred::python {

/// A matrix of 32-bit floats that Python owns. Holds on to its memory; to be destroyed with the GIL.
class Matrix {
 public:
  /// Throws TypeError or ValueError, calling it `name`, unless it is a C-contiguous array of float32 with two
  /// dimensions: the Python side of the package sees to that.
  Matrix(const pybind11::buffer& array, const std::string& name);

  /// [rows, columns] on the memory of Python, which may be read-only: never to be written to.
  [[nodiscard]] const torch::Tensor& tensor() const { return tensor_; }

 private:
  pybind11::buffer_info info_;
  torch::Tensor tensor_;
};

/// The same for a matrix that is written to.
class OutputMatrix {
 public:
  OutputMatrix(const pybind11::buffer& array, const std::string& name);
  [[nodiscard]] torch::Tensor& tensor() { return tensor_; }

 private:
  pybind11::buffer_info info_;
  torch::Tensor tensor_;
};

/// A list of 64-bit whole numbers that Python owns, of which Matrix says the rest.
class Numbers {
 public:
  Numbers(const pybind11::buffer& array, const std::string& name);
  [[nodiscard]] std::span<const std::int64_t> values() const { return values_; }

 private:
  pybind11::buffer_info info_;
  std::span<const std::int64_t> values_;
};

/// What Python sees of an array that the engine has made: numpy.asarray() of it shares its memory and keeps
/// it alive.
class Array {
 public:
  /// @param tensor 32-bit floats or 64-bit whole numbers on the CPU; contiguous
  explicit Array(const torch::Tensor& tensor);
  explicit Array(std::vector<double> values);

  [[nodiscard]] pybind11::buffer_info buffer() const;

 private:
  std::shared_ptr<void> owner_;
  void* data_ = nullptr;
  std::string format_;
  pybind11::ssize_t item_bytes_ = 0;
  std::vector<pybind11::ssize_t> shape_;
};

/// Adds the class Array to the module.
void add_array_class(pybind11::module_& module);

}  // namespace kindred::python
