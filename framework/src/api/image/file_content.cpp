#include "kindred/image/file_content.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <string_view>
#include <system_error>

namespace kindred {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t start_size = 256;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  ContentKind kind;
  const char* format;
};

constexpr auto image = ContentKind::image;
constexpr auto video = ContentKind::video;

constexpr std::array<Signature, 28> signatures = {{
    {0, "\xFF\xD8\xFF"sv, image, "JPEG"},
    {0, "\x89PNG\r\n\x1A\n"sv, image, "PNG"},
    {8, "WEBP"sv, image, "WebP"},
    {0, "II*\0"sv, image, "TIFF"},
    {0, "MM\0*"sv, image, "TIFF"},
    {0, "II+\0"sv, image, "TIFF"},
    {0, "MM\0+"sv, image, "TIFF"},
    {0, "\0\0\0\x0CjP  \r\n\x87\n"sv, image, "JPEG 2000"},
    {0, "\xFF\x4F\xFF\x51"sv, image, "JPEG 2000"},
    {0, "\x59\xA6\x6A\x95"sv, image, "Sun raster"},
    {0, "#?RADIANCE"sv, image, "Radiance HDR"},
    {0, "#?RGBE"sv, image, "Radiance HDR"},
    {0, "GIF87a"sv, image, "GIF"},
    {0, "GIF89a"sv, image, "GIF"},
    {0, "\0\0\0\x0CJXL \r\n\x87\n"sv, image, "JPEG XL"},
    {0, "\xFF\x0A"sv, image, "JPEG XL"},
    {0, "\x76\x2F\x31\x01"sv, image, "OpenEXR"},
    {0, "8BPS"sv, image, "Photoshop"},
    {8, "AVI "sv, video, "AVI"},
    {4, "moov"sv, video, "QuickTime"},
    {4, "mdat"sv, video, "QuickTime"},
    {0, "\x1A\x45\xDF\xA3"sv, video, "Matroska or WebM"},
    {0, "FLV\x01"sv, video, "Flash Video"},
    {0, "\0\0\x01\xBA"sv, video, "MPEG"},
    {0, "\0\0\x01\xB3"sv, video, "MPEG"},
    {0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, video, "Windows Media"},
    {0, "OggS"sv, video, "Ogg"},
    {0, "qoif"sv, image, "QOI"},
}};

/// Two letters are not enough: the size of the second header says more (12 for OS/2, 40 and up for Windows).
bool is_bmp(std::string_view start) {
  constexpr std::array<unsigned, 7> sizes = {12, 40, 52, 56, 64, 108, 124};
  return start.starts_with("BM") && start.size() > 18 && start.substr(15, 3) == "\0\0\0"sv &&
         std::find(sizes.begin(), sizes.end(), static_cast<unsigned char>(start[14])) != sizes.end();
}

/// P1 to P6, a blank, and a number or a comment; or P7 (PAM).
bool is_netpbm(std::string_view start) {
  if (start.starts_with("P7\n")) return true;
  return start.size() > 3 && start[0] == 'P' && start[1] >= '1' && start[1] <= '6' &&
         " \t\r\n"sv.find(start[2]) != std::string_view::npos &&
         "#0123456789"sv.find(start[3]) != std::string_view::npos;
}

/// Packets of 188 bytes, each with a mark.
bool is_transport_stream(std::string_view start) {
  return start.size() > 188 && start[0] == '\x47' && start[188] == '\x47';
}

/// ISO base media (ISO/IEC 14496-12): the brands in its first box tell pictures from videos.
FileContent iso_media(std::string_view start) {
  const auto brand = start.substr(8, 4);
  const auto size = std::min<std::size_t>(start.size(), static_cast<unsigned char>(start[3]));
  const auto brands = start.substr(8, size > 8 ? size - 8 : 4);
  if (brands.find("avif") != std::string_view::npos || brands.find("avis") != std::string_view::npos) {
    return {image, "AVIF"};
  }
  for (const auto known : {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv, "mif1"sv, "msf1"sv}) {
    if (brand == known) return {image, "HEIC"};
  }
  return {video, brand == "qt  " ? "QuickTime" : "MP4"};
}

}  // namespace

FileContent content_of(std::span<const std::uint8_t> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min(bytes.size(), start_size));
  if (start.size() >= 12 && start.substr(4, 4) == "ftyp") return iso_media(start);
  if (is_bmp(start)) return {image, "BMP"};
  if (is_netpbm(start)) return {image, "Netpbm"};
  if (is_transport_stream(start)) return {video, "MPEG"};
  for (const auto& known : signatures) {
    if (known.offset == 8 && !start.starts_with("RIFF")) continue;
    if (start.size() > known.offset && start.substr(known.offset).starts_with(known.bytes)) {
      return {known.kind, known.format};
    }
  }
  return {};
}

FileContent content_of(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) return {};
  std::array<std::uint8_t, start_size> start{};
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(start.data()), start.size());
  return content_of(
      std::span(start).first(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0))));
}

std::string video_text(const FileContent& content) {
  return "is a video (" + content.format +
         "), not an image: cut the people out of its frames with a detector and a tracker, and give the "
         "folder of these crops, one folder for each person where people are known";
}

}  // namespace kindred
