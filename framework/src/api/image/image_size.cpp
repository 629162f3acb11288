#include "image_size.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "header_bytes.h"

namespace kindred {
namespace {

/// The frame header SOF (ITU T.81, B.2.2), before which come segments with their length. Bytes between
/// segments are passed over, as decoders do: the size must be theirs.
ImageSize jpeg_size(const HeaderBytes& bytes) {
  std::size_t at = 2;
  while (at + 9 < bytes.size()) {
    const auto marker = bytes.byte(at + 1);
    if (bytes.byte(at) != 0xFF || marker == 0xFF) {
      ++at;
      continue;
    }
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) return {bytes.big(at + 7, 2), bytes.big(at + 5, 2)};
    const bool alone = marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    at += 2 + (alone ? 0 : static_cast<std::size_t>(bytes.big(at + 2, 2)));
  }
  return {};
}

/// The container's chunks VP8X, "VP8 " (RFC 6386, 9.1) and VP8L.
ImageSize webp_size(const HeaderBytes& bytes) {
  const auto chunk = bytes.text().substr(std::min<std::size_t>(12, bytes.size()), 4);
  if (chunk == "VP8X") return {bytes.little(24, 3) + 1, bytes.little(27, 3) + 1};
  if (chunk == "VP8 ") return {bytes.little(26, 2) & 0x3FFF, bytes.little(28, 2) & 0x3FFF};
  if (chunk != "VP8L") return {};
  const auto bits = bytes.little(21, 4);
  return {(bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1};
}

/// Tags 256 and 257 of the first directory (TIFF 6.0). A BigTIFF gives nothing.
ImageSize tiff_size(const HeaderBytes& bytes) {
  const bool little = bytes.byte(0) == 'I';
  const auto number = [&](std::size_t at, std::size_t count) {
    return little ? bytes.little(at, count) : bytes.big(at, count);
  };
  if (number(2, 2) != 42) return {};
  const auto directory = static_cast<std::size_t>(number(4, 4));
  ImageSize size;
  const auto entries = number(directory, 2);
  for (std::int64_t i = 0; i < entries; ++i) {
    const auto at = directory + 2 + 12 * static_cast<std::size_t>(i);
    const auto value = number(at + 8, number(at + 2, 2) == 3 ? 2 : 4);
    if (number(at, 2) == 256) size.width = value;
    if (number(at, 2) == 257) size.height = value;
  }
  return size;
}

/// The box ihdr, or the segment SIZ of a bare codestream (ITU T.800, A.5.1).
ImageSize jpeg2000_size(const HeaderBytes& bytes) {
  if (bytes.byte(0) == 0xFF) {
    return {bytes.big(8, 4) - bytes.big(16, 4), bytes.big(12, 4) - bytes.big(20, 4)};
  }
  const auto box = bytes.text().find("ihdr");
  return box == std::string_view::npos ? ImageSize{}
                                       : ImageSize{bytes.big(box + 8, 4), bytes.big(box + 4, 4)};
}

/// The next word of a Netpbm header; comments reach from '#' to the end of the line.
std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blank = " \t\r\n";
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    if (!text.starts_with('#')) break;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  const auto word = text.substr(0, text.find_first_of(blank));
  text.remove_prefix(word.size());
  return word;
}

std::int64_t number_of(std::string_view word) {
  std::int64_t number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  return read.ec == std::errc() ? number : 0;
}

ImageSize netpbm_size(const HeaderBytes& bytes) {
  auto text = bytes.text().substr(0, 4096);
  if (next_word(text) != "P7") {
    ImageSize size;
    size.width = number_of(next_word(text));
    size.height = number_of(next_word(text));
    return size;
  }
  ImageSize size;
  for (auto word = next_word(text); !word.empty() && word != "ENDHDR"; word = next_word(text)) {
    if (word == "WIDTH") size.width = number_of(next_word(text));
    if (word == "HEIGHT") size.height = number_of(next_word(text));
  }
  return size;
}

/// "-Y HEIGHT +X WIDTH" after an empty line.
ImageSize radiance_size(const HeaderBytes& bytes) {
  auto text = bytes.text().substr(0, 4096);
  const auto at = text.find("\n\n");
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at);
  ImageSize size;
  for (int axis = 0; axis < 2; ++axis) {
    const auto name = next_word(text);
    (name.ends_with('X') ? size.width : size.height) = number_of(next_word(text));
  }
  return size;
}

/// The largest of the boxes ispe (ISO/IEC 23008-12, 6.5.3), one for each picture in the file.
ImageSize heif_size(const HeaderBytes& bytes) {
  ImageSize largest;
  const auto text = bytes.text().substr(0, std::size_t{1} << 16);
  for (auto box = text.find("ispe"); box != std::string_view::npos; box = text.find("ispe", box + 4)) {
    const ImageSize size{bytes.big(box + 8, 4), bytes.big(box + 12, 4)};
    if (size.width > largest.width) largest = size;
  }
  return largest;
}

ImageSize bmp_size(const HeaderBytes& bytes) {
  if (bytes.little(14, 4) == 12) return {bytes.little(18, 2), bytes.little(20, 2)};
  // A negative height is that of rows from top to bottom.
  return {bytes.little(18, 4),
          std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(bytes.little(22, 4))))};
}

ImageSize size_of(const std::string& format, const HeaderBytes& bytes) {
  if (format == "JPEG") return jpeg_size(bytes);
  if (format == "PNG") return {bytes.big(16, 4), bytes.big(20, 4)};
  if (format == "BMP") return bmp_size(bytes);
  if (format == "WebP") return webp_size(bytes);
  if (format == "TIFF") return tiff_size(bytes);
  if (format == "JPEG 2000") return jpeg2000_size(bytes);
  if (format == "Netpbm") return netpbm_size(bytes);
  if (format == "Sun raster") return {bytes.big(4, 4), bytes.big(8, 4)};
  if (format == "Radiance HDR") return radiance_size(bytes);
  if (format == "GIF") return {bytes.little(6, 2), bytes.little(8, 2)};
  if (format == "AVIF") return heif_size(bytes);
  return {};
}

}  // namespace

std::optional<ImageSize> image_size(const std::string& format, std::span<const std::uint8_t> bytes) {
  const auto size = size_of(format, HeaderBytes(bytes));
  if (size.width < 1 || size.height < 1) return std::nullopt;
  return size;
}

}  // namespace kindred
