// What of a query's ranking evaluation counts, and whether it is right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "recipe/settings.h"
#include "results/matches_file.h"

namespace kindred::results {

/// What is known of images, by path.
using KnownImages = std::map<std::string, Sample, std::less<>>;

/// The identity that is known of an image, or else the one given; nothing when nobody knows it.
[[nodiscard]] std::optional<std::int64_t> identity_of(const KnownImages& images, const std::string& path,
                                                      std::optional<std::int64_t> otherwise);

enum class Verdict { right, wrong, unknown };

/// What evaluation leaves out beside junk.
struct IgnoredImages {
  bool same_camera = false;  ///< images of the query's identity and camera
  bool itself = false;       ///< the query itself
  recipe::ClothesMode clothes = recipe::ClothesMode::any;
};

/// The best images that evaluation counts.
struct JudgedRanking {
  struct Image {
    std::size_t found = 0;  ///< its place in QueryMatches::found
    Verdict verdict = Verdict::unknown;
  };
  std::vector<Image> images;
  /// Before the last of them: images that evaluation leaves out, and junk.
  std::size_t left_out = 0;
};

/// @param images what is known of images by path: identities and cameras
/// @param ignored what evaluation leaves out
[[nodiscard]] JudgedRanking judge_ranking(const QueryMatches& ranking, const KnownImages& images,
                                          const IgnoredImages& ignored, std::size_t top);

}  // namespace kindred::results
