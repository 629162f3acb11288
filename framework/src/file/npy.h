// NumPy's .npy format, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one array, little-endian.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace kindred::file {

/// An array file that is read by ranges of rows, so that it may be larger than memory. Element types: f2, f4,
/// f8, i4, i8, and V2, which is taken for bfloat16; C and Fortran order. Python objects in a file are never
/// executed, they are refused.
///
/// Rows are read with pread and not through a memory map: a file that somebody cuts short meanwhile is then
/// an error with a name instead of a SIGBUS, and what is held in memory is what was asked for.
class NpyReader {
 public:
  /// Reads and checks the header: magic, version, the three keys, and that the file holds exactly as many
  /// bytes as the shape needs. Throws DataError.
  explicit NpyReader(std::filesystem::path file);
  NpyReader(NpyReader&& other) noexcept;
  NpyReader& operator=(NpyReader&& other) noexcept;
  ~NpyReader();

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  [[nodiscard]] torch::ScalarType type() const { return type_; }
  [[nodiscard]] bool fortran_order() const { return fortran_order_; }

  /// Elements [first, last) of the first dimension, contiguous, of the file's type. Needs one dimension at
  /// least and 0 <= first <= last <= shape()[0]. May be called from many threads at once. Throws DataError.
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const;

  /// The whole array, contiguous, of the file's type.
  [[nodiscard]] torch::Tensor all() const;

 private:
  void read_at(std::int64_t offset, void* data, std::int64_t bytes) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::vector<std::int64_t> shape_;
  torch::ScalarType type_ = torch::kFloat;
  bool fortran_order_ = false;
  std::int64_t data_offset_ = 0;
  std::int64_t row_elements_ = 1;  ///< of all dimensions but the first
};

/// NpyReader(file).all()
[[nodiscard]] torch::Tensor read_npy(const std::filesystem::path& file);

/// Writes version 1.0 in C order, atomically; the tensor may lie on any device. Types as above, others are a
/// std::logic_error. Throws DataError.
void write_npy(const std::filesystem::path& file, const torch::Tensor& tensor);

/// The same for an array that is not in memory as a whole.
/// @param rows gives elements [first, last) of the first dimension, of this type
/// @param rows_at_a_time how many are asked for
void write_npy(const std::filesystem::path& file, const std::vector<std::int64_t>& shape,
               torch::ScalarType type, std::int64_t rows_at_a_time,
               const std::function<torch::Tensor(std::int64_t first, std::int64_t last)>& rows);

}  // namespace kindred::file
