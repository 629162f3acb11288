#include "kindred/image/random_rectangle.h"

#include <cmath>

namespace kindred {

std::optional<cv::Size> random_size(const RectangleSizes& sizes, cv::Size image, RandomStream& random) {
  constexpr int tries = 100;
  const double whole = static_cast<double>(image.width) * image.height;
  for (int i = 0; i < tries; ++i) {
    const double area = random.uniform(sizes.min_area, sizes.max_area) * whole;
    const double aspect = random.uniform(sizes.min_aspect, 1.0 / sizes.min_aspect);
    const double height = std::round(std::sqrt(area * aspect));
    const double width = std::round(std::sqrt(area / aspect));
    if (height >= 1 && width >= 1 && height < image.height && width < image.width) {
      return cv::Size(static_cast<int>(width), static_cast<int>(height));
    }
  }
  return std::nullopt;
}

cv::Rect random_place(cv::Size rectangle, cv::Size image, RandomStream& random) {
  const auto top = static_cast<int>(random.integer(0, image.height - rectangle.height));
  const auto left = static_cast<int>(random.integer(0, image.width - rectangle.width));
  return {cv::Point(left, top), rectangle};
}

}  // namespace kindred
