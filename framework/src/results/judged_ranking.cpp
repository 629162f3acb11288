#include "results/judged_ranking.h"

namespace kindred::results {
namespace {

std::int64_t camera_of(const KnownImages& images, const std::string& path) {
  const auto image = images.find(path);
  return image == images.end() ? unknown_camera : image->second.camera;
}

std::int64_t clothes_of(const KnownImages& images, const std::string& path) {
  const auto image = images.find(path);
  return image == images.end() ? unknown_clothes : image->second.clothes;
}

/// Whether an image of the query's identity is left out for what it shows.
bool wrong_clothes(const KnownImages& images, const std::string& query, const std::string& found,
                   recipe::ClothesMode mode) {
  if (mode == recipe::ClothesMode::any) return false;
  return (clothes_of(images, query) == clothes_of(images, found)) == (mode == recipe::ClothesMode::changed);
}

}  // namespace

std::optional<std::int64_t> identity_of(const KnownImages& images, const std::string& path,
                                        std::optional<std::int64_t> otherwise) {
  const auto image = images.find(path);
  if (image == images.end()) return otherwise;
  if (image->second.identity == unlabeled_identity) return std::nullopt;
  return image->second.identity;
}

JudgedRanking judge_ranking(const QueryMatches& ranking, const KnownImages& images,
                            const IgnoredImages& ignored, std::size_t top) {
  const auto query = identity_of(images, ranking.query, ranking.identity);
  const auto camera = camera_of(images, ranking.query);
  JudgedRanking judged;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < ranking.found.size() && judged.images.size() < top; ++i) {
    const auto& found = ranking.found[i];
    const auto identity = identity_of(images, found.path, found.identity);
    const bool same = query && identity == query;
    const bool same_camera = camera != unknown_camera && camera_of(images, found.path) == camera;
    const bool itself = ignored.itself && found.path == ranking.query;
    if (identity == junk_identity || itself || (ignored.same_camera && same && same_camera) ||
        (same && wrong_clothes(images, ranking.query, found.path, ignored.clothes))) {
      ++left_out;
      continue;
    }
    // An image that nobody has labeled counts as another person's.
    const auto verdict = !query ? Verdict::unknown : same ? Verdict::right : Verdict::wrong;
    judged.images.push_back({i, verdict});
    judged.left_out = left_out;
  }
  return judged;
}

}  // namespace kindred::results
