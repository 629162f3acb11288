#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "command/checkup_steps.h"
#include "system/device.h"
#include "system/memory.h"
#include "system/precision.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

/// Of /proc/meminfo, in bytes; 0 when it is not there.
double memory_bytes(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    double kibibytes = 0;
    std::istringstream(line.substr(name.size() + 1)) >> kibibytes;
    return 1024 * kibibytes;
  }
  return 0;
}

std::string gibibytes(double bytes) {
  return text::fixed_text(bytes / (1 << 30), 1) + " GiB";
}

/// The line of LibTorch's configuration that holds a word, without what stands before the word; "".
std::string configuration(const std::string& word) {
  std::istringstream lines(at::show_config());
  for (std::string line; std::getline(lines, line);) {
    if (const auto at = line.find(word); at != std::string::npos) return line.substr(at);
  }
  return "";
}

/// "2.7.3"
std::string onednn_version() {
  std::istringstream words(configuration("MKL-DNN v"));
  std::string name;
  std::string version;
  words >> name >> version;
  return version.empty() ? "of unknown version" : version.substr(1);
}

/// "NVRM version: ..."; "" when the driver does not tell.
std::string driver_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::getline(file, line);
  return line;
}

std::string precisions(torch::Device device) {
  std::string names = "fp32";
  for (const auto precision : {system::Precision::bf16, system::Precision::fp16}) {
    if (!system::can_compute(device, precision)) continue;
    names +=
        ", " + system::precision_name(precision) + (system::is_made_for(device, precision) ? "" : " (slow)");
  }
  return names;
}

}  // namespace

std::string memory_text(double all, double free, const std::optional<std::int64_t>& limit_mib) {
  const auto text = gibibytes(all) + ", " + gibibytes(free) + " free";
  const auto limit = static_cast<double>(limit_mib.value_or(0)) * (1 << 20);
  return limit_mib && limit < all ? text + "; this container or job may take " + gibibytes(limit) : text;
}

void tell_machine(torch::Device device, CheckList& checks) {
  checks.check("device", "", [&] { return CheckList::Finding{system::device_text(device), {}}; });
  if (device.is_cuda()) {
    checks.check("driver", "", [] { return CheckList::Finding{driver_version(), {}}; });
    checks.check("compute capability", "7 or more", [&] {
      const int major = system::compute_capability(device);
      return CheckList::Finding{std::to_string(major), major >= 7, "16 bits are slow on this GPU"};
    });
  }
  checks.check("processors", "", [] {
    return CheckList::Finding{std::to_string(at::get_num_threads()) + " threads on " +
                                  std::to_string(system::usable_processors()) + " of " +
                                  system::processor_name(),
                              {}};
  });
  checks.check("memory", "", [] {
    return CheckList::Finding{
        memory_text(memory_bytes("MemTotal"), memory_bytes("MemAvailable"), system::memory_limit_mib()), {}};
  });
  checks.check("LibTorch", "", [] { return CheckList::Finding{system::torch_version(), {}}; });
  checks.check("matrix products on the CPU", "a fast BLAS", [] {
    return CheckList::Finding{system::blas_name(), !system::blas_is_slow(),
                              "some thirty times slower than OpenBLAS; install that (Debian: "
                              "libopenblas0-openmp)"};
  });
  checks.check("convolutions on the CPU", "oneDNN", [] {
    return CheckList::Finding{at::hasMKLDNN() ? "oneDNN " + onednn_version() : "LibTorch's own",
                              at::hasMKLDNN(),
                              "this LibTorch was built without oneDNN: networks are several times slower on "
                              "the CPU"};
  });
  checks.check("precisions", "", [&] { return CheckList::Finding{precisions(device), {}}; });
  checks.check("precision = \"auto\"", "", [&] {
    return CheckList::Finding{
        system::precision_name(system::suitable_precision(device)) + ": " + system::why_suitable(device), {}};
  });
}

}  // namespace kindred::command
