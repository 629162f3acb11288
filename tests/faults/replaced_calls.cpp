// Functions of the C library with which programs call the system: each asks the plan (fault_plan.h) what
// happens, and does its work without the C library below, which other functions of it may call.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "fault_plan.h"

using namespace kindred::faults;

extern "C" {
// glibc's own, below those that are replaced here.
void* __libc_malloc(size_t);            // NOLINT
void* __libc_calloc(size_t, size_t);    // NOLINT
void* __libc_realloc(void*, size_t);    // NOLINT
void* __libc_memalign(size_t, size_t);  // NOLINT
}

namespace {

/// The function of this name in the libraries below.
template <typename Function>
Function* next(const char* name) {
  const OwnCalls own;
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool writes(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
}

bool writes(const char* mode) {
  return std::strpbrk(mode, "wa+") != nullptr;
}

/// A call that returns -1 where it fails, with its effect.
template <typename Function>
auto with(int effect, const Function& call) -> decltype(call()) {
  if (effect > 0) {
    errno = effect;
    return -1;
  }
  const auto outcome = call();
  kill_after(effect);
  return outcome;
}

int open_with(int folder, const char* path, int flags, mode_t mode) {
  const int effect = at_path(writes(flags) ? Call::open : Call::look, folder, path);
  return with(effect, [&] { return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode)); });
}

FILE* fopen_with(const char* name, const char* path, const char* mode) {
  const int effect = at_path(writes(mode) ? Call::open : Call::look, AT_FDCWD, path);
  if (effect > 0) {
    errno = effect;
    return nullptr;
  }
  const OwnCalls own;
  FILE* file = next<FILE*(const char*, const char*)>(name)(path, mode);
  kill_after(effect);
  return file;
}

/// @param result where the kernel puts what it knows; the C library has the same structure
int look_at(int folder, const char* path, void* result, int flags) {
  return with(at_path(Call::stat, folder, path),
              [&] { return static_cast<int>(syscall(SYS_newfstatat, folder, path, result, flags)); });
}

int look_at(int file, void* result) {
  return with(at_file(Call::stat, file), [&] { return static_cast<int>(syscall(SYS_fstat, file, result)); });
}

/// The next entry of a folder, or nullptr.
template <typename Entry>
Entry* entry_with(const char* name, DIR* folder) {
  const int effect = at_file(Call::read, dirfd(folder));
  if (effect > 0) {
    errno = effect;
    return nullptr;
  }
  auto* entry = next<Entry*(DIR*)>(name)(folder);
  kill_after(effect);
  return entry;
}

/// Of a file that is open for writing: where others are closed, nothing can be lost.
int at_closing(int file) {
  const int error = errno;
  const auto flags = syscall(SYS_fcntl, file, F_GETFL);
  errno = error;
  return flags >= 0 && writes(static_cast<int>(flags) & O_ACCMODE) ? at_file(Call::close, file) : 0;
}

std::size_t half_of(std::size_t size, int effect) {
  return effect == short_write && size > 1 ? size / 2 : size;
}

void* refused_memory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

