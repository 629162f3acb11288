// Role "partitioner": which of several looks ("domains") an image is of.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// Images of different domains (two kinds of cameras, day and night) are hard to compare. A partitioner tells
/// the domains apart, so that each can be described, labelled and searched with parameters of its own.
class KINDRED_API Partitioner {
 public:
  using Role = Partitioner;
  using Handle = std::unique_ptr<Partitioner>;
  static constexpr std::string_view role_name = "partitioner";
  struct Context {};

  virtual ~Partitioner();

  /// Whether domain() looks at the pixels; else images are not even decoded.
  [[nodiscard]] virtual bool needs_pixels() const = 0;

  /// The domain's name, not empty. Depends on the arguments alone. Called from many threads at once. Throws
  /// ComponentError when the sample lacks what is needed, naming it.
  /// @param image 8-bit RGB, as the data set gives it; empty unless needs_pixels()
  [[nodiscard]] virtual std::string domain(const Sample& sample, const cv::Mat& image) const = 0;
};

}  // namespace kindred
