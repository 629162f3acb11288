// TensorBoard's event files: records of protobuf messages, appended.
//
// A record is the length of its data (8 bytes, the lowest first), the masked CRC-32C of these 8 bytes, the
// data, and their masked CRC-32C. The data are a message Event (tensorboard/compat/proto/event.proto), of
// which five fields are needed, and a Summary of scalars and images. They are written by hand here:
// protobuf's library and its generated code would be a dependency, and a part of the launcher's start, for
// two hundred bytes of format that have not changed since 2016.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kindred::file {

/// CRC-32C (Castagnoli; RFC 3720, B.4).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

class EventFile {
 public:
  using Scalar = std::pair<std::string, double>;  ///< tag, value

  struct Image {
    std::string tag;
    int height = 0;
    int width = 0;
    std::string_view bytes;  ///< of a PNG or JPEG file, RGB
  };

  /// Makes the file and writes which version of the format it has. Throws DataError when the file is there
  /// already or cannot be written; so do the functions below.
  /// @param wall_time here and below: seconds since 1970
  EventFile(std::filesystem::path file, double wall_time);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Says that a reader is to forget all that it has read of this step and later ones, in this file or in
  /// another one of the folder.
  void start_session(std::int64_t step, double wall_time);
  /// Values of one moment, stored in 32 bits.
  void add(std::int64_t step, double wall_time, std::span<const Scalar> scalars);
  void add(std::int64_t step, double wall_time, const Image& image);

 private:
  void append_summary(std::int64_t step, double wall_time, const std::string& summary);
  void append(const std::string& event);

  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace kindred::file
