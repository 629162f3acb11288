// The image formats that can be written.
#pragma once

#include <array>
#include <string_view>

namespace kindred {

/// What write_image() (kindred/image/image.h) knows, by the extensions of files, without their point.
inline constexpr std::array<std::string_view, 7> written_formats = {"jpg",  "jpeg", "png", "bmp",
                                                                    "webp", "tif",  "tiff"};

}  // namespace kindred