// NOLINTBEGIN: names and parameters are those of the C library.
extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return open_with(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return open_with(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
FILE* fopen(const char* path, const char* mode) {
  return fopen_with("fopen", path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return fopen_with("fopen64", path, mode);
}

int stat(const char* path, struct stat* result) noexcept {
  return look_at(AT_FDCWD, path, result, 0);
}
int stat64(const char* path, struct stat64* result) noexcept {
  return look_at(AT_FDCWD, path, result, 0);
}
int lstat(const char* path, struct stat* result) noexcept {
  return look_at(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int lstat64(const char* path, struct stat64* result) noexcept {
  return look_at(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int fstatat(int folder, const char* path, struct stat* result, int flags) noexcept {
  return look_at(folder, path, result, flags);
}
int fstatat64(int folder, const char* path, struct stat64* result, int flags) noexcept {
  return look_at(folder, path, result, flags);
}
int fstat(int file, struct stat* result) noexcept {
  return look_at(file, result);
}
int fstat64(int file, struct stat64* result) noexcept {
  return look_at(file, result);
}

ssize_t read(int file, void* data, size_t size) {
  return with(at_file(Call::read, file), [&] { return syscall(SYS_read, file, data, size); });
}
ssize_t pread(int file, void* data, size_t size, off_t at) {
  return with(at_file(Call::read, file), [&] { return syscall(SYS_pread64, file, data, size, at); });
}
ssize_t pread64(int file, void* data, size_t size, off64_t at) {
  return with(at_file(Call::read, file), [&] { return syscall(SYS_pread64, file, data, size, at); });
}
struct dirent* readdir(DIR* folder) {
  return entry_with<struct dirent>("readdir", folder);
}
struct dirent64* readdir64(DIR* folder) {
  return entry_with<struct dirent64>("readdir64", folder);
}
size_t fread(void* data, size_t size, size_t count, FILE* file) {
  if (const int effect = at_file(Call::read, fileno(file)); effect > 0) {
    errno = effect;
    return 0;
  }
  static auto* below = next<size_t(void*, size_t, size_t, FILE*)>("fread");
  return below(data, size, count, file);
}

ssize_t write(int file, const void* data, size_t size) {
  const int effect = at_file(Call::write, file);
  return with(effect, [&] { return syscall(SYS_write, file, data, half_of(size, effect)); });
}
ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  const int effect = at_file(Call::write, file);
  return with(effect, [&] { return syscall(SYS_pwrite64, file, data, half_of(size, effect), at); });
}
ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  const int effect = at_file(Call::write, file);
  return with(effect, [&] { return syscall(SYS_pwrite64, file, data, half_of(size, effect), at); });
}
ssize_t writev(int file, const struct iovec* parts, int count) {
  const int effect = at_file(Call::write, file);
  return with(effect, [&] {
    return syscall(SYS_writev, file, parts, effect == short_write && count > 1 ? count - 1 : count);
  });
}
size_t fwrite(const void* data, size_t size, size_t count, FILE* file) {
  const int effect = at_file(Call::write, fileno(file));
  if (effect > 0) {
    errno = effect;
    return 0;
  }
  static auto* below = next<size_t(const void*, size_t, size_t, FILE*)>("fwrite");
  const auto written = below(data, size, half_of(count, effect), file);
  return with(effect == short_write ? 0 : effect, [&] { return static_cast<ssize_t>(written); });
}
int fflush(FILE* file) {
  const int effect = file == nullptr ? 0 : at_file(Call::write, fileno(file));
  static auto* below = next<int(FILE*)>("fflush");
  return with(effect, [&] { return below(file); });
}
ssize_t sendfile(int to, int from, off_t* at, size_t size) noexcept {
  const int effect = at_file(Call::write, to);
  return with(effect, [&] { return syscall(SYS_sendfile, to, from, at, half_of(size, effect)); });
}
ssize_t sendfile64(int to, int from, off64_t* at, size_t size) noexcept {
  const int effect = at_file(Call::write, to);
  return with(effect, [&] { return syscall(SYS_sendfile, to, from, at, half_of(size, effect)); });
}
ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t size, unsigned flags) {
  const int effect = at_file(Call::write, to);
  return with(effect, [&] {
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, half_of(size, effect), flags);
  });
}

int fsync(int file) {
  return with(at_file(Call::sync, file), [&] { return static_cast<int>(syscall(SYS_fsync, file)); });
}
int fdatasync(int file) {
  return with(at_file(Call::sync, file), [&] { return static_cast<int>(syscall(SYS_fdatasync, file)); });
}
int syncfs(int file) noexcept {
  return with(at_file(Call::sync, file, "*"), [&] { return static_cast<int>(syscall(SYS_syncfs, file)); });
}

int close(int file) {
  const int effect = at_closing(file);
  const auto closed = static_cast<int>(syscall(SYS_close, file));
  return with(closed == 0 ? effect : 0, [&] { return closed; });
}
int fclose(FILE* file) {
  const int effect = at_closing(fileno(file));
  static auto* below = next<int(FILE*)>("fclose");
  const int closed = below(file);
  return with(closed == 0 ? effect : 0, [&] { return closed; });
}

int rename(const char* from, const char* to) noexcept {
  return with(at_path(Call::rename, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return with(at_path(Call::rename, to_folder, to, from_folder, from),
              [&] { return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, 0)); });
}
int link(const char* from, const char* to) noexcept {
  return with(at_path(Call::rename, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)); });
}
int symlink(const char* from, const char* to) noexcept {
  return with(at_path(Call::rename, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_symlinkat, from, AT_FDCWD, to)); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return with(at_path(Call::mkdir, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode)); });
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return with(at_path(Call::mkdir, folder, path),
              [&] { return static_cast<int>(syscall(SYS_mkdirat, folder, path, mode)); });
}
char* mkdtemp(char* path) noexcept {
  if (const int effect = at_path(Call::mkdir, AT_FDCWD, path); effect > 0) {
    errno = effect;
    return nullptr;
  }
  static auto* below = next<char*(char*)>("mkdtemp");
  return below(path);
}

