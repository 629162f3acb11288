#include "exif.h"

#include <cstddef>
#include <opencv2/core.hpp>
#include <string_view>

#include "header_bytes.h"

namespace kindred {

std::int64_t exif_orientation(std::span<const std::uint8_t> bytes) {
  // A TIFF file (TIFF 6.0), whose first directory has it.
  constexpr std::int64_t tag = 274;
  const HeaderBytes tiff(bytes);
  const bool little = tiff.byte(0) == 'I';
  const auto number = [&](std::size_t at, std::size_t count) {
    return little ? tiff.little(at, count) : tiff.big(at, count);
  };
  if (number(2, 2) != 42) return 1;
  const auto directory = static_cast<std::size_t>(number(4, 4));
  const auto entries = number(directory, 2);
  for (std::int64_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + 12 * static_cast<std::size_t>(i);
    if (number(at, 2) == tag) return number(at + 8, 2);
  }
  return 1;
}

std::int64_t webp_orientation(std::span<const std::uint8_t> file) {
  constexpr std::size_t head = 8;                    // name and length of a chunk
  constexpr std::string_view before("Exif\0\0", 6);  // some programs write it as in JPEG
  const HeaderBytes bytes(file);
  std::size_t at = 12;
  while (at + head <= file.size()) {
    const auto length = static_cast<std::size_t>(bytes.little(at + 4, 4));
    if (length > file.size() - at - head) return 1;
    if (bytes.text().substr(at, 4) == "EXIF") {
      const auto content = file.subspan(at + head, length);
      return exif_orientation(
          content.subspan(HeaderBytes(content).text().starts_with(before) ? before.size() : 0));
    }
    at += head + length + length % 2;
  }
  return 1;
}

cv::Mat upright(const cv::Mat& image, std::int64_t orientation) {
  if (orientation < 2 || orientation > 8) return image;
  cv::Mat turned = image;
  if (orientation >= 5) cv::transpose(image, turned);
  constexpr int rows = 0;
  constexpr int columns = 1;
  constexpr int both = -1;
  cv::Mat result;
  switch (orientation) {
    case 2:
    case 6:
      cv::flip(turned, result, columns);
      return result;
    case 3:
    case 7:
      cv::flip(turned, result, both);
      return result;
    case 4:
    case 8:
      cv::flip(turned, result, rows);
      return result;
    default:
      return turned;
  }
}

}  // namespace kindred
