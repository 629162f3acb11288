// A library for LD_PRELOAD under which one call to the system fails, or the process is killed at it.
//
// What it does is said by the environment:
//   KINDRED_FAULT=CALL:N:EFFECT   the Nth call (from 1) of a kind has the effect; N+ means it and all after
//   it.
//     CALL    open (for writing), look (open for reading), read, write, sync, rename, mkdir, unlink,
//     truncate,
//             lock, map, allocate, thread
//     EFFECT  the name of an error, such as ENOSPC; KILL: SIGKILL instead of the call; KILLED: SIGKILL after
//     it;
//             SHORT (write): half of the bytes are written
//   KINDRED_FAULT_UNDER=FOLDER    calls on files count only for files in this folder; the others are left
//   alone KINDRED_FAULT_BYTES=N         allocations count from this size on [65536] KINDRED_FAULT_LOG=FILE
//   one line for each call that counts: CALL N PATH STACK KINDRED_FAULT_CLOCK=N:SECONDS from the Nth look at
//   the wall clock on, it is SECONDS later (or earlier)
// Only the process itself is meant, not the programs that it starts.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

extern "C" {
// glibc's own, below those that are replaced here.
void* __libc_malloc(size_t);            // NOLINT
void* __libc_calloc(size_t, size_t);    // NOLINT
void* __libc_realloc(void*, size_t);    // NOLINT
void* __libc_memalign(size_t, size_t);  // NOLINT
}