int unlink(const char* path) noexcept {
  return with(at_path(Call::unlink, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0)); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return with(at_path(Call::unlink, folder, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, folder, path, flags)); });
}
int rmdir(const char* path) noexcept {
  return with(at_path(Call::unlink, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)); });
}
int remove(const char* path) noexcept {
  return with(at_path(Call::unlink, AT_FDCWD, path), [&] {
    static auto* below = next<int(const char*)>("remove");
    return below(path);
  });
}

int truncate(const char* path, off_t length) noexcept {
  return with(at_path(Call::truncate, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_truncate, path, length)); });
}
int truncate64(const char* path, off64_t length) noexcept {
  return with(at_path(Call::truncate, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_truncate, path, length)); });
}
int ftruncate(int file, off_t length) noexcept {
  return with(at_file(Call::truncate, file),
              [&] { return static_cast<int>(syscall(SYS_ftruncate, file, length)); });
}
int ftruncate64(int file, off64_t length) noexcept {
  return with(at_file(Call::truncate, file),
              [&] { return static_cast<int>(syscall(SYS_ftruncate, file, length)); });
}
int flock(int file, int operation) noexcept {
  return with(at_file(Call::lock, file),
              [&] { return static_cast<int>(syscall(SYS_flock, file, operation)); });
}

void* mmap(void* address, size_t length, int protection, int flags, int file, off_t at) noexcept {
  if (const int effect = at_call(Call::map); effect > 0) {
    errno = effect;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, length, protection, flags, file, at));
}
void* mmap64(void* address, size_t length, int protection, int flags, int file, off64_t at) noexcept {
  return mmap(address, length, protection, flags, file, at);
}

void* malloc(size_t size) noexcept {
  return refused(size) ? refused_memory() : __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
  return refused(count * size) ? refused_memory() : __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) noexcept {
  return refused(size) ? refused_memory() : __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) noexcept {
  return refused(size) ? refused_memory() : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return refused(size) ? refused_memory() : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  if (refused(size)) return ENOMEM;
  void* made = __libc_memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *memory = made;
  return 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  if (const int effect = at_call(Call::thread); effect > 0) return effect;
  static auto* below =
      next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return below(thread, attributes, start, argument);
}

int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
  const auto outcome = static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  if (clock == CLOCK_REALTIME) now->tv_sec += clock_shift();
  return outcome;
}
int gettimeofday(struct timeval* now, void*) noexcept {
  struct timespec exact {};
  const int outcome = clock_gettime(CLOCK_REALTIME, &exact);
  *now = {exact.tv_sec, exact.tv_nsec / 1000};
  return outcome;
}
time_t time(time_t* now) noexcept {
  struct timespec exact {};
  static_cast<void>(clock_gettime(CLOCK_REALTIME, &exact));
  if (now != nullptr) *now = exact.tv_sec;
  return exact.tv_sec;
}

}  // extern "C"
// NOLINTEND
