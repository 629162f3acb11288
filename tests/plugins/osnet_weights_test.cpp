// torchreid's weights of OSNet and its variants, with its fully connected layer: the same descriptors as
// torchreid.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <boost/crc.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "fc_head.h"
#include "foreign_weights.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "osnet.h"
#include "osnet_ain.h"
#include "weights/initial_weights.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const Catalog& catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<osnet::Osnet>("osnet");
    scratch.add<osnet::OsnetIbn>("osnet_ibn");
    scratch.add<osnet::OsnetAin>("osnet_ain");
    scratch.add<fc::FcHead>("fc");
  });
  return made;
}

recipe::Plan plan_of(const std::string& backbone) {
  return tiny_plan(catalog(), {"backbone={type='" + backbone + "',width_multiplier=0.25}", "head={type='fc'}",
                               "loss=[{type='entropy',on=['logits']}]"});
}

/// As tests/golden/weights/make_osnet.py makes them.
torch::Tensor values(const std::string& name, const std::vector<std::int64_t>& shape) {
  boost::crc_32_type crc;
  crc.process_bytes(name.data(), name.size());
  std::int64_t count = 1;
  for (const auto length : shape) count *= length;
  const auto wave =
      (torch::arange(count, torch::kFloat64) * 0.37 + static_cast<double>(crc.checksum() % 1000))
          .sin()
          .view(shape);
  if (name.ends_with("running_var")) return 1 + 0.5 * wave;
  if (shape.size() == 1 && name.ends_with("weight")) return 1 + 0.2 * wave;
  return (shape.size() == 1 ? 0.1 : 0.15) * wave;
}

torch::Tensor images() {
  const auto axis = [](std::int64_t size, double factor) {
    return torch::arange(size, torch::kFloat64) * factor;
  };
  const auto sum = axis(2, 0.9).view({2, 1, 1, 1}) + axis(3, 1.7).view({1, 3, 1, 1}) +
                   axis(64, 0.05).view({1, 1, 64, 1}) + axis(32, 0.11).view({1, 1, 1, 32});
  return sum.sin().to(torch::kFloat32);
}

/// A file that torchreid writes of a network.
weights::WeightsFile torchreid_file(const nlohmann::json& tensors) {
  weights::WeightsFile file;
  file.file = "torchreid.pth";
  for (const auto& [name, shape] : tensors.items()) {
    const bool counter = name.ends_with("num_batches_tracked");
    const auto tensor = counter ? torch::zeros({}, torch::kInt64)
                                : values(name, shape.get<std::vector<std::int64_t>>()).to(torch::kFloat32);
    file.content.tensors.emplace_back(name, tensor);
  }
  return file;
}

}  // namespace

TEST_CASE("torchreid's file fills OSNet and its fc, and gives torchreid's descriptors") {
  const torch::NoGradGuard no_grad;
  for (const std::string name : {"osnet", "osnet_ibn", "osnet_ain"}) {
    CAPTURE(name);
    const auto golden = golden_json("weights/osnet_expected.json")[name];
    const auto plan = plan_of(name);
    const auto file = torchreid_file(golden["tensors"]);
    const auto weights = weights::translate_for_plan(file, plan);
    CHECK(weights::identities_of(plan, weights, "torchreid.pth") == 7);
    const auto model = model::build_model(plan, 7);
    const auto report = weights::match_weights(weights, *model, "", {});
    CHECK(report.layout == "torchreid");
    CHECK(report.complete());
    CHECK(report.count(weights::TensorState::unused) == 0);
    CHECK(report.count(weights::TensorState::matched) ==
          static_cast<std::int64_t>(file.content.tensors.size()));
    weights::copy_weights(weights, *model, "");
    model->eval();
    const auto expected = torch::tensor(golden["feature"].get<std::vector<double>>(), torch::kFloat64)
                              .view({2, 512})
                              .to(torch::kFloat32);
    const auto actual = model->forward(images()).back();
    CHECK(actual.sizes() == expected.sizes());
    CHECK((actual - expected).abs().max().item<double>() < 2e-5);
    CHECK((expected[0] - expected[1]).abs().max().item<double>() > 1e-4);  // it tells images apart
  }
}

TEST_CASE("without a recipe, too, a file with fc is known to have a place for it") {
  const auto golden = golden_json("weights/osnet_expected.json")["osnet_ain"];
  const auto weights =
      weights::translate(torchreid_file(golden["tensors"]), weights::known_layouts(catalog()));
  CHECK(weights.unused.empty());
  CHECK(weights.layout->name == "torchreid");
}

TEST_CASE("the file of a variant does not fit plain OSNet, and what is missing is named") {
  const auto golden = golden_json("weights/osnet_expected.json")["osnet_ibn"];
  const auto plan = plan_of("osnet");
  const auto model = model::build_model(plan, 7);
  const auto report = weights::match_weights(
      weights::translate_for_plan(torchreid_file(golden["tensors"]), plan), *model, "", {});
  CHECK_FALSE(report.complete());
  CHECK(weights::trouble_text(report).find("missing: backbone.conv1.bn.running_mean") != std::string::npos);
}

TEST_CASE("the head gives feature, logits and descriptor in training, and refuses a batch of one") {
  const auto model = model::build_model(plan_of("osnet"), 7);
  model->train();
  const auto outputs = model->forward(images());
  REQUIRE(outputs.size() == 3);
  CHECK(outputs[0].sizes().vec() == std::vector<std::int64_t>{2, 512});
  CHECK(outputs[1].sizes().vec() == std::vector<std::int64_t>{2, 7});
  CHECK(torch::equal(outputs[0], outputs[2]));
  CHECK(outputs[0].min().item<double>() == 0);  // after ReLU
  CHECK_THROWS_WITH_AS(static_cast<void>(model->forward(images().narrow(0, 0, 1))),
                       doctest::Contains("at least 2 images"), ComponentError);
}

TEST_CASE("every rule of the layouts of variants and head can be reached") {
  check_rules(osnet::OsnetIbn::weights_layouts());
  check_rules(osnet::OsnetAin::weights_layouts());
  check_rules(fc::FcHead::weights_layouts());
}
