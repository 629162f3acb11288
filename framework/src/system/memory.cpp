#include "system/memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "system/control_groups.h"

namespace kindred::system {

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

double peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) != 0) continue;
    double kibibytes = 0;
    std::istringstream(line.substr(6)) >> kibibytes;
    return kibibytes / 1024;
  }
  return 0;
}

std::optional<std::int64_t> memory_limit_mib(const std::filesystem::path& membership,
                                             const std::filesystem::path& root) {
  std::optional<std::int64_t> smallest;
  const auto take = [&](const std::filesystem::path& file) {
    // "max", or in version 1 a number that no memory has, is none.
    std::int64_t bytes = 0;
    if (!(std::ifstream(file) >> bytes) || bytes >= std::int64_t{1} << 60) return;
    smallest = std::min(smallest.value_or(bytes >> 20), bytes >> 20);
  };
  const auto groups = control_groups("memory", membership, root);
  for (const auto& group : groups.first) take(group / "memory.limit_in_bytes");
  for (const auto& group : groups.second) take(group / "memory.max");
  return smallest;
}

std::int64_t machine_memory_mib() {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return 0;
  const std::int64_t physical = (pages * page) >> 20;
  return std::min(physical, memory_limit_mib().value_or(physical));
}

}  // namespace kindred::system
