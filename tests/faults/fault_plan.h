// Which call to the system fails, or is the last, as the environment says; for a library of replaced
// functions (replaced_calls.cpp) that is preloaded with LD_PRELOAD.
//
//   KINDRED_FAULT=CALL:N:EFFECT     the Nth call (from 1) of a kind has the effect; N+: all from it on
//     CALL    open (for writing), look (open for reading), stat, read, write, sync, close (of what is open
//             for writing), rename, mkdir, unlink, truncate, lock, map, allocate, thread; or change, which is
//             open, write, rename, mkdir, unlink and truncate in one count
//     EFFECT  the name of an error, such as ENOSPC
//             KILL    SIGKILL instead of the call
//             KILLED  SIGKILL after it
//             SHORT   half of the bytes are written
//   KINDRED_FAULT_UNDER=FOLDER:...  calls on files count only for files in these folders
//   KINDRED_FAULT_BYTES=N           allocations count from this size on [65536]
//   KINDRED_FAULT_LOG=FILE          gets a line for each call that counts, CALL N PATH FORMER-PATH STACK, and
//                                   another one of each that changes; the former path is that of what is
//                                   renamed, "*" of a sync of all files of a file system, or "-"
//   KINDRED_FAULT_CLOCK=N:SECONDS   from the Nth look at the wall clock on, it is SECONDS later (or earlier)
//   KINDRED_FAULT_FIRED=FILE        is made once the call, or that look at the clock, has come, and holds
//                                   the call's path; "-" of what has none
//
// Only the process itself is meant, not the programs that it starts.
#pragma once

#include <fcntl.h>

#include <cstddef>

namespace kindred::faults {

enum class Call {
  open,
  look,
  stat,
  read,
  write,
  sync,
  close,
  rename,
  mkdir,
  unlink,
  truncate,
  lock,
  map,
  allocate,
  thread,
  change
};

/// What happens at a call: 0: nothing; above: the error that it fails with; or one of these, and it is made.
constexpr int killed_after = -2;
constexpr int short_write = -3;

/// To be asked at each call, once; errno stays. Where the process is to be killed, they do not return.
/// @param folder that a relative path begins in, or AT_FDCWD
/// @param from what is renamed
[[nodiscard]] int at_path(Call call, int folder, const char* path, int from_folder = AT_FDCWD,
                          const char* from = nullptr);
/// A descriptor that is of no file counts for nothing.
/// @param from what the log has for the former path
[[nodiscard]] int at_file(Call call, int descriptor, const char* from = "-");
[[nodiscard]] int at_call(Call call);
/// Whether memory of this size is refused.
[[nodiscard]] bool refused(std::size_t bytes);
/// Kills the process where that is the effect.
void kill_after(int effect);
/// By how many seconds the wall clock is wrong at this look.
[[nodiscard]] long clock_shift();

/// While it lives, what this thread calls does not count.
class OwnCalls {
 public:
  OwnCalls();
  ~OwnCalls();
  OwnCalls(const OwnCalls&) = delete;
  OwnCalls& operator=(const OwnCalls&) = delete;

 private:
  bool before_;
};

}  // namespace kindred::faults
