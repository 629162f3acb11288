#include "application/gallery_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/utf8.h"

namespace kindred::application {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "numbers of a log are written as they lie in memory");

constexpr std::string_view mark = "KGR1";
constexpr std::size_t head_size = 12;  // mark, size, checksum
constexpr std::uint32_t log_version = 1;
constexpr std::uint64_t longest_content = 3 * longest_text + 4 * longest_descriptor + 64;

enum class Kind : std::uint8_t { begin = 0, add = 1, remove = 2 };

std::string reason(int error) {
  return std::generic_category().message(error);
}

std::uint32_t checksum(const char* content, std::uint32_t size) {
  auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(&size), sizeof size);
  sum = ::crc32(sum, reinterpret_cast<const Bytef*>(content), size);
  return static_cast<std::uint32_t>(sum);
}

template <class Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& bytes, const std::string& text) {
  put(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

/// Room for the head of a record, which finish() fills in.
std::size_t start(std::string& bytes, Kind kind) {
  const auto begin = bytes.size();
  bytes.append(head_size, '\0');
  put(bytes, kind);
  return begin;
}

void finish(std::string& bytes, std::size_t begin) {
  const auto size = static_cast<std::uint32_t>(bytes.size() - begin - head_size);
  const auto sum = checksum(bytes.data() + begin + head_size, size);
  std::memcpy(bytes.data() + begin, mark.data(), mark.size());
  std::memcpy(bytes.data() + begin + 4, &size, sizeof size);
  std::memcpy(bytes.data() + begin + 8, &sum, sizeof sum);
}

/// The content of a record, from its beginning to its end.
class Content {
 public:
  explicit Content(std::string_view bytes) : bytes_(bytes) {}

  template <class Number>
  Number number() {
    Number number{};
    if (!has(sizeof number)) return number;
    std::memcpy(&number, bytes_.data() + position_, sizeof number);
    position_ += sizeof number;
    return number;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (!has(size)) return {};
    position_ += size;
    return std::string(bytes_.substr(position_ - size, size));
  }
  [[nodiscard]] std::size_t position() const { return position_; }
  /// Whether everything that was asked for was there, and `left` bytes are left.
  [[nodiscard]] bool ends_with(std::size_t left) const {
    return !short_ && bytes_.size() - position_ == left;
  }

 private:
  bool has(std::size_t count) {
    short_ = short_ || bytes_.size() - position_ < count;
    return !short_;
  }
  std::string_view bytes_;
  std::size_t position_ = 0;
  bool short_ = false;
};

/// The bytes of a log as they are asked for, from its beginning to its end.
class Window {
 public:
  explicit Window(const LogReader& reader)
      : reader_(reader), left_to_give_((std::uint64_t{1} << 30) + 64 * reader.size()) {}

  [[nodiscard]] std::uint64_t size() const { return reader_.size(); }
  /// nullptr when the file ends before. Valid until the next call. Throws DataError when far more bytes are
  /// asked for than the file has, as by a search for records in bytes that pretend to be one at every place:
  /// so the time to read a log is in proportion to its size.
  const char* bytes(std::uint64_t position, std::size_t count) {
    if (position > size() || size() - position < count) return nullptr;
    if (count > left_to_give_) {
      throw DataError(reader_.file(),
                      "is damaged: at too many places before byte " + std::to_string(position) +
                          " something looks like the beginning of a record and is none; restore it "
                          "from a copy, or make the gallery again");
    }
    left_to_give_ -= count;
    if (position < begin_ || position + count > begin_ + buffer_.size()) {
      constexpr std::size_t at_a_time = 4 << 20;
      buffer_.resize(
          static_cast<std::size_t>(std::min<std::uint64_t>(size() - position, std::max(count, at_a_time))));
      begin_ = position;
      reader_.read(position, buffer_.data(), buffer_.size());
    }
    return buffer_.data() + (position - begin_);
  }

 private:
  const LogReader& reader_;
  std::uint64_t left_to_give_;
  std::vector<char> buffer_;
  std::uint64_t begin_ = 0;
};

/// The content of the record at a position; nothing when there is no whole one.
std::optional<std::string_view> record_at(Window& window, std::uint64_t position) {
  const auto* head = window.bytes(position, head_size);
  if (head == nullptr || std::string_view(head, mark.size()) != mark) return std::nullopt;
  std::uint32_t size = 0;
  std::uint32_t sum = 0;
  std::memcpy(&size, head + 4, sizeof size);
  std::memcpy(&sum, head + 8, sizeof sum);
  if (size == 0 || size > longest_content) return std::nullopt;
  // From the head on, as a search goes on just after it: the window never goes back.
  const auto* record = window.bytes(position, head_size + size);
  if (record == nullptr || checksum(record + head_size, size) != sum) return std::nullopt;
  return std::string_view(record + head_size, size);
}

/// Where the next whole record begins; the file's size when there is none.
std::uint64_t next_record(Window& window, std::uint64_t position) {
  for (; position + head_size <= window.size(); ++position) {
    const auto* head = window.bytes(position, mark.size());
    if (std::string_view(head, mark.size()) == mark && record_at(window, position)) return position;
  }
  return window.size();
}

/// Whether it has the length to which add() scales, up to rounding; false for what is not finite.
bool is_of_length_1(const std::vector<float>& row) {
  const auto square = std::transform_reduce(row.begin(), row.end(), 0.0, std::plus<>(),
                                            [](double number) { return number * number; });
  return std::abs(std::sqrt(square) - 1) < 1e-6;
}

/// What the visitor was told of a record.
enum class Told {
  all,
  nothing_known,  ///< its content makes no sense, or is that of a later version
  no_direction,   ///< its descriptor is not of length 1
};

/// Tells the visitor of a record, unless its content is what only a faulty writer leaves.
Told visit(std::string_view bytes, std::uint64_t position, std::int64_t dim, const LogVisitor& visitor) {
  Content content(bytes);
  switch (content.number<Kind>()) {
    case Kind::begin:
      break;
    case Kind::add: {
      auto id = content.text();
      EntryInfo info;
      info.camera = content.number<std::int64_t>();
      const bool timed = content.number<std::uint8_t>() != 0;
      const auto time = content.number<std::int64_t>();
      if (timed) info.time = time;
      info.label = content.text();
      info.image = content.text();
      const bool texts = !id.empty() && is_utf8(id) && is_utf8(info.label) && is_utf8(info.image);
      if (!texts || !content.ends_with(static_cast<std::size_t>(dim) * sizeof(float))) break;
      std::vector<float> row(static_cast<std::size_t>(dim));
      std::memcpy(row.data(), bytes.data() + content.position(), row.size() * sizeof(float));
      if (!is_of_length_1(row)) return Told::no_direction;
      visitor.add(std::move(id), std::move(info), row.data(), position + head_size + content.position());
      return Told::all;
    }
    case Kind::remove: {
      const auto id = content.text();
      if (!content.ends_with(0)) break;
      visitor.remove(id);
      return Told::all;
    }
  }
  return Told::nothing_known;
}

/// What is wrong with the bytes of a log in which a record should be, and what to do.
std::string damage_text(const std::string& bytes, bool record, Told told) {
  if (record && told == Told::nothing_known) {
    return "holds a record that this Kindred does not understand: " + bytes +
           "; use a later Kindred, restore it from a copy, ";
  }
  return "is damaged: the " + bytes +
         (record ? " hold a descriptor that is not of length 1" : " are no record, but records follow") +
         "; restore it from a copy, ";
}

}  // namespace

std::string begin_record(std::int64_t dim, const std::string& model) {
  std::string bytes;
  const auto begin = start(bytes, Kind::begin);
  put(bytes, log_version);
  put(bytes, static_cast<std::uint32_t>(dim));
  put_text(bytes, model);
  finish(bytes, begin);
  return bytes;
}

void append_add_record(std::string& bytes, const std::string& id, const EntryInfo& info, const float* row,
                       std::int64_t dim) {
  const auto begin = start(bytes, Kind::add);
  put_text(bytes, id);
  put(bytes, info.camera);
  put(bytes, static_cast<std::uint8_t>(info.time ? 1 : 0));
  put(bytes, info.time.value_or(0));
  put_text(bytes, info.label);
  put_text(bytes, info.image);
  bytes.append(reinterpret_cast<const char*>(row), static_cast<std::size_t>(dim) * sizeof(float));
  finish(bytes, begin);
}

std::string remove_record(const std::string& id) {
  std::string bytes;
  const auto begin = start(bytes, Kind::remove);
  put_text(bytes, id);
  finish(bytes, begin);
  return bytes;
}

LogState read_log(const LogReader& log, bool skip_damaged, const LogVisitor& visitor) {
  const auto& file = log.file();
  Window window(log);
  const auto first = record_at(window, 0);
  Content begin(first.value_or(""));
  if (!first || begin.number<Kind>() != Kind::begin) {
    throw DataError(
        file,
        "is not the log of a gallery, or its beginning is damaged; restore it from a copy, or make "
        "the gallery again");
  }
  const auto version = begin.number<std::uint32_t>();
  if (version != log_version) {
    throw DataError(file, "is of version " + std::to_string(version) +
                              " of a gallery's log, but this Kindred reads " + std::to_string(log_version) +
                              "; use the Kindred that wrote it, or a later one");
  }
  const std::int64_t dim = begin.number<std::uint32_t>();
  const auto model = begin.text();
  if (!begin.ends_with(0) || dim < 1 || dim > longest_descriptor) {
    throw DataError(file, "is damaged: its beginning makes no sense; restore it from a copy");
  }
  visitor.begin(dim, model);

  LogState state;
  state.end = head_size + first->size();
  std::uint64_t position = state.end;
  while (position < window.size()) {
    const auto record = record_at(window, position);
    const auto told = record ? visit(*record, position, dim, visitor) : Told::nothing_known;
    if (told == Told::all) {
      position += head_size + record->size();
      state.end = position;
      continue;
    }
    const auto next = next_record(window, record ? position + head_size + record->size() : position + 1);
    const bool last = next == window.size() && !record;
    const auto bytes = std::to_string(next - position) + " bytes at " + std::to_string(position);
    if (last) {
      state.notes.push_back(file.string() + ": its end, " + bytes +
                            ", is a record that was never finished, or is being written now; it is left out");
      break;
    }
    if (!skip_damaged) {
      throw DataError(file, damage_text(bytes, record.has_value(), told) +
                                "or open it with skip_damaged, which leaves them out");
    }
    state.notes.push_back("warning: " + file.string() + " is damaged: " + bytes + " are left out");
    position = next;
    state.end = position;
  }
  return state;
}

LogWriter::LogWriter(fs::path file, std::uint64_t end) : file_(std::move(file)), end_(end) {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw DataError(file_, "cannot be written: " + reason(errno));
  struct stat status {};
  const auto length = static_cast<off_t>(end_);
  const bool cut = ::fstat(descriptor_, &status) != 0 || status.st_size > length;
  if ((cut && ::ftruncate(descriptor_, length) != 0) || ::lseek(descriptor_, length, SEEK_SET) < 0) {
    const int error = errno;
    ::close(descriptor_);
    throw DataError(file_, "cannot be written: " + reason(error));
  }
}

LogWriter::~LogWriter() {
  ::close(descriptor_);
}

void LogWriter::append(const std::string& records) {
  std::size_t written = 0;
  while (written < records.size()) {
    const auto count = ::write(descriptor_, records.data() + written, records.size() - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    const int error = errno;
    // What stands there already would be a record that was never finished, to which others are appended.
    const auto length = static_cast<off_t>(end_);
    if (::ftruncate(descriptor_, length) != 0 || ::lseek(descriptor_, length, SEEK_SET) < 0) {
      // Nothing may be appended to it any more.
      const int second = errno;
      ::close(std::exchange(descriptor_, -1));
      throw DataError(file_, "cannot be written: " + reason(error) + ", and its end cannot be cut off: " +
                                 reason(second) + "; open the gallery again before anything is added");
    }
    throw DataError(file_, "cannot be written: " + reason(error) + "; nothing was added");
  }
  end_ += records.size();
}

void LogWriter::sync() {
  if (::fdatasync(descriptor_) != 0) throw DataError(file_, "cannot be written to disk: " + reason(errno));
}

LogReader::LogReader(fs::path file) : file_(std::move(file)) {
  descriptor_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    const int error = errno;
    throw DataError(file_, error == ENOENT ? "does not exist" : "cannot be read: " + reason(error));
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw DataError(file_, "is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

LogReader::~LogReader() {
  ::close(descriptor_);
}

void LogReader::read(std::uint64_t position, void* data, std::size_t size) const {
  auto* to = static_cast<char*>(data);
  while (size > 0) {
    const auto count = ::pread(descriptor_, to, size, static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw DataError(file_, "cannot be read: " + reason(errno));
    if (count == 0) throw DataError(file_, "has become shorter while it was read; nobody else may write it");
    to += count;
    position += static_cast<std::uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

}  // namespace kindred::application
