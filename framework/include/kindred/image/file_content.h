// What files are, by their first bytes; a name may say anything.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "kindred/core/export.h"

namespace kindred {

enum class ContentKind { image, video, other };

struct FileContent {
  ContentKind kind = ContentKind::other;
  std::string format;  ///< "JPEG", "HEIC", "MP4"; "" for ContentKind::other
};

/// By the signature at the start of a file, of which 256 bytes are enough.
[[nodiscard]] KINDRED_API FileContent content_of(std::span<const std::uint8_t> start);

/// The same for a file; ContentKind::other for what is not a regular file or cannot be read.
[[nodiscard]] KINDRED_API FileContent content_of(const std::filesystem::path& file);

/// What is wrong with a video where images are wanted, and what to do: "is a video (MP4), not an image: ...".
[[nodiscard]] KINDRED_API std::string video_text(const FileContent& video);

}  // namespace kindred