namespace {

enum Call {
  open_call,
  look,
  read_call,
  write_call,
  sync_call,
  rename_call,
  mkdir_call,
  unlink_call,
  truncate_call,
  lock_call,
  map,
  allocate,
  thread_call,
  call_count
};

constexpr const char* call_names[] = {"open",   "look",     "read", "write", "sync",     "rename", "mkdir",
                                      "unlink", "truncate", "lock", "map",   "allocate", "thread"};
static_assert(sizeof call_names / sizeof *call_names == call_count);

struct Effect {
  const char* name;
  int error;
};
constexpr int kill_before = -1;
constexpr int kill_after = -2;
constexpr int short_write = -3;
constexpr Effect effects[] = {{"KILL", kill_before}, {"KILLED", kill_after}, {"SHORT", short_write},
                              {"ENOSPC", ENOSPC},    {"EIO", EIO},           {"EACCES", EACCES},
                              {"EROFS", EROFS},      {"EMFILE", EMFILE},     {"ENOMEM", ENOMEM},
                              {"EAGAIN", EAGAIN},    {"ENOLCK", ENOLCK},     {"EDQUOT", EDQUOT},
                              {"EPERM", EPERM},      {"EINTR", EINTR},       {"EXDEV", EXDEV}};

bool active = false;
int fault_call = -1;
long fault_number = 0;
bool fault_lasts = false;
int fault_effect = 0;
char under[4096] = "";
std::size_t least_bytes = 65536;
int log_file = -1;
std::atomic<long> counts[call_count];
long clock_from = 0;
long clock_shift = 0;
std::atomic<long> clock_looks{0};
// What the library itself calls does not count.
__attribute__((tls_model("initial-exec"))) thread_local bool inside = false;

[[noreturn]] void refuse(const char* what) {
  static constexpr char head[] = "fault_injection: cannot read the environment's ";
  static_cast<void>(!syscall(SYS_write, 2, head, sizeof head - 1));
  static_cast<void>(!syscall(SYS_write, 2, what, std::strlen(what)));
  static_cast<void>(!syscall(SYS_write, 2, "\n", 1));
  _exit(99);
}

void read_fault(const char* text) {
  const char* first = std::strchr(text, ':');
  const char* second = first == nullptr ? nullptr : std::strchr(first + 1, ':');
  if (second == nullptr) refuse("KINDRED_FAULT");
  for (int i = 0; i < call_count; ++i) {
    const auto length = static_cast<std::size_t>(first - text);
    if (std::strlen(call_names[i]) == length && std::strncmp(call_names[i], text, length) == 0)
      fault_call = i;
  }
  fault_number = std::strtol(first + 1, nullptr, 10);
  fault_lasts = second[-1] == '+';
  for (const auto& effect : effects) {
    if (std::strcmp(effect.name, second + 1) == 0) fault_effect = effect.error;
  }
  if (fault_call < 0 || fault_number < 1 || fault_effect == 0) refuse("KINDRED_FAULT");
}

__attribute__((constructor)) void start() {
  inside = true;
  if (const char* text = std::getenv("KINDRED_FAULT")) read_fault(text);
  if (const char* text = std::getenv("KINDRED_FAULT_UNDER")) {
    if (std::strlen(text) + 1 > sizeof under) refuse("KINDRED_FAULT_UNDER");
    std::strcpy(under, text);
  }
  if (const char* text = std::getenv("KINDRED_FAULT_BYTES")) least_bytes = std::strtoul(text, nullptr, 10);
  if (const char* text = std::getenv("KINDRED_FAULT_LOG")) {
    log_file = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (log_file < 0) refuse("KINDRED_FAULT_LOG");
    void* frames[4];
    backtrace(frames, 4);  // loads the unwinder
  }
  if (const char* text = std::getenv("KINDRED_FAULT_CLOCK")) {
    const char* colon = std::strchr(text, ':');
    if (colon == nullptr) refuse("KINDRED_FAULT_CLOCK");
    clock_from = std::strtol(text, nullptr, 10);
    clock_shift = std::strtol(colon + 1, nullptr, 10);
  }
  unsetenv("LD_PRELOAD");
  inside = false;
  active = true;
}

void log_call(int call, long number, const char* path, const char* from) {
  static constexpr int depth = 40;
  void* frames[depth];
  const int found = backtrace(frames, depth);
  char line[32768];
  int length = std::snprintf(line, sizeof line, "%s\t%ld\t%s\t%s\t", call_names[call], number, path, from);
  for (int i = 2; i < found && length < static_cast<int>(sizeof line) - 128; ++i) {
    Dl_info info;
    if (dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    const char* slash = std::strrchr(info.dli_fname, '/');
    const auto offset = static_cast<char*>(frames[i]) - static_cast<char*>(info.dli_fbase);
    length += std::snprintf(line + length, 128, "%.80s+%lx ", slash == nullptr ? info.dli_fname : slash + 1,
                            static_cast<unsigned long>(offset));
  }
  line[length++] = '\n';
  static_cast<void>(!syscall(SYS_write, log_file, line, static_cast<std::size_t>(length)));
}

bool lies_under(const char* path) {
  if (under[0] == '\0') return true;
  const auto length = std::strlen(under);
  return std::strncmp(path, under, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/// The path of a descriptor, or "" if it is no file.
void path_of(int descriptor, char* path, std::size_t size) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  path[length < 0 ? 0 : length] = '\0';
}

/// What happens at a call, counted: 0 nothing, an error's number, short_write or kill_after.
int happens(Call call, const char* path, const char* from = "-") {
  const long number = ++counts[call];
  if (log_file >= 0) log_call(call, number, path, from);
  if (call != fault_call) return 0;
  if (fault_lasts ? number < fault_number : number != fault_number) return 0;
  if (fault_effect == kill_before) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  return fault_effect;
}

/// Counts what a piece of code does as the library's own.
class Inside {
 public:
  Inside() : was_(inside) { inside = true; }
  ~Inside() { inside = was_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  bool was_;
};

void whole_path(int folder, const char* path, char* whole, std::size_t size) {
  char start[4096] = "";
  if (path[0] != '/') {
    if (folder != AT_FDCWD) {
      path_of(folder, start, sizeof start);
    } else if (syscall(SYS_getcwd, start, sizeof start) < 0) {
      start[0] = '\0';
    }
  }
  std::snprintf(whole, size, "%s%s%s", start, path[0] == '/' ? "" : "/", path);
}

int at_path(Call call, int folder, const char* path, int from_folder = AT_FDCWD, const char* from = nullptr) {
  if (!active || inside || path == nullptr) return 0;
  const int error = errno;
  const Inside mark;
  char whole[8192];
  whole_path(folder, path, whole, sizeof whole);
  char whole_from[8192] = "-";
  if (from != nullptr) whole_path(from_folder, from, whole_from, sizeof whole_from);
  const int effect = lies_under(whole) ? happens(call, whole, whole_from) : 0;
  errno = error;
  return effect;
}

int at_file(Call call, int descriptor) {
  if (!active || inside) return 0;
  const int error = errno;
  const Inside mark;
  char path[4096];
  path_of(descriptor, path, sizeof path);
  const int effect = path[0] == '/' && lies_under(path) ? happens(call, path) : 0;
  errno = error;
  return effect;
}

int at_call(Call call) {
  if (!active || inside) return 0;
  const int error = errno;
  const Inside mark;
  const int effect = happens(call, "-");
  errno = error;
  return effect;
}

void kill_here(int effect) {
  if (effect == kill_after) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/// The function of this name in the libraries below.
template <typename Function>
Function* next(const char* name) {
  const Inside mark;
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
  kill_here(effect);
  return outcome;
}

int open_with(int folder, const char* path, int flags, mode_t mode) {
  const int effect = at_path(writes(flags) ? open_call : look, folder, path);
  return with(effect, [&] { return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode)); });
}

FILE* fopen_with(const char* name, const char* path, const char* mode) {
  const int effect = at_path(writes(mode) ? open_call : look, AT_FDCWD, path);
  if (effect > 0) {
    errno = effect;
    return nullptr;
  }
  const Inside mark;
  FILE* file = next<FILE*(const char*, const char*)>(name)(path, mode);
  kill_here(effect);
  return file;
}

std::size_t half_of(std::size_t size, int effect) {
  return effect == short_write && size > 1 ? size / 2 : size;
}

/// Whether memory is refused.
bool refused(std::size_t bytes) {
  return active && !inside && bytes >= least_bytes && at_call(allocate) > 0;
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

ssize_t read(int file, void* data, size_t size) {
  return with(at_file(read_call, file), [&] { return syscall(SYS_read, file, data, size); });
}
ssize_t pread(int file, void* data, size_t size, off_t at) {
  return with(at_file(read_call, file), [&] { return syscall(SYS_pread64, file, data, size, at); });
}
ssize_t pread64(int file, void* data, size_t size, off64_t at) {
  return with(at_file(read_call, file), [&] { return syscall(SYS_pread64, file, data, size, at); });
}
size_t fread(void* data, size_t size, size_t count, FILE* file) {
  if (const int effect = at_file(read_call, fileno(file)); effect > 0) {
    errno = effect;
    return 0;
  }
  static auto* below = next<size_t(void*, size_t, size_t, FILE*)>("fread");
  return below(data, size, count, file);
}

ssize_t write(int file, const void* data, size_t size) {
  const int effect = at_file(write_call, file);
  return with(effect, [&] { return syscall(SYS_write, file, data, half_of(size, effect)); });
}
ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  const int effect = at_file(write_call, file);
  return with(effect, [&] { return syscall(SYS_pwrite64, file, data, half_of(size, effect), at); });
}
ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  const int effect = at_file(write_call, file);
  return with(effect, [&] { return syscall(SYS_pwrite64, file, data, half_of(size, effect), at); });
}
ssize_t writev(int file, const struct iovec* parts, int count) {
  const int effect = at_file(write_call, file);
  return with(effect, [&] {
    return syscall(SYS_writev, file, parts, effect == short_write && count > 1 ? count - 1 : count);
  });
}
size_t fwrite(const void* data, size_t size, size_t count, FILE* file) {
  const int effect = at_file(write_call, fileno(file));
  if (effect > 0) {
    errno = effect;
    return 0;
  }
  static auto* below = next<size_t(const void*, size_t, size_t, FILE*)>("fwrite");
  const auto written = below(data, size, half_of(count, effect), file);
  return with(effect == short_write ? 0 : effect, [&] { return static_cast<ssize_t>(written); });
}

int fsync(int file) {
  return with(at_file(sync_call, file), [&] { return static_cast<int>(syscall(SYS_fsync, file)); });
}
int fdatasync(int file) {
  return with(at_file(sync_call, file), [&] { return static_cast<int>(syscall(SYS_fdatasync, file)); });
}
int syncfs(int file) noexcept {
  return with(at_file(sync_call, file), [&] { return static_cast<int>(syscall(SYS_syncfs, file)); });
}

int rename(const char* from, const char* to) noexcept {
  return with(at_path(rename_call, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return with(at_path(rename_call, to_folder, to, from_folder, from),
              [&] { return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, 0)); });
}
int link(const char* from, const char* to) noexcept {
  return with(at_path(rename_call, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)); });
}
int symlink(const char* from, const char* to) noexcept {
  return with(at_path(rename_call, AT_FDCWD, to, AT_FDCWD, from),
              [&] { return static_cast<int>(syscall(SYS_symlinkat, from, AT_FDCWD, to)); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return with(at_path(mkdir_call, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode)); });
}
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return with(at_path(mkdir_call, folder, path),
              [&] { return static_cast<int>(syscall(SYS_mkdirat, folder, path, mode)); });
}
char* mkdtemp(char* path) noexcept {
  if (const int effect = at_path(mkdir_call, AT_FDCWD, path); effect > 0) {
    errno = effect;
    return nullptr;
  }
  static auto* below = next<char*(char*)>("mkdtemp");
  return below(path);
}

