// Image files as other programs write them, and OpenCV does not: turned by their EXIF data, of palettes, inks
// and floats.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kindred::test {

inline std::string little_bytes(std::uint64_t number, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
  return bytes;
}

inline std::string big_bytes(std::uint64_t number, std::size_t count) {
  const auto little = little_bytes(number, count);
  return {little.rbegin(), little.rend()};
}

/// How an image is to be turned, and a thumbnail with an end mark of its own.
inline std::string exif_data(char orientation) {
  std::string tiff("II*\0\x08\0\0\0", 8);                        // little endian, first directory at 8
  tiff += std::string("\x01\0", 2);                              // one entry
  tiff += std::string("\x12\x01\x03\0\x01\0\0\0", 8);            // orientation, a short, one of them
  tiff += orientation + std::string("\0\0\0", 3);                // its value
  tiff += std::string("\0\0\0\0", 4) + "\xFF\xD8thumb\xFF\xD9";  // no further directory
  return tiff;
}

/// A JPEG with an EXIF segment that says how it is to be turned, and with a thumbnail that has an end mark of
/// its own.
inline std::string jpeg_with_exif(const std::string& jpeg, char orientation) {
  const std::string payload = std::string("Exif\0\0", 6) + exif_data(orientation);
  return jpeg.substr(0, 2) + "\xFF\xE1" + big_bytes(payload.size() + 2, 2) + payload + jpeg.substr(2);
}

/// A WebP of the extended format (RFC 9649, 2.7) with a chunk EXIF after the image.
inline std::string webp_with_exif(const std::string& webp, int width, int height, const std::string& exif) {
  const auto three = [](int number) { return little_bytes(static_cast<std::uint64_t>(number - 1), 3); };
  std::string chunks =
      "VP8X" + little_bytes(10, 4) + std::string("\x08\0\0\0", 4) + three(width) + three(height);
  chunks +=
      webp.substr(12) + "EXIF" + little_bytes(exif.size(), 4) + exif + std::string(exif.size() % 2, '\0');
  return "RIFF" + little_bytes(chunks.size() + 4, 4) + "WEBP" + chunks;
}

inline std::string png_chunk(const std::string& type, const std::string& content) {
  const auto bytes = type + content;
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  return big_bytes(content.size(), 4) + bytes + big_bytes(sum, 4);
}

constexpr std::size_t png_head_size = 33;  // signature and IHDR

/// @param color the color type: 0 gray, 2 RGB, 3 of a palette
/// @param rows the packed pixels of each row
/// @param chunks between the header and the pixels
inline std::string made_png(int width, int bits, int color, const std::vector<std::string>& rows,
                            const std::string& chunks = "") {
  std::string pixels;
  for (const auto& row : rows) pixels += '\0' + row;
  std::string packed(::compressBound(pixels.size()), '\0');
  uLongf size = packed.size();
  ::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(pixels.data()),
             pixels.size());
  packed.resize(size);
  return "\x89PNG\r\n\x1A\n" +
         png_chunk("IHDR", big_bytes(static_cast<std::uint64_t>(width), 4) + big_bytes(rows.size(), 4) +
                               static_cast<char>(bits) + static_cast<char>(color) + std::string(3, '\0')) +
         chunks + png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

inline std::string png_with_exif(const std::string& png, char orientation) {
  return png.substr(0, png_head_size) + png_chunk("eXIf", exif_data(orientation)) + png.substr(png_head_size);
}

/// An uncompressed TIFF (TIFF 6.0) of one strip.
struct MadeTiff {
  int width = 0;
  int height = 0;
  std::string pixels;   ///< their bytes
  int samples = 3;      ///< in a pixel: 1, 3 or 4
  int bits = 8;         ///< of a sample
  int photometric = 2;  ///< 1 gray, 2 RGB, 5 inks (CMYK)
  int format = 1;       ///< of a sample: 1 whole numbers, 3 floats
  int orientation = 1;
  bool big = false;  ///< as a BigTIFF, whose numbers are wider

  [[nodiscard]] std::string bytes() const {
    constexpr std::size_t entries = 11;
    const std::size_t word = big ? 8 : 4;
    const std::size_t head = big ? 16 : 8;
    const std::size_t behind = head + (big ? 8 : 2) + (4 + 2 * word) * entries + word;
    std::string directory;
    // A value that is too long for its entry lies behind the directory, before the pixels.
    std::string values;
    const auto entry = [&](std::uint64_t tag, int type, std::size_t count, std::string value) {
      if (value.size() > word) {
        const auto place = behind + values.size();
        values += value;
        value = little_bytes(place, word);
      }
      value.resize(word, '\0');
      directory += little_bytes(tag, 2) + little_bytes(static_cast<std::uint64_t>(type), 2) +
                   little_bytes(count, word) + value;
    };
    const auto shorts = [&](std::uint64_t tag, int value, int count = 1) {
      std::string all;
      for (int i = 0; i < count; ++i) all += little_bytes(static_cast<std::uint64_t>(value), 2);
      entry(tag, 3, static_cast<std::size_t>(count), all);
    };
    const auto longs = [&](std::uint64_t tag, std::size_t value) {
      entry(tag, 4, 1, little_bytes(value, 4));
    };
    const std::size_t of_samples = 2 * static_cast<std::size_t>(samples);
    longs(256, static_cast<std::size_t>(width));
    longs(257, static_cast<std::size_t>(height));
    shorts(258, bits, samples);
    shorts(259, 1);
    shorts(262, photometric);
    longs(273, behind + (of_samples > word ? 2 * of_samples : 0));
    shorts(274, orientation);
    shorts(277, samples);
    longs(278, static_cast<std::size_t>(height));
    longs(279, pixels.size());
    shorts(339, format, samples);
    const auto start = big ? "II+" + std::string("\0\x08\0\0\0", 5) + little_bytes(head, 8)
                           : "II*" + std::string("\0", 1) + little_bytes(head, 4);
    return start + little_bytes(entries, big ? 8 : 2) + directory + std::string(word, '\0') + values + pixels;
  }
};

}  // namespace kindred::test
