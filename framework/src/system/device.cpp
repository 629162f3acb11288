#include "system/device.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>
#include <vector>

#include "kindred/core/error.h"
#include "system/loaded_function.h"
#include "system/version.h"

namespace kindred::system {
namespace {

/// Starts so many threads at a time, for a moment. LibTorch's pools wait without end for threads that the
/// system did not start.
void require_threads(int count) {
  static std::atomic<int> known = 1;
  if (count <= known) return;
  std::mutex gate;
  std::vector<std::jthread> threads;
  const std::unique_lock closed(gate);
  try {
    while (static_cast<int>(threads.size()) + 1 < count) {
      threads.emplace_back([&gate] { const std::scoped_lock passing(gate); });
    }
  } catch (const std::system_error& error) {
    // LibTorch's pools have a thread for each usable processor, whatever else is asked for.
    const bool fewer_help = count > static_cast<int>(usable_processors());
    throw Error("error: the system starts " + std::to_string(threads.size() + 1) + " of " +
                std::to_string(count) + " threads: " + error.code().message() + "; " +
                (fewer_help ? "use fewer threads" : "let it use fewer processors (taskset)") +
                ", or raise the limit of this user or container (ulimit -u, pids.max)");
  }
  known = count;
}

std::string gibibytes(double bytes) {
  std::ostringstream text;
  text.precision(3);
  text << bytes / (1024.0 * 1024.0 * 1024.0) << " GiB";
  return text.str();
}

/// A GPU as the driver's own interface knows it, which needs no CUDA headers.
class DriverGpu {
 public:
  explicit DriverGpu(int index) {
    // Opened already when LibTorch uses CUDA; stays open.
    driver_ = ::dlopen("libcuda.so.1", RTLD_LAZY);
    if (driver_ == nullptr) return;
    const auto initialize = find<int (*)(unsigned)>("cuInit");
    const auto get = find<int (*)(int*, int)>("cuDeviceGet");
    found_ = initialize != nullptr && get != nullptr && initialize(0) == 0 && get(&device_, index) == 0;
  }

  /// "NVIDIA A100, 80 GiB"
  [[nodiscard]] std::string name() const {
    const auto get_name = find<int (*)(char*, int, int)>("cuDeviceGetName");
    const auto total_memory = find<int (*)(std::size_t*, int)>("cuDeviceTotalMem_v2");
    char name[256] = "";
    std::size_t bytes = 0;
    if (!found_ || get_name == nullptr || total_memory == nullptr ||
        get_name(name, sizeof name, device_) != 0 || total_memory(&bytes, device_) != 0) {
      return "unknown GPU";
    }
    return std::string(name) + ", " + gibibytes(static_cast<double>(bytes));
  }

  [[nodiscard]] int compute_capability() const {
    constexpr int capability_major = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    const auto get_attribute = find<int (*)(int*, int, int)>("cuDeviceGetAttribute");
    int major = 0;
    if (!found_ || get_attribute == nullptr || get_attribute(&major, capability_major, device_) != 0)
      return 0;
    return major;
  }

 private:
  template <class Function>
  [[nodiscard]] Function find(const char* name) const {
    return driver_ == nullptr ? nullptr : reinterpret_cast<Function>(::dlsym(driver_, name));
  }

