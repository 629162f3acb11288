#include "application/rows.h"

#include <cstdint>
#include <cstring>

#include "kindred/core/error.h"

namespace kindred::application {

torch::Tensor tensor_of(const cv::Mat& rows, std::int64_t dim, const std::string& what) {
  if (rows.empty()) return torch::empty({0, dim}, torch::kFloat);
  if (rows.dims != 2 || rows.type() != CV_32FC1) {
    throw DataError(what, "must be rows of CV_32F, as Extractor::extract() gives them");
  }
  const bool column = rows.cols == 1 && rows.rows == dim;
  if (!column && rows.cols != dim) {
    throw DataError(what, "has rows of " + std::to_string(rows.cols) + " numbers, but descriptors have " +
                              std::to_string(dim) + "; use the model of the gallery");
  }
  const std::int64_t count = column ? 1 : rows.rows;
  if (rows.isContinuous()) {
    // from_blob() takes what it does not change, too.
    return torch::from_blob(const_cast<float*>(rows.ptr<float>()), {count, dim}, torch::kFloat);
  }
  auto copy = torch::empty({count, dim}, torch::kFloat);
  auto* to = copy.data_ptr<float>();
  for (int y = 0; y < rows.rows; ++y) {
    const auto width = static_cast<std::size_t>(rows.cols);
    std::memcpy(to + static_cast<std::size_t>(y) * width, rows.ptr<float>(y), width * sizeof(float));
  }
  return copy;
}

cv::Mat matrix_of(const torch::Tensor& rows) {
  cv::Mat matrix(static_cast<int>(rows.size(0)), static_cast<int>(rows.size(1)), CV_32F);
  const auto plain = rows.to(torch::kCPU).to(torch::kFloat).contiguous();
  if (plain.numel() > 0) std::memcpy(matrix.data, plain.data_ptr<float>(), plain.nbytes());
  return matrix;
}

}  // namespace kindred::application
