// environment.json: what a training was computed on and with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kindred::results {

/// What may explain a difference in the last bits. An object with these keys, in this order.
struct EnvironmentFile {
  static constexpr const char* name = "environment.json";

  std::string kindred;  ///< its version, as the next two
  std::string libtorch;
  std::string opencv;
  std::string blas;
  std::string device;  ///< "cuda:0: NVIDIA H100"
  std::string processor;
  std::int64_t threads = 0;
  std::string memory_format;
  std::string precision;  ///< "fp32"

  /// Key and value as text, in order: for people.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> entries() const;

  /// Throws DataError when the file cannot be read or is damaged.
  [[nodiscard]] static EnvironmentFile read(const std::filesystem::path& file);
  /// Atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
