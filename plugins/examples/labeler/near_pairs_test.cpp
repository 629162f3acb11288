#include "near_pairs.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

using my_plugins::NearPairs;

namespace {

/// For a labeler that works on the CPU.
class CpuHost final : public kindred::RetrievalHost {
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

/// Vectors of length 1 at these angles, in degrees.
kindred::PseudoLabels labels_of(const std::vector<float>& degrees, double max_distance) {
  const auto angles = torch::tensor(degrees) * (3.14159265 / 180);
  CpuHost host;
  const kindred::Retrieval images{torch::stack({angles.cos(), angles.sin()}, 1).contiguous(), 1, {}};
  return NearPairs({.max_distance = max_distance, .neighbors = 3}, {}).label(images, host);
}

}  // namespace

TEST_CASE("near images are connected, others are left out") {
  // 1 - cos(10 degrees) = 0.0152: pairs of neighbors at 10 degrees, and not at 20 (0.0603).
  const auto labels = labels_of({0, 90, 10, 100, 20, 200}, 0.02);
  CHECK(labels.identities == std::vector<std::int64_t>{0, 1, 0, 1, 0, kindred::unlabeled_identity});
  REQUIRE(labels.left_out.size() == 1);
  CHECK(labels.left_out[0].reason == "in no pair");
  CHECK(labels.left_out[0].images == 1);
}

TEST_CASE("without near images there are no identities") {
  const auto labels = labels_of({0, 90, 180}, 0.02);
  CHECK(labels.identities == std::vector<std::int64_t>(3, kindred::unlabeled_identity));
  CHECK(labels.left_out[0].images == 3);
}
