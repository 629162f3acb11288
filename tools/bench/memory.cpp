#include "memory.h"

#include <fstream>
#include <string>

namespace kindred::bench {
namespace {

/// A line of /proc/self/status, "VmHWM:   123456 kB".
double status_mib(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stod(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

}  // namespace

double peak_mib() {
  return status_mib("VmHWM");
}

double held_mib() {
  return status_mib("VmRSS");
}

void reset_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace kindred::bench
