// Who is where in a gallery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::ranking {

[[nodiscard]] inline bool labeled(const Sample& sample) {
  return sample.identity >= 0;
}

/// Who is where in the gallery.
struct GalleryIndex {
  std::unordered_map<std::int64_t, std::vector<std::int32_t>> images;  // of each identity, ascending
  std::vector<std::int32_t> junk;
  std::int64_t labeled_images = 0;

  explicit GalleryIndex(const std::vector<Sample>& gallery) {
    for (std::size_t i = 0; i < gallery.size(); ++i) {
      const auto index = static_cast<std::int32_t>(i);
      if (gallery[i].identity == junk_identity) junk.push_back(index);
      if (!labeled(gallery[i])) continue;
      images[gallery[i].identity].push_back(index);
      ++labeled_images;
    }
  }
  [[nodiscard]] const std::vector<std::int32_t>* find(const Sample& sample) const {
    if (!labeled(sample)) return nullptr;
    const auto at = images.find(sample.identity);
    return at == images.end() ? nullptr : &at->second;
  }
};

}  // namespace kindred::ranking
