// How much memory this process takes, and may take.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace kindred::system {

/// From now on peak_memory_mib() is of what comes. Where the system cannot do it, it stays the peak of the
/// whole process.
void reset_peak_memory();

/// The most physical memory of this process at any time, in MiB; 0 when the system does not tell.
[[nodiscard]] double peak_memory_mib();

/// What the machine has, or its container or job may take, in MiB; 0 when the system does not tell.
[[nodiscard]] std::int64_t machine_memory_mib();

/// The limit of the process's control group (version 1 or 2), or of one above it, in MiB; nothing when there
/// is none.
/// @param membership the process's list of control groups, /proc/self/cgroup
/// @param root where they are mounted, /sys/fs/cgroup
[[nodiscard]] std::optional<std::int64_t> memory_limit_mib(
    const std::filesystem::path& membership = "/proc/self/cgroup",
    const std::filesystem::path& root = "/sys/fs/cgroup");

}  // namespace kindred::system
