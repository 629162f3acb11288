// Lists of images as text.
#pragma once

#include <ostream>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// A CSV table with the header path,identity,camera,domain,split and a row for each sample; an unlabeled
/// identity and an unknown camera are empty cells. The columns clothes, view and tracklet follow where they
/// are known of some sample. The dataset "manifest" reads it.
KINDRED_API void write_sample_table(std::ostream& out, const std::vector<Sample>& samples);

}  // namespace kindred
