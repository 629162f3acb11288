// Role "partitioner": assigns images to domains, that is, groups of images that look alike.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// Images of different domains (two kinds of cameras, day and night) are hard to compare. A partitioner
/// separates the domains, so that each can be labeled and searched with its own parameters.
class KINDRED_API Partitioner {
 public:
  using Role = Partitioner;
  using Handle = std::unique_ptr<Partitioner>;
  static constexpr std::string_view role_name = "partitioner";
  struct Context {};

  virtual ~Partitioner();

  /// Whether domain() uses the pixels; if not, images are not decoded.
  [[nodiscard]] virtual bool needs_pixels() const = 0;

  /// The name of the domain, UTF-8 and not empty. Depends only on the arguments. Called from many threads at
  /// once. Throws ComponentError naming the sample if it lacks what is needed.
  /// @param image 8-bit RGB, as the data set returns it; empty unless needs_pixels()
  [[nodiscard]] virtual std::string domain(const Sample& sample, const cv::Mat& image) const = 0;
};

}  // namespace kindred
