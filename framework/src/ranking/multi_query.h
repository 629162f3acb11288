// Several images of one person under one camera as one query.
#pragma once

#include <string>

#include "file/feature_files.h"

namespace kindred::ranking {

/// Merges queries of the same identity, camera and clothes into one, whose descriptor is the mean of their
/// descriptors of length 1, made that long again (average pooling, as in the multi-query setting of Zheng et
/// al., Scalable Person Re-identification: A Benchmark, ICCV 2015). Queries of one identity whose camera is
/// unknown are taken for queries of one camera. Unlabeled and junk queries stay alone. A merged query has
/// the place and the path of its first. Throws DataError for a row without a direction (similarity.h) and
/// when the descriptors of a query cancel each other out.
/// @param name what errors call the queries
[[nodiscard]] file::Features merge_queries(const file::Features& query, const std::string& name = "query");

}  // namespace kindred::ranking
