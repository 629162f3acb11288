// The purposes of the random streams: the first key of each.
#pragma once

#include <cstdint>

namespace kindred::synthetic::streams {

inline constexpr std::uint64_t family = 1;    ///< then the family
inline constexpr std::uint64_t person = 2;    ///< then the person
inline constexpr std::uint64_t stranger = 3;  ///< then the distractor
inline constexpr std::uint64_t camera = 4;    ///< then the camera
inline constexpr std::uint64_t plan = 5;      ///< then the identity: which cameras saw it how often
inline constexpr std::uint64_t domain = 6;
inline constexpr std::uint64_t image = 7;  ///< then person, camera and the image's number

}  // namespace kindred::synthetic::streams
