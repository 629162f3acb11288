#include "file/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iostream>
#include <streambuf>
#include <system_error>
#include <utility>
#include <vector>

#include "file/folder_entries.h"
#include "file/new_folders.h"
#include "file/temporary_file.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// A file descriptor as a stream's buffer. A failed write is thrown with the system's reason, which
/// std::ofstream loses.
class DescriptorBuffer final : public std::streambuf {
 public:
  DescriptorBuffer(int descriptor, fs::path file)
      : descriptor_(descriptor), file_(std::move(file)), buffer_(1 << 20) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }

 protected:
  int_type overflow(int_type character) override {
    flush_buffer();
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(character);
      pbump(1);
    }
    return traits_type::not_eof(character);
  }

  std::streamsize xsputn(const char* data, std::streamsize size) override {
    if (size < epptr() - pptr()) {
      std::copy(data, data + size, pptr());  // not memcpy: what has no bytes may lie nowhere
      pbump(static_cast<int>(size));
      return size;
    }
    flush_buffer();
    write_all(data, static_cast<std::size_t>(size));
    return size;
  }

  int sync() override {
    flush_buffer();
    return 0;
  }

 private:
  void flush_buffer() {
    const auto size = static_cast<std::size_t>(pptr() - pbase());
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    write_all(buffer_.data(), size);
  }

  void write_all(const char* data, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, data, size);
      if (written < 0) {
        if (errno == EINTR) continue;
        throw DataError(file_, "cannot be written: " + std::generic_category().message(errno));
      }
      data += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  int descriptor_;
  fs::path file_;
  std::vector<char> buffer_;
};

void write_to(int descriptor, const fs::path& file, const std::function<void(std::ostream&)>& write) {
  DescriptorBuffer buffer(descriptor, file);
  std::ostream stream(&buffer);
  // Makes what the buffer throws reach the caller, at the first failed write.
  stream.exceptions(std::ios::badbit);
  write(stream);
  stream.flush();
  if (!stream) throw DataError(file, "cannot be written: its content could not be generated");
}

/// Into what is open already; takes the descriptor, -1 for one that could not be opened (errno).
void write_directly(int descriptor, const fs::path& file, const std::function<void(std::ostream&)>& write) {
  if (descriptor < 0) throw DataError(file, "cannot be written: " + std::generic_category().message(errno));
  struct Closing {
    ~Closing() { ::close(descriptor); }
    int descriptor;
  };
  const Closing closing{descriptor};
  std::cout.flush();  // it may go to the same place, where what was printed before comes first
  write_to(descriptor, file, write);
}

/// The descriptor of this process that a link stands for, as /dev/stdout and /dev/fd/63 do; -1 for others.
int descriptor_behind(fs::path link) {
  std::error_code error;
  const auto own = fs::canonical("/proc/self/fd", error);
  constexpr int most_links = 40;  // as the system follows
  for (int links = 0; !error && links < most_links; ++links) {
    const auto folder = fs::canonical(link.has_parent_path() ? link.parent_path() : fs::path("."), error);
    if (!error && folder == own) {
      const auto name = link.filename().string();
      int descriptor = -1;
      std::from_chars(name.data(), name.data() + name.size(), descriptor);
      return descriptor;
    }
    if (!error) link = folder / fs::read_symlink(link, error);
  }
  return -1;
}

}  // namespace

void write_atomically(const fs::path& file, const std::function<void(std::ostream&)>& write) {
  std::error_code error;
  fs::path target = file;
  // What a link points to is replaced, not the link.
  if (fs::is_symlink(fs::symlink_status(file, error))) {
    if (const int own = descriptor_behind(file); own >= 0) {
      write_directly(::fcntl(own, F_DUPFD_CLOEXEC, 0), file, write);
      return;
    }
    fs::path resolved = fs::weakly_canonical(file, error);
    if (!error) target = std::move(resolved);
  }
  if (!target.has_filename()) throw DataError(file, "cannot be written: it is not the name of a file");
  const auto there = fs::status(target, error);
  if (fs::is_block_file(there)) throw DataError(file, "cannot be written: it is a disk; name a file");
  if (fs::is_character_file(there) || fs::is_fifo(there) || fs::is_socket(there)) {
    write_directly(::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY), file, write);
    return;
  }
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  make_folders(folder, error);
  if (error) throw DataError(file, "its folder cannot be created: " + error.message());

  TemporaryFile temporary(target);
  write_to(temporary.descriptor(), file, write);
  temporary.move_to_target();
  sync_folder(folder);
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder may be writable and not readable; the file itself is synced
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  // Network file systems may have no such operation.
  if (result != 0 && error != EINVAL && error != ENOTSUP && error != EROFS) {
    throw DataError(folder, "cannot be written to disk: " + std::generic_category().message(error));
  }
}

void put_in_place(const fs::path& written, const fs::path& target) {
  std::error_code error;
  const bool is_folder = fs::is_directory(written, error);
  const int descriptor = ::open(written.c_str(), O_RDONLY | O_CLOEXEC | (is_folder ? O_DIRECTORY : 0));
  if (descriptor < 0) throw DataError(target, "cannot be written: " + std::generic_category().message(errno));
  // Of a folder with many files: all that its file system has not written yet, at once.
  const int result = is_folder ? ::syncfs(descriptor) : ::fsync(descriptor);
  const int failure = errno;
  ::close(descriptor);
  if (result != 0)
    throw DataError(target, "cannot be written to disk: " + std::generic_category().message(failure));
  fs::rename(written, target, error);
  if (error) throw DataError(target, "cannot be created from " + written.string() + ": " + error.message());
  sync_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

bool is_unfinished_file(const fs::path& file) {
  return file.filename().string().starts_with('.') && file.extension() == ".tmp";
}

void remove_unfinished_files(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& path : folder_entries(folder, ignored)) {
    if (is_unfinished_file(path)) fs::remove_all(path, ignored);
  }
}

}  // namespace kindred::file
