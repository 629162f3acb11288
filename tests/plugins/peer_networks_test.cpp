// Whole networks of fast-reid, torchreid and reid-strong-baseline: a recipe that says no more than the types
// and what the tensors' shapes decide becomes the network that the program has, and gives its descriptors.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <boost/crc.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "bnneck.h"
#include "fc_head.h"
#include "foreign_weights.h"
#include "golden/golden_model.h"
#include "kindred/core/error.h"
#include "mgn.h"
#include "resize.h"
#include "resnet.h"
#include "resnet_ibn.h"
#include "temporary_folder.h"
#include "weights/initial_weights.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const Catalog& peer_catalog() {
  static const auto made = tiny_catalog_with([](Catalog& scratch) {
    scratch.add<resnet::Resnet>("resnet");
    scratch.add<resnet_ibn::ResnetIbn>("resnet_ibn");
    scratch.add<bnneck::Bnneck>("bnneck");
    scratch.add<fc::FcHead>("fc");
    scratch.add<mgn::Mgn>("mgn");
    scratch.add<transforms::Resize>("resize");
  });
  return made;
}

/// @param backbone, head tables as TOML
recipe::Plan peer_plan(const std::string& backbone, const std::string& head) {
  return tiny_plan(peer_catalog(), {"backbone=" + backbone, "head=" + head,
                                    "augmentation=[{type='resize',height=96,width=32}]",
                                    "loss=[{type='entropy',on=['logits*']}]"});
}

/// As tools/golden/make_peer_networks.py makes them.
torch::Tensor peer_values(const std::string& name, const std::vector<std::int64_t>& shape) {
  boost::crc_32_type crc;
  crc.process_bytes(name.data(), name.size());
  std::int64_t count = 1;
  for (const auto length : shape) count *= length;
  auto v = torch::arange(count, torch::kFloat64);
  v.mul_(12.9898).add_(78.233 * static_cast<double>(crc.checksum() % 1000)).sin_().mul_(43758.5453);
  const auto u = (v - v.floor()).sub_(0.5).view(shape);
  if (name.ends_with(".p")) return 3 + u;
  if (name.ends_with("running_var")) return 1 + 0.5 * u;
  if (shape.size() > 1) return u * std::sqrt(24.0 / static_cast<double>(count / shape[0]));
  return name.ends_with("weight") ? 0.7 + 0.2 * u : 0.2 * u;
}

torch::Tensor peer_images() {
  const auto axis = [](std::int64_t size, double factor) {
    return torch::arange(size, torch::kFloat64) * factor;
  };
  const auto sum = axis(2, 0.9).view({2, 1, 1, 1}) + axis(3, 1.7).view({1, 3, 1, 1}) +
                   axis(96, 0.05).view({1, 1, 96, 1}) + axis(32, 0.11).view({1, 1, 1, 32});
  return sum.sin().to(torch::kFloat32);
}

nlohmann::json peer_golden(const std::string& network) {
  return golden_json("weights/peers_expected.json")[network];
}

weights::WeightsFile peer_file(const nlohmann::json& golden) {
  weights::WeightsFile file;
  file.file = "peer.pth";
  for (const auto& [name, shape] : golden["tensors"].items()) {
    file.content.tensors.emplace_back(
        name, peer_values(name, shape.get<std::vector<std::int64_t>>()).to(torch::kFloat32));
  }
  return file;
}

struct Peer {
  std::string network;
  std::string layout;
  std::string backbone;
  std::string head;
  std::string demands;       ///< as the import shows them
  std::int64_t dropped = 0;  ///< tensors that take no part in the descriptor
};

void check_peer(const Peer& peer) {
  CAPTURE(peer.network);
  const torch::NoGradGuard no_grad;
  const auto golden = peer_golden(peer.network);
  const auto file = peer_file(golden);
  auto plan = peer_plan(peer.backbone, peer.head);
  const auto weights = weights::translate_for_plan(file, plan);
  REQUIRE(weights.layout);
  CHECK(weights.layout->name == peer.layout);
  CHECK(weights::demands_text(weights::meet_demands(plan, *weights.layout, file.file, true)) == peer.demands);
  const auto model = model::build_model(plan, 3);
  const auto report = weights::match_weights(weights, *model, "", {});
  CHECK(weights::trouble_text(report).empty());
  CHECK(report.count(weights::TensorState::matched) + report.count(weights::TensorState::dropped) ==
        static_cast<std::int64_t>(golden["tensors"].size()));
  CHECK(report.count(weights::TensorState::dropped) == peer.dropped);
  weights::copy_weights(weights, *model, "");
  model->eval();
  const auto actual = model->forward(peer_images()).back();
  CHECK(actual.size(1) == golden["dim"].get<std::int64_t>());
  const auto expected = torch::tensor(golden["every_eighth"].get<std::vector<double>>(), torch::kFloat64);
  const auto difference = actual.flatten().slice(0, 0, c10::nullopt, 8).to(torch::kFloat64) - expected;
  CHECK(difference.abs().max().item<double>() < 2e-4);
}

