// Images that are nobody's, under identity 0.
#pragma once

#include <vector>

#include "kindred/core/sample.h"

namespace kindred::data {

/// Whether identity 0 means distractors, people without a match, as in the files of Market-1501: there are
/// queries, and none has it. Without queries it is a person like any other.
[[nodiscard]] bool has_distractors(const std::vector<Sample>& samples);

}  // namespace kindred::data
