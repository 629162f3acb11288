// One image of a data set, and what is known of it.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// Identities that stand for something else than a person. Identity 0 is a distractor in Market-1501's
/// files and needs no constant: it is an identity that no query has.
inline constexpr std::int64_t junk_identity = -1;        ///< ignored in evaluation, neither right nor wrong
inline constexpr std::int64_t unlabelled_identity = -2;  ///< nobody has said who this is

inline constexpr std::int64_t unknown_camera = -1;

enum class Split { train, query, gallery };

/// "train", "query" or "gallery".
[[nodiscard]] KINDRED_API const char* split_name(Split split);

struct KINDRED_API Sample {
  std::string path;  ///< relative to the data set's root, with '/'; unique within the data set
  std::int64_t identity = unlabelled_identity;
  std::int64_t camera = unknown_camera;
  std::string domain;  ///< "" when the data set knows of none
  Split split = Split::train;
};

}  // namespace kindred
