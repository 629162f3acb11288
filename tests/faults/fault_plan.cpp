#include "fault_plan.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace kindred::faults {
namespace {

constexpr const char* call_names[] = {"open",  "look",     "stat",   "read",   "write",    "sync",
                                      "close", "rename",   "mkdir",  "unlink", "truncate", "lock",
                                      "map",   "allocate", "thread", "change"};
constexpr int call_count = static_cast<int>(Call::change) + 1;
static_assert(sizeof call_names / sizeof *call_names == call_count);

struct Effect {
  const char* name;
  int error;
};
constexpr int killed_before = -1;
constexpr Effect effects[] = {{"KILL", killed_before},
                              {"KILLED", killed_after},
                              {"SHORT", short_write},
                              {"ENOSPC", ENOSPC},
                              {"EIO", EIO},
                              {"EACCES", EACCES},
                              {"EROFS", EROFS},
                              {"EMFILE", EMFILE},
                              {"ENOMEM", ENOMEM},
                              {"EAGAIN", EAGAIN},
                              {"ENOLCK", ENOLCK},
                              {"EDQUOT", EDQUOT},
                              {"EPERM", EPERM},
                              {"EINTR", EINTR},
                              {"EXDEV", EXDEV}};

bool active = false;
int fault_call = -1;
long fault_number = 0;
bool fault_lasts = false;
int fault_effect = 0;
char under[8192] = "";
char fired[4096] = "";
std::size_t least_bytes = 65536;
int log_file = -1;
std::atomic<long> counts[call_count];
long clock_from = 0;
long clock_error = 0;
std::atomic<long> clock_looks{0};
// What the library itself calls does not count.
__attribute__((tls_model("initial-exec"))) thread_local bool inside = false;

[[noreturn]] void refuse(const char* what) {
  static constexpr char head[] = "faults: cannot read the environment's ";
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

template <std::size_t size>
void read_text(const char* variable, char (&text)[size]) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return;
  if (std::strlen(value) + 1 > size) refuse(variable);
  std::strcpy(text, value);
}

__attribute__((constructor)) void start() {
  inside = true;
  if (const char* text = std::getenv("KINDRED_FAULT")) read_fault(text);
  read_text("KINDRED_FAULT_UNDER", under);
  read_text("KINDRED_FAULT_FIRED", fired);
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
    clock_error = std::strtol(colon + 1, nullptr, 10);
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
  for (const char* folder = under; *folder != '\0';) {
    const auto length = std::strcspn(folder, ":");
    if (std::strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0')) return true;
    folder += length + std::strspn(folder + length, ":");
  }
  return false;
}

/// The path of a descriptor, or "" if it is no file.
void path_of(int descriptor, char* path, std::size_t size) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  path[length < 0 ? 0 : length] = '\0';
}

/// Says that what was asked for has come, and where: the first time, if it lasts.
void tell(const char* path) {
  if (fired[0] == '\0') return;
  const long file = syscall(SYS_openat, AT_FDCWD, fired, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  static_cast<void>(!syscall(SYS_write, file, path, std::strlen(path)));
  syscall(SYS_close, file);
}

/// What happens at a call that counts, by what is planned for calls of a kind.
int happens_to_kind(Call kind, const char* path, const char* from) {
  const int call = static_cast<int>(kind);
  const long number = ++counts[call];
  if (log_file >= 0) log_call(call, number, path, from);
  if (call != fault_call) return 0;
  if (fault_lasts ? number < fault_number : number != fault_number) return 0;
  tell(path);
  if (fault_effect == killed_before) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  return fault_effect;
}

bool changes(Call kind) {
  return kind == Call::open || kind == Call::write || kind == Call::rename || kind == Call::mkdir ||
         kind == Call::unlink || kind == Call::truncate;
}

int happens(Call kind, const char* path, const char* from = "-") {
  const int effect = happens_to_kind(kind, path, from);
  return effect == 0 && changes(kind) ? happens_to_kind(Call::change, path, from) : effect;
}

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

}  // namespace

OwnCalls::OwnCalls() : before_(inside) {
  inside = true;
}

OwnCalls::~OwnCalls() {
  inside = before_;
}

int at_path(Call call, int folder, const char* path, int from_folder, const char* from) {
  if (!active || inside || path == nullptr) return 0;
  const int error = errno;
  const OwnCalls own;
  char whole[8192];
  whole_path(folder, path, whole, sizeof whole);
  char whole_from[8192] = "-";
  if (from != nullptr) whole_path(from_folder, from, whole_from, sizeof whole_from);
  const int effect = lies_under(whole) ? happens(call, whole, whole_from) : 0;
  errno = error;
  return effect;
}

int at_file(Call call, int descriptor, const char* from) {
  if (!active || inside) return 0;
  const int error = errno;
  const OwnCalls own;
  char path[4096];
  path_of(descriptor, path, sizeof path);
  const int effect = path[0] == '/' && lies_under(path) ? happens(call, path, from) : 0;
  errno = error;
  return effect;
}

int at_call(Call call) {
  if (!active || inside) return 0;
  const int error = errno;
  const OwnCalls own;
  const int effect = happens(call, "-");
  errno = error;
  return effect;
}

bool refused(std::size_t bytes) {
  return active && !inside && bytes >= least_bytes && at_call(Call::allocate) > 0;
}

void kill_after(int effect) {
  if (effect == killed_after) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

long clock_shift() {
  if (!active || clock_from == 0) return 0;
  const long look = ++clock_looks;
  if (look < clock_from) return 0;
  if (look == clock_from) tell("-");
  return clock_error;
}

}  // namespace kindred::faults
