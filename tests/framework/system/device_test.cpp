#include "system/device.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <sched.h>
#include <torch/cuda.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <opencv2/core/utility.hpp>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/version.h"
#include "system/transfer.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::system;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

void write_group(const fs::path& folder, const std::string& name, const std::string& text) {
  fs::create_directories(folder);
  write_bytes(folder / name, text);
}

}  // namespace

TEST_CASE("a device that is not there is refused with what there is") {
  CHECK(resolve_device("cpu") == torch::Device(torch::kCPU));
  CHECK(message_of<Error>([] { static_cast<void>(resolve_device("gpu")); }) ==
        "device: error: unknown device 'gpu'; allowed are 'auto', 'cpu', 'cuda' and 'cuda:N'");
  for (const char* name : {"", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "cuda:99999999999", "CPU"}) {
    CHECK_THROWS_WITH_AS(static_cast<void>(resolve_device(name)), doctest::Contains("unknown device"), Error);
  }
  const auto far = message_of<Error>([] { static_cast<void>(resolve_device("cuda:900")); });
  CHECK(far.rfind("device: error: there is no device 'cuda:900'; ", 0) == 0);
  if (torch::cuda::device_count() == 0) {
    CHECK(resolve_device("auto") == torch::Device(torch::kCPU));
    CHECK(message_of<Error>([] { static_cast<void>(resolve_device("cuda")); }) ==
          "device: error: there is no device 'cuda'; only 'cpu' is available: LibTorch finds no CUDA GPU");
  }
}

TEST_CASE("usable processors follow the affinity mask") {
  const auto all = usable_processors();
  CHECK(all >= 1);
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &before)) {
      CPU_SET(i, &one);
      break;
    }
  }
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  const auto restricted = usable_processors();
  sched_setaffinity(0, sizeof before, &before);
  CHECK(restricted == 1);
  CHECK(usable_processors() == all);
}

TEST_CASE("the quota of a cgroup of version 2 is that of the tightest group above the process") {
  const TemporaryFolder root;
  const auto membership = root / "membership";
  write_bytes(membership, "0::/outer/inner\n");
  CHECK(!processor_quota(membership, root / "cgroup"));
  write_group(root / "cgroup/outer/inner", "cpu.max", "max 100000\n");
  CHECK(!processor_quota(membership, root / "cgroup"));
  write_group(root / "cgroup/outer", "cpu.max", "150000 100000\n");
  CHECK(processor_quota(membership, root / "cgroup") == 1.5);
  write_group(root / "cgroup/outer/inner", "cpu.max", "400000 100000\n");
  CHECK(processor_quota(membership, root / "cgroup") == 1.5);
  write_group(root / "cgroup/outer/inner", "cpu.max", "50000 100000\n");
  CHECK(processor_quota(membership, root / "cgroup") == 0.5);
}

TEST_CASE("a container's own cgroup counts when the path is the host's") {
  const TemporaryFolder root;
  write_bytes(root / "membership", "0::/host/only/there\n");
  write_group(root / "cgroup", "cpu.max", "300000 100000\n");
  CHECK(processor_quota(root / "membership", root / "cgroup") == 3.0);
}

TEST_CASE("the quota of a cgroup of version 1 is read, also where controllers share a mount") {
  const TemporaryFolder root;
  write_bytes(root / "membership", "12:memory:/m\n4:cpu,cpuacct:/job\n0::/\n");
  for (const char* mount : {"cgroup/cpu,cpuacct/job", "other/cpu/job"}) {
    write_group(root / mount, "cpu.cfs_quota_us", "250000\n");
    write_group(root / mount, "cpu.cfs_period_us", "100000\n");
  }
  CHECK(processor_quota(root / "membership", root / "cgroup") == 2.5);
  CHECK(processor_quota(root / "membership", root / "other") == 2.5);
  write_group(root / "cgroup/cpu,cpuacct/job", "cpu.cfs_quota_us", "-1\n");
  CHECK(!processor_quota(root / "membership", root / "cgroup"));
}

TEST_CASE("damaged or missing cgroup files mean no quota") {
  const TemporaryFolder root;
  CHECK(!processor_quota(root / "none", root / "none"));
  write_bytes(root / "membership", "nonsense\n:\n0::/x\n");
  write_group(root / "x", "cpu.max", "many few\n");
  CHECK(!processor_quota(root / "membership", root.path()));
  write_group(root / "x", "cpu.max", "100000 0\n");
  CHECK(!processor_quota(root / "membership", root.path()));
}

