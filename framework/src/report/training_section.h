// How trainings went.
#pragma once

#include "report/blocks.h"
#include "report/run_files.h"

namespace kindred::report {

/// Of each training: loss, learning rate, scores in between and the parts of the loss, by epoch.
[[nodiscard]] Section training_section(const RunFiles& run);

}  // namespace kindred::report
