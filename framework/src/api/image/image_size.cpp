#include "image_size.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <map>
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

/// IHDR, which comes first (ISO/IEC 15948, 5.6).
ImageSize png_size(const HeaderBytes& bytes) {
  if (bytes.text().substr(std::min<std::size_t>(12, bytes.size()), 4) != "IHDR") return {};
  return {bytes.big(16, 4), bytes.big(20, 4)};
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

/// Width and length of the image and of its tiles, each of which is decoded as a whole, in the first
/// directory (TIFF 6.0; BigTIFF has wider numbers). What decoders may take otherwise gives nothing: a tag
/// that is there twice, or is not one number.
ImageSize tiff_size(const HeaderBytes& bytes) {
  const bool little = bytes.byte(0) == 'I';
  const auto number = [&](std::size_t at, std::size_t count) {
    return little ? bytes.little(at, count) : bytes.big(at, count);
  };
  const bool big = number(2, 2) == 43;
  const std::size_t word = big ? 8 : 4;  // of places and of counts of values
  const auto directory = static_cast<std::size_t>(number(big ? 8 : 4, word));
  const auto entries = number(directory, big ? 8 : 2);
  enum : std::int64_t { image_width = 256, image_length, tile_width = 322, tile_length };
  std::map<std::int64_t, std::int64_t> found;
  for (std::int64_t i = 0; i < entries; ++i) {
    const auto at = directory + (big ? 8 : 2) + (4 + 2 * word) * static_cast<std::size_t>(i);
    if (at >= bytes.size()) return {};
    const auto tag = number(at, 2);
    if (tag != image_width && tag != image_length && tag != tile_width && tag != tile_length) continue;
    constexpr std::int64_t two_bytes = 3;
    constexpr std::int64_t four_bytes = 4;
    const auto type = number(at + 2, 2);
    const bool is_number = (type == two_bytes || type == four_bytes) && number(at + 4, word) == 1;
    if (!is_number || !found.emplace(tag, number(at + 4 + word, type == two_bytes ? 2 : 4)).second) return {};
  }
  if (!found.contains(image_width) || !found.contains(image_length)) return {};
  return {std::max(found[image_width], found[tile_width]), std::max(found[image_length], found[tile_length])};
}

/// Where the content of the first box jp2c begins (ITU T.800, I.4); the end of the file when there is none.
std::size_t first_codestream(const HeaderBytes& bytes) {
  std::size_t box = 0;
  while (box + 8 <= bytes.size()) {
    const bool is_long = bytes.big(box, 4) == 1;
    const std::size_t head = is_long ? 16 : 8;
    if (bytes.text().substr(box + 4, 4) == "jp2c") return box + head;
    const auto whole = static_cast<std::size_t>(is_long ? bytes.big(box + 8, 8) : bytes.big(box, 4));
    if (whole < head || whole > bytes.size() - box) break;
    box += whole;
  }
  return bytes.size();
}

/// The segment SIZ, with which a codestream begins (ITU T.800, A.5.1). Decoders take its size, and not that
/// of the box ihdr.
ImageSize jpeg2000_size(const HeaderBytes& bytes) {
  const auto at = bytes.byte(0) == 0xFF ? 0 : first_codestream(bytes);
  if (bytes.big(at, 4) != 0xFF4FFF51) return {};
  return {bytes.big(at + 8, 4) - bytes.big(at + 16, 4), bytes.big(at + 12, 4) - bytes.big(at + 20, 4)};
}

/// The next word of a Netpbm header; comments reach from '#' to the end of the line, of whatever system.
std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blank = " \t\r\n";
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    if (!text.starts_with('#')) break;
    text.remove_prefix(std::min(text.find_first_of("\r\n"), text.size()));
  }
  const auto word = text.substr(0, text.find_first_of(blank));
  text.remove_prefix(word.size());
  return word;
}

/// 0 for what is not a number from its beginning to its end.
std::int64_t number_of(std::string_view word) {
  std::int64_t number = 0;
  const auto* end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : 0;
}

ImageSize netpbm_size(const HeaderBytes& bytes) {
  auto text = bytes.text();
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

/// "-Y HEIGHT +X WIDTH" after an empty line. Decoders read lines in pieces, and may take a piece of a long
/// one for an empty line: a header with long lines gives nothing.
ImageSize radiance_size(const HeaderBytes& bytes) {
  constexpr std::size_t longest_line = 100;
  auto text = bytes.text();
  while (!text.starts_with('\n')) {
    const auto end = text.find('\n');
    if (end > longest_line || text.substr(0, end).find('\0') != std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
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
  const auto text = bytes.text();
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
  if (format == "PNG") return png_size(bytes);
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
