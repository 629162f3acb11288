// Which images of people who are not trained on become queries.
#pragma once

#include <cstdint>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::person_folders {

/// Makes each sample of the test a query or a gallery image. When all cameras are known and there are two or
/// more, each person seen by two cameras has a query of each camera with two images or more of the person, or
/// of the first camera where none has; else each person with two images has one query. The others, and junk,
/// are in the gallery. Which image it is depends on the seed, the identity and the camera alone.
/// @param test samples in any order; their splits are set
void choose_queries(std::vector<Sample*>& test, std::uint64_t seed);

}  // namespace kindred::person_folders
