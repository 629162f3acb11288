// One image of a data set, and what is known about it.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// Identities that do not denote a person. Identity 0, a distractor in the files of Market-1501, needs no
/// constant: it is an identity without queries.
inline constexpr std::int64_t junk_identity = -1;        ///< ignored in evaluation, neither correct nor wrong
inline constexpr std::int64_t unlabelled_identity = -2;  ///< the identity is unknown

inline constexpr std::int64_t unknown_camera = -1;

enum class Split { train, query, gallery };

/// "train", "query" or "gallery".
[[nodiscard]] KINDRED_API const char* split_name(Split split);

struct KINDRED_API Sample {
  std::string path;  ///< relative to the root of the data set, with '/'; unique within the data set
  std::int64_t identity = unlabelled_identity;
  std::int64_t camera = unknown_camera;
  std::string domain;  ///< "" if the data set has no domains
  Split split = Split::train;
};

}  // namespace kindred
