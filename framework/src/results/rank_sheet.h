// A picture of rankings: queries, and beside each what was found for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "results/judged_ranking.h"

namespace kindred::results {

struct SheetImage {
  cv::Mat picture{};     ///< 8-bit RGB; empty: a gray box with the end of `name`
  std::string name{};    ///< of the image
  std::string known{};   ///< a short line: "12 c3"
  float similarity = 0;  ///< of one that was found
  Verdict verdict = Verdict::unknown;
};

struct SheetRow {
  SheetImage query;
  std::vector<SheetImage> found;  ///< the most similar first
};

/// A row for each query: the query, framed blue, then what was found with rank, similarity and what is known;
/// ten beside each other, the others below. A right image has a green frame and a tick, a wrong one a red
/// frame and a cross.
/// @return 8-bit RGB
[[nodiscard]] cv::Mat draw_rank_sheet(const std::vector<SheetRow>& rows);

/// How many pixels high a sheet is.
/// @param found for each query, how many images were
[[nodiscard]] std::int64_t rank_sheet_height(const std::vector<std::size_t>& found);

/// Where a training keeps the sheet of an evaluation, below its folder: "rank_sheets/epoch_003.jpg", or
/// "rank_sheets/market1501_epoch_003.jpg" of one of several test sets.
/// @param stage "evaluate", or "evaluate NAME"
[[nodiscard]] std::filesystem::path rank_sheet_name(const std::string& stage, std::int64_t epoch);

}  // namespace kindred::results
