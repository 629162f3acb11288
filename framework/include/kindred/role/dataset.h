// Role "dataset": where images come from and whom they show.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// How certain it is that a folder has the layout of a data set. For a folder whose layout is not given,
/// every dataset is asked and the most certain one is used.
enum class Recognition { no, fallback, likely, certain };

class KINDRED_API Dataset {
 public:
  using Role = Dataset;
  using Handle = std::unique_ptr<Dataset>;
  static constexpr std::string_view role_name = "dataset";
  struct Context {};

  virtual ~Dataset();

  /// All samples, in an order that depends only on the data, never on the file system. A component that reads
  /// a folder or file must name this parameter `root` and mark it as a location (schema.h): `--data` sets it,
  /// and what a run records of its data is their content. Throws DataError naming the file or folder.
  [[nodiscard]] virtual std::vector<Sample> samples() const = 0;

  /// The pixels of a sample of samples(). Called from many threads at once. Throws DataError naming the file.
  [[nodiscard]] virtual cv::Mat image(const Sample& sample) const = 0;

  /// Whether the root in the parameters has this layout. A DataError counts as no: whoever opens what cannot
  /// be read is told why.
  [[nodiscard]] virtual Recognition recognize() const;
};

}  // namespace kindred
