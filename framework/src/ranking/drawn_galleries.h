// Galleries of a single shot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kindred/core/random.h"
#include "kindred/core/sample.h"
#include "ranking/gallery_index.h"

namespace kindred::ranking {

/// Galleries with one image of each identity. Unlabeled images stand for a person each.
class DrawnGalleries {
 public:
  DrawnGalleries(const std::vector<Sample>& gallery, const GalleryIndex& index, std::int64_t count)
      : images_(static_cast<std::size_t>(count)) {
    std::vector<std::int32_t> unlabeled;
    for (std::size_t i = 0; i < gallery.size(); ++i) {
      if (gallery[i].identity == unlabeled_identity) unlabeled.push_back(static_cast<std::int32_t>(i));
    }
    for (std::size_t draw = 0; draw < images_.size(); ++draw) {
      images_[draw] = unlabeled;
      for (const auto& [identity, images] : index.images) images_[draw].push_back(one_of(images, draw));
    }
  }

  [[nodiscard]] std::size_t count() const { return images_.size(); }
  [[nodiscard]] const std::vector<std::int32_t>& images(std::size_t draw) const { return images_[draw]; }

  /// The same image of the same images, and of fewer the next one: whoever draws from what is left over of an
  /// identity gets the image that the whole gallery has, when it is left.
  /// @param images at least one
  [[nodiscard]] static std::int32_t one_of(const std::vector<std::int32_t>& images, std::size_t draw) {
    constexpr std::uint64_t seed = 0x73686f74;  // models are compared on the same galleries
    std::int32_t drawn = images.front();
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const auto image : images) {
      const auto key = RandomStream(seed, {draw, static_cast<std::uint64_t>(image)})();
      if (key < least) {
        least = key;
        drawn = image;
      }
    }
    return drawn;
  }

 private:
  std::vector<std::vector<std::int32_t>> images_;
};

}  // namespace kindred::ranking
