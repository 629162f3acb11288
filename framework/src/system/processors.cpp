#include "system/processors.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>

namespace kindred::system {
namespace {

namespace fs = std::filesystem;

std::optional<double> quotient(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return std::nullopt;
  return quota / period;
}

/// "200000 100000" or "max 100000"
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  std::istringstream number(quota);
  double value = 0;
  return number >> value ? quotient(value, period) : std::nullopt;
}

std::optional<double> quota_v1(const fs::path& group) {
  double quota = 0;
  double period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return quotient(quota, period);
}

/// The smallest quota from a group up to its hierarchy's root: each of them holds. Inside a container the
/// path may be that of the host, which is not mounted there; its nearest ancestors then count.
std::optional<double> smallest_quota(const fs::path& mount, const std::string& group,
                                     std::optional<double> (*read)(const fs::path&)) {
  std::optional<double> smallest = read(mount);
  fs::path folder = mount;
  for (const auto& part : fs::path(group).relative_path()) {
    folder /= part;
    if (const auto quota = read(folder)) smallest = std::min(smallest.value_or(*quota), *quota);
  }
  return smallest;
}

bool has_controller(const std::string& list, const std::string& wanted) {
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

std::int64_t processors_in_affinity_mask() {
  // A fixed cpu_set_t holds 1024 processors; larger machines say EINVAL until the mask is large enough.
  for (int processors = 1024; processors <= 1 << 20; processors *= 2) {
    cpu_set_t* mask = CPU_ALLOC(processors);
    if (mask == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(processors);
    const int result = sched_getaffinity(0, size, mask);
    const int error = errno;
    const int count = result == 0 ? CPU_COUNT_S(size, mask) : 0;
    CPU_FREE(mask);
    if (result == 0) return count;
    if (error != EINVAL) break;
  }
  return std::thread::hardware_concurrency();
}

}  // namespace

std::optional<double> processor_quota(const fs::path& membership, const fs::path& root) {
  std::optional<double> smallest;
  const auto take = [&](const std::optional<double>& quota) {
    if (quota) smallest = std::min(smallest.value_or(*quota), *quota);
  };
  std::ifstream file(membership);
  // Lines "number:controllers:path"; version 2 has the number 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      take(smallest_quota(root, group, quota_v2));
      take(smallest_quota(root / "unified", group, quota_v2));
    } else if (has_controller(controllers, "cpu")) {
      std::error_code error;
      const fs::path mount = fs::exists(root / controllers, error) ? root / controllers : root / "cpu";
      take(smallest_quota(mount, group, quota_v1));
    }
  }
  return smallest;
}

Processors processors() {
  return {std::max<std::int64_t>(std::thread::hardware_concurrency(), 1), processors_in_affinity_mask(),
          processor_quota("/proc/self/cgroup", "/sys/fs/cgroup")};
}

std::int64_t usable_processors() {
  const auto known = processors();
  auto usable = known.in_mask;
  if (known.quota) usable = std::min(usable, static_cast<std::int64_t>(std::ceil(*known.quota)));
  return std::max<std::int64_t>(usable, 1);
}

}  // namespace kindred::system
