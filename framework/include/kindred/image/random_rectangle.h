// Rectangles of random size and position, for augmentations that cut, cover or replace a part of an image.
#pragma once

#include <opencv2/core/types.hpp>
#include <optional>

#include "kindred/core/export.h"
#include "kindred/core/random.h"

namespace kindred {

/// The allowed sizes of a random rectangle.
struct KINDRED_API RectangleSizes {
  double min_area;    ///< as a share of the image's
  double max_area;    ///< as a share of the image's
  double min_aspect;  ///< lowest height / width, in (0, 1]; the highest is 1 / min_aspect
};

/// Draws area = U(min_area, max_area) x H x W and aspect = U(min_aspect, 1 / min_aspect); the height is then
/// round(sqrt(area x aspect)) and the width round(sqrt(area / aspect)). A size that is not smaller than the
/// image in both directions, or that is empty, is drawn again; returns nothing after 100 attempts.
[[nodiscard]] KINDRED_API std::optional<cv::Size> random_size(const RectangleSizes& sizes, cv::Size image,
                                                              RandomStream& random);

/// A uniformly random position of a rectangle within the image, which it must fit into. Draws the row first.
[[nodiscard]] KINDRED_API cv::Rect random_place(cv::Size rectangle, cv::Size image, RandomStream& random);

}  // namespace kindred
