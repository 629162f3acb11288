// The pictures of a search beside each other.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/search.h"
#include "progress/progress.h"

namespace kindred::command {

/// Draws a .png or .jpg file (results/rank_sheet.h) with a row for each image, and the labels and cameras of
/// its matches. Atomic. Throws RecipeError where it would be higher than files of that format are.
/// @param images 8-bit RGB
/// @param progress is told how many pictures of matches cannot be read, and why the first cannot
void draw_search_sheet(const std::filesystem::path& file, const std::vector<cv::Mat>& images,
                       const std::vector<std::vector<Match>>& matches, progress::ProgressSink& progress);

}  // namespace kindred::command
