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

/// What the machine has, or its container may take, in MiB; 0 when the system does not tell.
[[nodiscard]] std::int64_t machine_memory_mib();

/// The limit of a container, in MiB, or none; in the root of the hierarchy of control groups, version 1 or 2,
/// as it is mounted inside.
[[nodiscard]] std::optional<std::int64_t> memory_limit_mib(const std::filesystem::path& root);

}  // namespace kindred::system
