// A pipeline on the ranks that do not lead.
#pragma once

#include <atomic>
#include <filesystem>

#include "kindred/core/catalog.h"
#include "pipeline/pipeline.h"
#include "progress/progress.h"
#include "system/ranks.h"

namespace kindred::pipeline {

/// Works on the stages that rank 0 shares out, until its run_pipeline() ends. That alone decides what runs
/// and keeps the record: nothing is written here.
/// @param pipeline, folder those of rank 0
/// @return whether a stage was stopped, as PipelineOutcome::interrupted
[[nodiscard]] bool follow_pipeline(const Pipeline& pipeline, const Catalog& catalog,
                                   const std::filesystem::path& folder, const system::Ranks& ranks,
                                   progress::ProgressSink& progress, const std::atomic<bool>& stop);

}  // namespace kindred::pipeline
