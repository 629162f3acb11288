// Lists of images as text.
#pragma once

#include <ostream>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"

namespace kindred {

/// A CSV table with the header path,identity,camera,domain,split and a row for each sample; an unlabelled
/// identity and an unknown camera are empty cells. Where clothes of an image are known there is a column
/// clothes after them. The dataset "manifest" reads it.
KINDRED_API void write_sample_table(std::ostream& out, const std::vector<Sample>& samples);

}  // namespace kindred