TEST_CASE("threads are set for LibTorch, and OpenCV keeps to the calling thread") {
  set_threads(1);
  CHECK(at::get_num_threads() == 1);
  CHECK(cv::getNumThreads() == 1);
  set_threads(0);
  CHECK(at::get_num_threads() == usable_processors());
  CHECK(cv::getNumThreads() == 1);
}

TEST_CASE("a placed module keeps its values and stores its convolutions as channels_last") {
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(3, 8, 3));
  const auto before = convolution->weight.clone();
  const auto images = torch::rand({2, 3, 16, 8});
  const auto expected = convolution(images);
  place_module(*convolution, torch::kCPU);
  CHECK(convolution->weight.is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(torch::equal(convolution->weight, before));
  const auto placed = place_images(images, torch::kCPU);
  CHECK(placed.is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(torch::allclose(convolution(placed), expected, 1e-4, 1e-6));
}

TEST_CASE(
    "what is placed on a device is what was given, from plain memory and from a part of a buffer for it") {
  std::vector<torch::Device> devices{torch::kCPU};
  for (std::size_t i = 0; i < torch::cuda::device_count(); ++i) {
    devices.emplace_back(torch::kCUDA, static_cast<torch::DeviceIndex>(i));
  }
  const auto images = torch::rand({4, 3, 16, 8});
  const auto labels = torch::arange(5, torch::kInt64);
  auto buffer = transfer_buffer({6, 3, 16, 8}, torch::kFloat32);
  buffer.narrow(0, 1, 4).copy_(images);
  for (const auto& device : devices) {
    CAPTURE(device.str());
    for (const auto& given : {images, buffer.narrow(0, 1, 4)}) {
      const auto placed = place_images(given, device);
      CHECK(placed.device() == device);
      CHECK(placed.is_contiguous(torch::MemoryFormat::ChannelsLast));
      CHECK(torch::equal(placed.to(torch::kCPU), images));
    }
    const auto placed = place_labels(labels, device);
    CHECK(placed.device() == device);
    CHECK(torch::equal(placed.to(torch::kCPU), labels));
  }
}

TEST_CASE("a device that was waited for is not busy, and the CPU never is") {
  CHECK_FALSE(is_busy(torch::kCPU));
  for (std::size_t i = 0; i < torch::cuda::device_count(); ++i) {
    const torch::Device gpu(torch::kCUDA, static_cast<torch::DeviceIndex>(i));
    CAPTURE(gpu.str());
    auto values = torch::rand({4096, 4096}, torch::TensorOptions(gpu));
    for (int times = 0; times < 50; ++times) values = torch::mm(values, values);
    CHECK(is_busy(gpu));
    wait_for(gpu);
    CHECK_FALSE(is_busy(gpu));
  }
}

TEST_CASE("the name of the BLAS agrees with its speed") {
  CHECK(!blas_name().empty());
  set_threads(1);
  const auto real = torch::rand({512, 512});
  // No BLAS has these: LibTorch's own loops take a fifth of the reference BLAS' time, and three times that of
  // others.
  const auto whole = real.to(torch::kInt32);
  const auto seconds_of = [](const torch::Tensor& matrix) {
    const auto start = std::chrono::steady_clock::now();
    static_cast<void>(torch::mm(matrix, matrix));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double of_real = 1e9;
  double of_whole = 1e9;
  // Of a busy machine most times say nothing.
  for (int i = 0; i < 20; ++i) {
    of_real = std::min(of_real, seconds_of(real));
    of_whole = std::min(of_whole, seconds_of(whole));
  }
  CAPTURE(blas_name());
  CAPTURE(of_real);
  CAPTURE(of_whole);
  CHECK(blas_is_slow() == (of_real > 1.5 * of_whole));
}

TEST_CASE("versions are those of what runs here, and Kindred's is that of its header") {
  const auto text = version_text();
  for (const char* part :
       {"Kindred   ", "LibTorch  ", "OpenCV    ", "BLAS      ", "Threads   ", "CPU       ", "GPU       "}) {
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find(cv::getVersionString()) != std::string::npos);
  CHECK(text.find(std::string("Kindred   ") + KINDRED_VERSION + "\n") == 0);
  CHECK(std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) + "." +
            std::to_string(KINDRED_VERSION_PATCH) ==
        KINDRED_VERSION);
}
