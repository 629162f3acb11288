// One image of a data set, and what is known about it.
#pragma once

#include <cstdint>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

/// Identities that do not denote a person. Identity 0, a distractor in the files of Market-1501, needs no
/// constant: it is an identity without queries.
inline constexpr std::int64_t junk_identity = -1;       ///< ignored in evaluation, neither correct nor wrong
inline constexpr std::int64_t unlabeled_identity = -2;  ///< the identity is unknown

inline constexpr std::int64_t unknown_camera = -1;
inline constexpr std::int64_t unknown_clothes = -1;
inline constexpr std::int64_t unknown_view = -1;

enum class Split { train, query, gallery };

/// "train", "query" or "gallery".
[[nodiscard]] KINDRED_API const char* split_name(Split split);

struct KINDRED_API Sample {
  /// Relative to the root of the data set, with '/'; unique within the split. The same path in query and
  /// gallery is one image that is both.
  std::string path;
  std::int64_t identity = unlabeled_identity;
  std::int64_t camera = unknown_camera;
  std::string domain;  ///< "" if the data set has no domains
  Split split = Split::train;
  std::int64_t clothes = unknown_clothes;  ///< numbers what one identity wears, from 0
  std::int64_t view = unknown_view;        ///< the side that is seen, from 0: front, side, back, ...
  /// The sequence of one camera that the image is a frame of, unique within the split; frames are in the
  /// order of their paths. "": a single image.
  std::string tracklet{};
};

}  // namespace kindred
