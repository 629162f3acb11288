// Stages of a pipeline that run several times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/schema.h"
#include "kindred/core/value.h"

namespace kindred::pipeline {

/// Table [repeat] of a pipeline.
struct RepeatSettings {
  std::int64_t rounds = 1;
  std::vector<std::string> stages;
  static Schema<RepeatSettings> schema();
};

/// Carries out [repeat] as pipeline.h says, and takes it out.
/// @param recipe of a pipeline; what is wrong with [repeat] is added to the diagnostics
/// @param reference_keys keys of a stage whose values name other stages
void unroll_repeat(Value& recipe, const std::vector<std::string>& reference_keys, Diagnostics& diagnostics);

}  // namespace kindred::pipeline
