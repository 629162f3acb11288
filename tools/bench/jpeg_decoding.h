// Decoding of JPEGs and nothing else: what a loader cannot be faster than, unless it decodes less.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "speed/turns.h"

namespace kindred::bench {

enum class JpegDecoder { opencv, turbojpeg };

/// Whether this program was built with TurboJPEG's own interface.
[[nodiscard]] bool has_turbojpeg();

/// Decodes the contents of files, which lie in memory, to 8-bit colors. A step is a batch.
class JpegDecoding final : public speed::Contestant {
 public:
  JpegDecoding(const std::vector<std::filesystem::path>& files, JpegDecoder decoder, std::int64_t threads,
               std::int64_t batch);
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] double run(std::int64_t steps) override;

 private:
  void decode(std::size_t first, std::size_t last) const;

  std::vector<std::vector<unsigned char>> contents_;
  JpegDecoder decoder_;
  std::int64_t threads_;
  std::int64_t batch_;
};

}  // namespace kindred::bench
