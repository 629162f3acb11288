// What the images of a stage are.
#pragma once

#include <string>
#include <vector>

#include "pipeline/file_hashes.h"
#include "stage/stage.h"

namespace kindred::pipeline {

/// SHA-256 over all that is known of the images of some splits and, with `pixels`, over their files: those at
/// the samples' paths in the location of their data set (that of pseudo labels and distractors may be one of
/// their own), or beside it when that is a file; where there is no such file, over the decoded images. A data
/// set without a location makes its images of its parameters, which say all. Throws DataError for a file that
/// cannot be read.
[[nodiscard]] std::string data_hash(const std::vector<stage::StageData>& data, FileHashes& files);

/// SHA-256 of a text.
[[nodiscard]] std::string text_hash(const std::string& text);

}  // namespace kindred::pipeline