  void* driver_ = nullptr;
  int device_ = 0;
  bool found_ = false;
};

int index_of(torch::Device gpu) {
  return gpu.has_index() ? gpu.index() : 0;
}

std::size_t gpu_count() {
  try {
    return torch::cuda::is_available() ? static_cast<std::size_t>(torch::cuda::device_count()) : 0;
  } catch (const c10::Error&) {
    return 0;
  }
}

/// A driver that does not fit, or a GPU that LibTorch has no code for, shows only when something is computed.
std::optional<std::string> gpu_trouble(torch::Device device) {
  try {
    const auto sum = torch::ones({8}, torch::TensorOptions(device)).sum().item<float>();
    if (sum != 8.0F) return "it computes wrong results";
    return std::nullopt;
  } catch (const c10::Error& error) {
    // What follows is advice for those who program for GPUs.
    const std::string text = error.what_without_backtrace();
    return text.substr(0, text.find('\n'));
  }
}

std::string available_devices() {
  const auto count = gpu_count();
  if (count == 0) {
    return std::string("only 'cpu' is available: ") + (torch::cuda::device_count() == 0
                                                           ? "LibTorch finds no CUDA GPU"
                                                           : "CUDA does not work on this machine");
  }
  std::vector<std::string> names{"cpu"};
  for (std::size_t i = 0; i < count; ++i) names.push_back("cuda:" + std::to_string(i));
  return "available are " + quoted_list(names);
}

/// The file of the library that matrix products come from, links resolved; "" when it cannot be told.
std::string blas_file() {
  void* function = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (function == nullptr || ::dladdr(function, &info) == 0 || info.dli_fname == nullptr) return "";
  char* resolved = ::realpath(info.dli_fname, nullptr);
  std::string file = resolved != nullptr ? resolved : info.dli_fname;
  std::free(resolved);
  return file;
}

std::string openblas_name() {
  std::string name = "OpenBLAS";
  if (const auto config = find_function<const char* (*)()>("openblas_get_config")) {
    // "OpenBLAS 0.3.21 NO_LAPACK DYNAMIC_ARCH ...": an old one does not begin with its name.
    std::istringstream words(config());
    std::string first;
    std::string version;
    if (words >> first >> version && first == "OpenBLAS") name += " " + version;
  }
  if (const auto parallel = find_function<int (*)()>("openblas_get_parallel")) {
    constexpr const char* kinds[] = {"one thread", "pthread", "openmp"};
    const int kind = parallel();
    if (kind >= 0 && kind <= 2) name += std::string(" (") + kinds[kind] + ")";
  }
  return name;
}

/// "open" from "..., BLAS_INFO=open, ..."
std::string configured_blas() {
  const std::string config = at::show_config();
  const std::string key = "BLAS_INFO=";
  const auto begin = config.find(key);
  if (begin == std::string::npos) return "";
  const auto end = config.find_first_of(",\n", begin);
  return config.substr(begin + key.size(), end - begin - key.size());
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// From pinned memory a GPU copies by itself, after what it was told before: nobody waits for it.
torch::Tensor copied(const torch::Tensor& tensor, torch::Device device) {
  if (!device.is_cuda() || !tensor.device().is_cpu()) return tensor.to(device);
  torch::Tensor pinned;
  try {
    pinned = tensor.pin_memory();
  } catch (const c10::Error&) {
    return tensor.to(device);  // a limit on page-locked memory
  }
  return pinned.to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

}  // namespace

torch::Device resolve_device(const std::string& name) {
  const auto count = gpu_count();
  if (name == "auto") {
    const torch::Device gpu(torch::kCUDA, 0);
    return count > 0 && !gpu_trouble(gpu) ? gpu : torch::Device(torch::kCPU);
  }
  if (name == "cpu") return torch::Device(torch::kCPU);

  std::size_t index = 0;
  bool understood = name == "cuda";
  if (name.rfind("cuda:", 0) == 0) {
    const std::string number = name.substr(5);
    understood =
        !number.empty() && number.size() <= 3 && number.find_first_not_of("0123456789") == std::string::npos;
    if (understood) index = static_cast<std::size_t>(std::stoi(number));
  }
  if (!understood) {
    throw Error("device: error: unknown device '" + name +
                "'; allowed are 'auto', 'cpu', 'cuda' and 'cuda:N'");
  }
  if (index >= count) throw Error("device: error: there is no device '" + name + "'; " + available_devices());
  const torch::Device device(torch::kCUDA, static_cast<torch::DeviceIndex>(index));
  if (const auto trouble = gpu_trouble(device)) {
    throw Error("device: error: '" + name + "' does not work: " + *trouble + "; use 'cpu'");
  }
  return device;
}

void set_computing_threads(std::int64_t threads) {
  const int count = static_cast<int>(threads > 0 ? threads : usable_processors());
  require_threads(std::max(count, static_cast<int>(usable_processors())));
  at::set_num_threads(count);
  if (const auto set = find_function<void (*)(int)>("openblas_set_num_threads")) set(count);
}

void set_threads(std::int64_t threads) {
  set_computing_threads(threads);
  cv::setNumThreads(1);
}

void place_module(torch::nn::Module& module, torch::Device device) {
  module.to(device);
  torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

torch::Tensor place_images(const torch::Tensor& images, torch::Device device) {
  return copied(images, device).contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::Tensor place_labels(const torch::Tensor& labels, torch::Device device) {
  return copied(labels, device);
}

void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.has_index() ? device.index() : -1);
}

bool is_busy(torch::Device device) {
  if (!device.is_cuda()) return false;
  const c10::impl::VirtualGuardImpl devices(device.type());
  return !devices.queryStream(devices.getStream(device));
}

std::string blas_name() {
  // Several may be loaded; what counts is the one that the name of the product leads to.
  const std::string file = blas_file();
  const std::string configured = configured_blas();
  if (at::hasMKL() || contains(file, "mkl")) {
    std::istringstream words(at::hasMKL() ? at::get_mkl_version() : "");
    for (std::string word; words >> word;) {
      if (!word.empty() && word.find_first_not_of("0123456789.") == std::string::npos) return "MKL " + word;
    }
    return "MKL";
  }
  if (contains(file, "openblas")) return openblas_name();
  if (contains(file, "blis")) return "BLIS";
  if (contains(file, "atlas")) return "ATLAS";
  if (file.empty() || contains(file, "libtorch")) {
    // Linked into LibTorch itself.
    if (configured == "open") return "OpenBLAS";
    if (!configured.empty()) return configured;
    return "unknown BLAS";
  }
  if (contains(file, "libblas") || contains(file, "librefblas")) return "reference BLAS";
  return "BLAS of " + file;
}

bool blas_is_slow() {
  return blas_name() == "reference BLAS";
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0 || line.rfind("Model", 0) == 0) {
      const auto colon = line.find(':');
      if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

std::string device_text(torch::Device device) {
  return device.str() + ": " + (device.is_cuda() ? DriverGpu(index_of(device)).name() : processor_name());
}

int compute_capability(torch::Device gpu) {
  return DriverGpu(index_of(gpu)).compute_capability();
}

std::string torch_version() {
  return TORCH_VERSION;
}

std::string version_text() {
  std::ostringstream text;
  text << "Kindred   " << kindred_version << '\n';
  text << "LibTorch  " << torch_version() << '\n';
  text << "OpenCV    " << cv::getVersionString() << '\n';
  text << "BLAS      " << blas_name() << (blas_is_slow() ? " (slow: install OpenBLAS)" : "") << '\n';
  text << "Threads   " << at::get_num_threads() << " of " << usable_processors() << " usable processors\n";
  text << "CPU       " << processor_name() << '\n';
  const auto count = gpu_count();
  if (count == 0) text << "GPU       none\n";
  for (std::size_t i = 0; i < count; ++i) {
    text << "GPU       cuda:" << i << ": " << DriverGpu(static_cast<int>(i)).name() << '\n';
  }
  return text.str();
}

}  // namespace kindred::system
