#include "kindred/nn/drop_path.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace kindred;

TEST_CASE("a dropped path is 0 for whole images, and the others are scaled to keep the mean") {
  const auto random = std::make_shared<RandomStream>(3);
  RandomStream same(3);
  DropPath path(0.2, random);
  const auto factors = path.forward(torch::ones({200, 2, 3}));
  int dropped = 0;
  for (int i = 0; i < 200; ++i) {
    const bool zero = same.chance(0.2);
    dropped += zero ? 1 : 0;
    CHECK(torch::equal(factors[i], torch::full({2, 3}, zero ? 0.0F : 1.25F)));
  }
  CHECK(dropped > 20);
  CHECK(dropped < 60);
  CHECK((*random)() == same());  // one number an image
}

TEST_CASE("no path is dropped in evaluation or at a rate of 0, and nothing is drawn") {
  const auto random = std::make_shared<RandomStream>(3);
  RandomStream same(3);
  const auto branch = torch::rand({4, 5});
  DropPath path(0.9, random);
  path.eval();
  CHECK(torch::equal(path.forward(branch), branch));
  CHECK(torch::equal(DropPath(0, random).forward(branch), branch));
  CHECK(torch::equal(DropPath(0, nullptr).forward(branch), branch));
  CHECK((*random)() == same());
}

TEST_CASE("a dropped path keeps the type of its branch") {
  DropPath path(0.5, std::make_shared<RandomStream>(1));
  const bool same = path.forward(torch::ones({2, 2}, torch::kBFloat16)).scalar_type() == torch::kBFloat16;
  CHECK(same);
}

TEST_CASE("a dropped path is the same on each device, and in 16 bits but for their rounding") {
  std::vector<torch::Device> devices{torch::kCPU};
  for (std::size_t i = 0; i < torch::cuda::device_count(); ++i) {
    devices.emplace_back(torch::kCUDA, static_cast<torch::DeviceIndex>(i));
  }
  for (const auto& device : devices) {
    CAPTURE(device.str());
    for (const auto type : {torch::kFloat32, torch::kBFloat16}) {
      DropPath path(0.3, std::make_shared<RandomStream>(7));
      RandomStream same(7);
      const auto found = path.forward(torch::ones({50, 2}, torch::TensorOptions(type).device(device)));
      CHECK(found.device() == device);
      const auto rows = found.to(torch::kCPU, torch::kFloat32);
      const auto kept = torch::tensor(static_cast<float>(1.0 / (1.0 - 0.3))).to(type).to(torch::kFloat32);
      for (int i = 0; i < 50; ++i) {
        CHECK(torch::equal(rows[i], same.chance(0.3) ? torch::zeros({2}) : kept.expand({2})));
      }
    }
  }
}

TEST_CASE("rates of dropped paths rise evenly from 0 to the last") {
  CHECK(drop_path_rates(0.3, 4) == std::vector<double>{0.0, 0.3 * 1 / 3, 0.3 * 2 / 3, 0.3});
  CHECK(drop_path_rates(0.3, 1) == std::vector<double>{0.3});
  CHECK(drop_path_rates(0.3, 0).empty());
}

TEST_CASE("a rate that is none, or has nothing to draw from, is a mistake in the program") {
  CHECK_THROWS_AS(DropPath(1.0, std::make_shared<RandomStream>(1)), std::logic_error);
  CHECK_THROWS_AS(DropPath(-0.1, std::make_shared<RandomStream>(1)), std::logic_error);
  CHECK_THROWS_AS(DropPath(0.1, nullptr), std::logic_error);
}
