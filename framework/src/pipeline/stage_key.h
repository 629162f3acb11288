// What the result of a stage depends on.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "pipeline/file_hashes.h"
#include "pipeline/pipeline.h"
#include "results/stage_record.h"
#include "stage/stage.h"

namespace kindred::pipeline {

/// Parameters, inputs, images and code as they are now. Throws DataError for what cannot be read.
/// @param folder_of where the results of a stage lie, by its name
[[nodiscard]] results::StageKey key_of(
    const stage::Stage& stage, const Pipeline& pipeline,
    const std::function<std::filesystem::path(const std::string& stage)>& folder_of, FileHashes& hashes);

}  // namespace kindred::pipeline
