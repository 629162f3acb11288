// Entries of galleries in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "temporary_folder.h"

namespace kindred::test {

inline constexpr int made_dim = 8;

/// Always the same for a number, of length 1.
inline cv::Mat made_row(std::uint64_t number, int dim = made_dim) {
  RandomStream random(5, {number});
  cv::Mat row(1, dim, CV_32F);
  for (int i = 0; i < dim; ++i) row.at<float>(i) = static_cast<float>(random.normal());
  return row / cv::norm(row);
}

inline cv::Mat made_rows(std::uint64_t first, std::uint64_t count, int dim = made_dim) {
  cv::Mat rows;
  for (auto i = first; i < first + count; ++i) rows.push_back(made_row(i, dim));
  return rows;
}

inline std::vector<std::string> made_ids(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> ids;
  for (auto i = first; i < first + count; ++i) ids.push_back("id" + std::to_string(i));
  return ids;
}

inline std::string error_of(const std::function<void()>& action) {
  return message_of<Error>(action);
}

}  // namespace kindred::test
