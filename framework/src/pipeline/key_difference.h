// Whether a result is still what a stage would make.
#pragma once

#include <string>

#include "results/stage_record.h"

namespace kindred::pipeline {

/// Why a result of one key is no result of the other, in a few words; "" when it is.
/// @param ignore_code whether what computed them may differ
[[nodiscard]] std::string key_difference(const results::StageKey& there, const results::StageKey& here,
                                         bool ignore_code);

/// All that differs, a line each, as a message needs it: "\n  train.epochs: 60 there, 70 here".
[[nodiscard]] std::string key_differences(const results::StageKey& there, const results::StageKey& here);

/// Whether two keys differ in their settings alone.
/// @param ignore_code as for key_difference()
[[nodiscard]] bool differ_in_settings_alone(const results::StageKey& there, const results::StageKey& here,
                                            bool ignore_code);

}  // namespace kindred::pipeline
