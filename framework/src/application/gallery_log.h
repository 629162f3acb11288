// A gallery on disk: gallery.log, to which records are appended.
//
// A record is, with all numbers little-endian: "KGR1", the number n of bytes of its content (32 bits), the
// CRC-32 of these four bytes and the content, the content. The first byte of the content is the kind:
//
//   0  begin    version (32 bits), dim (32 bits), model: once, first
//   1  add      id, camera (64 bits), whether there is a time (8 bits), time (64 bits), label, image,
//               dim 32-bit floats
//   2  remove   id
//
// Texts have their number of bytes (32 bits) before them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kindred/search.h"

namespace kindred::application {

inline constexpr const char* gallery_log_name = "gallery.log";

/// The longest id, label and path of an image, and the longest descriptor, in bytes and in numbers.
inline constexpr std::size_t longest_text = 64 << 10;
inline constexpr std::int64_t longest_descriptor = 1 << 20;

[[nodiscard]] std::string begin_record(std::int64_t dim, const std::string& model);
/// Appends to `bytes`.
/// @param row of `dim` numbers
void append_add_record(std::string& bytes, const std::string& id, const EntryInfo& info, const float* row,
                       std::int64_t dim);
[[nodiscard]] std::string remove_record(const std::string& id);

/// Reads anywhere in a log that others append to, or put another in the place of: it stays the file that was
/// opened.
class LogReader {
 public:
  /// Throws DataError when the file is missing or cannot be read.
  explicit LogReader(std::filesystem::path file);
  ~LogReader();
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  /// May be called by many threads at once. Throws DataError.
  void read(std::uint64_t position, void* data, std::size_t size) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;  ///< when it was opened
};

/// Who is told what a log holds, in its order.
struct LogVisitor {
  std::function<void(std::int64_t dim, const std::string& model)> begin;
  /// @param row the descriptor, of length 1, valid during the call, and where in the file it begins
  std::function<void(std::string id, EntryInfo info, const float* row, std::uint64_t position)> add;
  std::function<void(const std::string& id)> remove;
};

struct LogState {
  std::uint64_t end = 0;           ///< of the last whole record
  std::vector<std::string> notes;  ///< what was dropped
};

/// Reads a log. What comes after the last whole record was never finished: it is left out, with a note.
/// Throws DataError when the file is no log, or damaged before that, with the position; a descriptor that is
/// not of length 1 is damage. With `skip_damaged` what is damaged is left out, with a note.
[[nodiscard]] LogState read_log(const LogReader& log, bool skip_damaged, const LogVisitor& visitor);

/// Appends to a log.
class LogWriter {
 public:
  /// Cuts off what comes after `end`.
  LogWriter(std::filesystem::path file, std::uint64_t end);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Hands records over to the system: they survive the end of this process. Throws DataError when they
  /// cannot be written, the disk is full; the log is as it was then.
  void append(const std::string& records);
  /// They survive a loss of power.
  void sync();

  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
};

}  // namespace kindred::application
