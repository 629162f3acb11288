// What a pipeline has cost and reached, over all stages that have ended.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/stage_record.h"

namespace kindred::pipeline {

/// The stages that have ended, in order, with their times, images a second and peak memory, and the total.
/// Writes costs.json and costs.md into the folder; the text is for a terminal.
[[nodiscard]] std::string write_costs(const std::filesystem::path& folder,
                                      const std::vector<results::StageRecord>& records);

/// The scores of each stage of type rank that has any: by the descriptors alone and after post-processing.
/// Writes scores.json, a list of evaluation_json() with "stage" and "ranked_by", and scores.md, shares in per
/// cent, or removes them when there is none; "" then.
[[nodiscard]] std::string write_pipeline_scores(const std::filesystem::path& folder,
                                                const std::vector<results::StageRecord>& records);

}  // namespace kindred::pipeline
