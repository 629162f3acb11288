// A picture of what an evaluation in mid-training found.
#pragma once

#include <opencv2/core/mat.hpp>

#include "file/feature_files.h"
#include "kindred/role/dataset.h"
#include "results/evaluation.h"

namespace kindred::training {

/// Six of the queries that were judged, the same ones after every epoch, each with the ten images that were
/// found for it; what the evaluation leaves out is left out. An image that cannot be read is a gray box.
/// @param query, gallery features of `dataset`
/// @return rank_sheet.h; empty when no query was judged
[[nodiscard]] cv::Mat draw_evaluation_sheet(const file::Features& query, const file::Features& gallery,
                                            const results::Evaluation& evaluation, const Dataset& dataset);

}  // namespace kindred::training