int unlink(const char* path) noexcept {
  return with(at_path(unlink_call, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0)); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return with(at_path(unlink_call, folder, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, folder, path, flags)); });
}
int rmdir(const char* path) noexcept {
  return with(at_path(unlink_call, AT_FDCWD, path),
              [&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)); });
}
int remove(const char* path) noexcept {
  return with(at_path(unlink_call, AT_FDCWD, path), [&] {
    static auto* below = next<int(const char*)>("remove");
    return below(path);
  });
}

int ftruncate(int file, off_t length) noexcept {
  return with(at_file(truncate_call, file),
              [&] { return static_cast<int>(syscall(SYS_ftruncate, file, length)); });
}
int ftruncate64(int file, off64_t length) noexcept {
  return with(at_file(truncate_call, file),
              [&] { return static_cast<int>(syscall(SYS_ftruncate, file, length)); });
}
int flock(int file, int operation) noexcept {
  return with(at_file(lock_call, file),
              [&] { return static_cast<int>(syscall(SYS_flock, file, operation)); });
}

void* mmap(void* address, size_t length, int protection, int flags, int file, off_t at) noexcept {
  if (const int effect = at_call(map); effect > 0) {
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
  if (const int effect = at_call(thread_call); effect > 0) return effect;
  static auto* below =
      next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return below(thread, attributes, start, argument);
}

int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  const auto outcome = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (active && clock == CLOCK_REALTIME && clock_from > 0 && ++clock_looks >= clock_from) {
    time->tv_sec += clock_shift;
  }
  return outcome;
}

}  // extern "C"
// NOLINTEND
