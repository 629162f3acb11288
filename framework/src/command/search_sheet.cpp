#include "command/search_sheet.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "results/rank_sheet.h"
#include "results/sheet_drawing.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

/// Why pictures cannot be read.
using Refusals = std::vector<std::string>;

/// The picture of a match; empty when it is not known or cannot be read.
cv::Mat picture_of(const Match& match, Refusals& refusals) {
  if (match.info.image.empty()) return {};
  try {
    return read_image(match.info.image);
  } catch (const DataError& error) {
    refusals.emplace_back(error.what());
    return {};
  }
}

results::SheetImage sheet_image(const Match& match, Refusals& refusals) {
  auto known = match.info.label.substr(0, 9);
  if (match.info.camera >= 0) known += (known.empty() ? "c" : " c") + std::to_string(match.info.camera);
  return {.picture = picture_of(match, refusals),
          .name = match.id,
          .known = known,
          .similarity = match.similarity};
}

/// Before any picture is read.
void require_height(const std::filesystem::path& file, const std::vector<std::vector<Match>>& matches) {
  std::vector<std::size_t> found;
  for (const auto& of_image : matches) found.push_back(of_image.size());
  const auto height = results::rank_sheet_height(found);
  const auto most = results::longest_sheet_side(file);
  if (height <= most) return;
  const auto most_of_png = results::longest_sheet_side("sheet.png");
  throw RecipeError({"--sheet " + file.string(), 0, 0},
                    "would be " + text::grouped_digits(height) + " pixels high, and a " +
                        file.extension().string() + " file can have " + text::grouped_digits(most) +
                        (height <= most_of_png ? "; write a .png, lower --top," : "; lower --top,") +
                        " or search for fewer pictures at a time");
}

}  // namespace

void draw_search_sheet(const std::filesystem::path& file, const std::vector<cv::Mat>& images,
                       const std::vector<std::vector<Match>>& matches, progress::ProgressSink& progress) {
  require_height(file, matches);
  std::vector<results::SheetRow> rows(images.size());
  Refusals refusals;
  for (std::size_t q = 0; q < images.size(); ++q) {
    rows[q].query.picture = images[q];
    for (const auto& match : matches[q]) rows[q].found.push_back(sheet_image(match, refusals));
  }
  results::write_sheet(file, results::draw_rank_sheet(rows));
  std::int64_t unknown = 0;
  for (const auto& of_image : matches) {
    unknown += std::count_if(of_image.begin(), of_image.end(),
                             [](const Match& match) { return match.info.image.empty(); });
  }
  if (unknown > 0) {
    progress.note(
        "warning: " + file.string() + " lacks " + text::count_text(unknown, "picture", "pictures") +
        " of matches, as it is not known where they lie; give the folder of the images with --data");
  }
  if (refusals.empty()) return;
  const auto count = static_cast<std::int64_t>(refusals.size());
  progress.note("warning: " + file.string() + " lacks " + text::count_text(count, "picture", "pictures") +
                " of matches that cannot be read; the first: " + refusals.front());
}

}  // namespace kindred::command
