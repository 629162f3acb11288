// roc.csv: how well a threshold on the distance tells persons apart.
#pragma once

#include <filesystem>
#include <vector>

namespace kindred::results {

/// distance,false_positive_rate,true_positive_rate: a line for each point of the ROC curve.
struct RocFile {
  static constexpr const char* name = "roc.csv";

  struct Point {
    float distance = 0;  ///< pairs below it are taken for one person; may be infinite
    double false_positive_rate = 0;
    double true_positive_rate = 0;
  };
  std::vector<Point> points;  ///< ascending

  /// Throws DataError naming file and line.
  [[nodiscard]] static RocFile read(const std::filesystem::path& file);
  /// Atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
