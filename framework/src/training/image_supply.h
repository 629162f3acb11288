// What a training says of how it gets its images.
#pragma once

#include <cstdint>
#include <string>

#include "data/cached_dataset.h"

namespace kindred::training {

/// "warning: 12 % of the time of this epoch was spent waiting for images", or "" for up to 5 % of it and for
/// epochs of a few seconds, in which the first batch alone is more.
/// @param waited, worked seconds; the first are part of the others
/// @param with_advice what to do about it, too
[[nodiscard]] std::string waiting_text(double waited, double worked, bool with_advice);

/// "1200 decoded images are kept in memory (340 of 512 MiB, loader.cache_mib)", and whether these are all.
[[nodiscard]] std::string kept_text(const data::CachedDataset::Kept& kept, std::int64_t limit_mib);

}  // namespace kindred::training
