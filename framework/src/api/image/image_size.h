// The size of an image, from its header alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kindred {

struct ImageSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// @param format as content_of() calls it
/// @return nothing where the header is of an unknown form or incomplete
[[nodiscard]] std::optional<ImageSize> image_size(const std::string& format,
                                                  std::span<const std::uint8_t> bytes);

}  // namespace kindred
