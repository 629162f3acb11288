// Whether two evaluations judged the same images.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::ranking {

/// SHA-256 over all that judging sees of the queries and the gallery, in their order: paths, who is the same
/// person and which of the people no query shows, which images are of one camera, and which of a query's
/// person show the same clothes. Neither a folder that heads all paths nor how identities, cameras and
/// clothes are numbered counts: a data set is the same alone and among others.
/// @param single_shots galleries with one image of each person are drawn: it counts, too, which images show
///                     the same person of those whom no query shows
[[nodiscard]] std::string images_hash(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                                      bool single_shots);

}  // namespace kindred::ranking