const std::string pil_bicubic =
    "augmentation.resize.antialias = true (set), augmentation.resize.interpolation = \"cubic\" (set)";

}  // namespace

TEST_CASE("fast-reid's AGW: non-local blocks, and a generalized mean whose exponent is not learned") {
  check_peer({"fast-reid AGW_R50", "fast-reid baseline", "{type='resnet'}", "{type='bnneck'}",
              "backbone.stem_pooling = \"rounded_up\" (set), backbone.non_local = true (set), " +
                  pil_bicubic + ", head.pooling = \"gem\" (set), head.gem_exponent = 3 (set)"});
}

TEST_CASE("fast-reid's SBS on IBN: non-local blocks, and a learned exponent") {
  check_peer({"fast-reid sbs_R50-ibn", "fast-reid baseline", "{type='resnet_ibn'}", "{type='bnneck'}",
              "backbone.stem_pooling = \"rounded_up\" (set), backbone.non_local = true (set), " +
                  pil_bicubic + ", head.pooling = \"gem\" (set)"});
}

TEST_CASE("fast-reid's MGN on IBN: stride 1 in the first branch, and an exponent for each stripe") {
  check_peer({"fast-reid mgn_R50-ibn", "fast-reid MGN", "{type='resnet_ibn'}", "{type='mgn'}",
              "backbone.stem_pooling = \"rounded_up\" (set), head.first_stride = 1 (set), "
              "head.classifier_bias = false (set), " +
                  pil_bicubic + ", head.pooling = \"gem\" (set), head.exponent_per_stripe = true (set)"});
}

TEST_CASE("torchreid's resnet50, resnext50_32x4d and resnet50_fc512: their strides and their heads") {
  const std::string stem = "backbone.stem_pooling = \"padded\", ";
  const std::string resize = "augmentation.resize.antialias = true (set), head.pooling = \"avg\"";
  check_peer({"torchreid resnet50", "torchreid", "{type='resnet'}", "{type='fc'}",
              stem + "backbone.last_stride = 2 (set), " + resize + ", head.dim = 0 (set)"});
  check_peer({"torchreid resnext50_32x4d", "torchreid", "{type='resnet',groups=32,width_per_group=4}",
              "{type='fc'}", stem + "backbone.last_stride = 2 (set), " + resize + ", head.dim = 0 (set)"});
  check_peer({"torchreid resnet50_fc512", "torchreid", "{type='resnet'}", "{type='fc'}",
              stem + "backbone.last_stride = 1, " + resize});
}

TEST_CASE("reid-strong-baseline: its ResNet lacks a ReLU, its IBN-a has it") {
  const std::string stem = "backbone.stem_pooling = \"padded\", ";
  const std::string rest = "augmentation.resize.antialias = true (set), head.pooling = \"avg\"";
  check_peer({"reid-strong-baseline resnet50", "reid-strong-baseline", "{type='resnet'}", "{type='bnneck'}",
              stem + "backbone.stem_relu = false (set), " + rest});
  check_peer({"reid-strong-baseline resnet50_ibn_a", "reid-strong-baseline", "{type='resnet_ibn'}",
              "{type='bnneck'}", stem + rest, 2});
}

TEST_CASE("a recipe that says otherwise than a file's program is refused at the place where it says so") {
  const auto file = peer_file(peer_golden("torchreid resnet50"));
  auto plan = peer_plan("{type='resnet',last_stride=1}", "{type='fc'}");
  const auto weights = weights::translate_for_plan(file, plan);
  REQUIRE(weights.layout);
  const auto message = message_of<RecipeError>(
      [&] { static_cast<void>(weights::meet_demands(plan, *weights.layout, "peer.pth", true)); });
  CHECK(message.find("the weights peer.pth (layout: torchreid) need backbone.last_stride = 2, but the recipe "
                     "says 1; leave it out, and it is set") != std::string::npos);
  // Whoever takes the backbone alone chooses its last stride.
  CHECK(weights::demands_text(weights::meet_demands(plan, *weights.layout, "peer.pth", false)) ==
        "backbone.stem_pooling = \"padded\"");
}
