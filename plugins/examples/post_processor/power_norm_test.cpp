#include "power_norm.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

using my_plugins::PowerNorm;

namespace {

/// For a post-processor that asks for nothing.
class NoHost final : public kindred::RetrievalHost {
 public:
  [[nodiscard]] torch::Device device() const override { return torch::kCPU; }
  void progress(const std::string&, std::int64_t, std::int64_t) override {}
  [[nodiscard]] torch::Tensor descriptors_of(const std::filesystem::path&) override {
    throw std::logic_error("not asked for");
  }
  [[nodiscard]] kindred::DistanceBlock distances_of(const std::filesystem::path&) override {
    throw std::logic_error("not asked for");
  }
};

torch::Tensor processed(double exponent) {
  NoHost host;
  kindred::Retrieval retrieval{torch::tensor({{0.8F, -0.6F}, {0.0F, 1.0F}}), 1, {}};
  PowerNorm({.exponent = exponent}, {}).apply(retrieval, host);
  return retrieval.descriptors;
}

}  // namespace

TEST_CASE("values keep their sign, and rows have length 1") {
  // sqrt(0.8), -sqrt(0.6), divided by sqrt(0.8 + 0.6)
  CHECK(processed(0.5).allclose(torch::tensor({{0.755929F, -0.654654F}, {0.0F, 1.0F}})));
}

TEST_CASE("the exponent 1 changes nothing") {
  CHECK(processed(1).allclose(torch::tensor({{0.8F, -0.6F}, {0.0F, 1.0F}})));
}
