// How much memory this process takes.
#pragma once

namespace kindred::system {

/// From now on peak_memory_mib() is of what comes. Where the system cannot do it, it stays the peak of the
/// whole process.
void reset_peak_memory();

/// The most physical memory of this process at any time, in MiB; 0 when the system does not tell.
[[nodiscard]] double peak_memory_mib();

}  // namespace kindred::system
