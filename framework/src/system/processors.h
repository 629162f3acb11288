// How many processors this process may use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace kindred::system {

/// Processors that this process may use: its affinity mask, further limited by the quota of its cgroup,
/// rounded up; at least 1.
[[nodiscard]] std::int64_t usable_processors();

/// What this process knows of its machine's processors.
struct Processors {
  std::int64_t all = 1;      ///< of the machine
  std::int64_t in_mask = 1;  ///< of these, those that the process may run on
  /// Processor time a second, of all processes of its cgroup together; nothing when there is no limit.
  std::optional<double> quota;
};
[[nodiscard]] Processors processors();

/// Where OMP_PROC_BIND, OMP_PLACES or GOMP_CPU_AFFINITY asks for it, as scripts of clusters do, OpenMP's
/// library binds the program's first thread to one processor before main(), and all threads and processes
/// that come from it would share that one. From now on they have all processors that OpenMP's threads have,
/// and processes that are started bind nothing: each would take the same ones. To be called before there are
/// other threads.
void undo_openmp_binding();

/// The processor time a second that a process's cgroup (version 1 or 2), or one above it, allows; nothing
/// when there is no limit.
/// @param membership the process's list of cgroups, /proc/self/cgroup
/// @param root where cgroups are mounted, /sys/fs/cgroup
[[nodiscard]] std::optional<double> processor_quota(const std::filesystem::path& membership,
                                                    const std::filesystem::path& root);

}  // namespace kindred::system
