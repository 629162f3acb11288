// How much memory the process holds, as the system counts it.
#pragma once

namespace kindred::bench {

/// The most since the last reset, in MiB; 0 where the system does not say.
[[nodiscard]] double peak_mib();
/// What is held now, in MiB; 0 where the system does not say.
[[nodiscard]] double held_mib();
/// The peak starts again from what is held now.
void reset_peak();

}  // namespace kindred::bench
