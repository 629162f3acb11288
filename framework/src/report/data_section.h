// What a pipeline has made of its data: domains and pseudo labels.
#pragma once

#include "report/blocks.h"
#include "report/run_files.h"

namespace kindred::report {

/// Of each stage that labels: its figures, the sizes of identities, the sheet of pictures.
[[nodiscard]] Section label_section(const RunFiles& run);

/// Of each stage that parts the images: how many are in each domain.
[[nodiscard]] Section domain_section(const RunFiles& run);

}  // namespace kindred::report
