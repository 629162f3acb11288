// Whether a result is still what a stage would make.
#pragma once

#include <string>

#include "results/stage_record.h"

namespace kindred::pipeline {

/// Why a result of one key is no result of the other, in a few words; "" when it is.
/// @param ignore_code whether what computed them may differ
[[nodiscard]] std::string key_difference(const results::StageKey& there, const results::StageKey& here,
                                         bool ignore_code);

}  // namespace kindred::pipeline
