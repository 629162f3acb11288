#include "system/processors.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "system/control_groups.h"
#include "system/loaded_function.h"

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

/// An affinity mask: a fixed cpu_set_t holds 1024 processors, and some machines have more.
using Mask = std::vector<cpu_set_t>;

std::size_t bytes_of(const Mask& mask) {
  return mask.size() * sizeof(cpu_set_t);
}

/// That of this thread; nothing where the system does not say.
std::optional<Mask> affinity_mask() {
  // The system says EINVAL until the mask is large enough.
  for (std::size_t sets = 1; sets <= 1024; sets *= 2) {
    Mask mask(sets);
    if (sched_getaffinity(0, bytes_of(mask), mask.data()) == 0) return mask;
    if (errno != EINVAL) break;
  }
  return std::nullopt;
}

std::int64_t processors_in_affinity_mask() {
  if (const auto mask = affinity_mask()) return CPU_COUNT_S(bytes_of(*mask), mask->data());
  return std::thread::hardware_concurrency();
}

}  // namespace

std::optional<double> processor_quota(const fs::path& membership, const fs::path& root) {
  std::optional<double> smallest;
  const auto take = [&](const std::optional<double>& quota) {
    if (quota) smallest = std::min(smallest.value_or(*quota), *quota);
  };
  const auto groups = control_groups("cpu", membership, root);
  for (const auto& group : groups.first) take(quota_v1(group));
  for (const auto& group : groups.second) take(quota_v2(group));
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

void undo_openmp_binding() {
  // Of whichever library of OpenMP is loaded.
  const auto places = find_function<int (*)()>("omp_get_num_places");
  const auto size_of_place = find_function<int (*)(int)>("omp_get_place_num_procs");
  const auto read_place = find_function<void (*)(int, int*)>("omp_get_place_proc_ids");
  if (places == nullptr || size_of_place == nullptr || read_place == nullptr || places() == 0) return;
  auto mask = affinity_mask();
  if (!mask) return;
  for (int place = 0; place < places(); ++place) {
    std::vector<int> processors(static_cast<std::size_t>(size_of_place(place)));
    read_place(place, processors.data());
    for (const int processor : processors) {
      CPU_SET_S(static_cast<std::size_t>(processor), bytes_of(*mask), mask->data());
    }
  }
  sched_setaffinity(0, bytes_of(*mask), mask->data());  // or it stays as it is
  ::setenv("OMP_PROC_BIND", "false", 1);
}

}  // namespace kindred::system
