#include "command/search_sheet.h"

#include <cstddef>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "results/rank_sheet.h"
#include "results/sheet_drawing.h"

namespace kindred::command {
namespace {

/// The picture of a match; empty when it is not known or cannot be read.
cv::Mat picture_of(const Match& match) {
  if (match.info.image.empty()) return {};
  try {
    return read_image(match.info.image);
  } catch (const DataError&) {
    return {};
  }
}

results::SheetImage sheet_image(const Match& match) {
  auto known = match.info.label.substr(0, 9);
  if (match.info.camera >= 0) known += (known.empty() ? "c" : " c") + std::to_string(match.info.camera);
  return {.picture = picture_of(match), .name = match.id, .known = known, .similarity = match.similarity};
}

}  // namespace

void draw_search_sheet(const std::filesystem::path& file, const std::vector<cv::Mat>& images,
                       const std::vector<std::vector<Match>>& matches) {
  std::vector<results::SheetRow> rows(images.size());
  for (std::size_t q = 0; q < images.size(); ++q) {
    rows[q].query.picture = images[q];
    for (const auto& match : matches[q]) rows[q].found.push_back(sheet_image(match));
  }
  results::write_sheet(file, results::draw_rank_sheet(rows));
}

}  // namespace kindred::command
