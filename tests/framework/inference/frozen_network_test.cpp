#include "inference/frozen_network.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "called_model.h"
#include "inference/batch_describer.h"
#include "inference/fused_graph.h"
#include "inference/residual_end.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "model/model.h"
#include "model/traced_model.h"
#include "one_thread.h"
#include "plugin/plugin_loader.h"
#include "small_networks.h"
#include "system/device.h"
#include "system/precision.h"
#include "test_paths.h"

namespace kindred::test {
using namespace kindred::inference;  // NOLINT
namespace {

const system::Computing in_fp32{torch::kCPU, system::Precision::fp32};

Activations batch_of(std::int64_t images, std::int64_t height, std::int64_t width) {
  Activations batch(system::place_images(torch::randn({images, 3, height, width}), torch::kCPU));
  batch.cameras = torch::arange(images) % 3 - 1;  // -1: unknown
  batch.views = torch::arange(images) % 2;
  return batch;
}

}  // namespace

TEST_CASE("every backbone under every head gives the same descriptors as a graph") {
  const OneThread one_thread;
  torch::manual_seed(1);
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  std::int64_t seen = 0;
  for (const auto* backbone : plugins.catalog.components(Backbone::role_name)) {
    for (const auto* head : plugins.catalog.components(Head::role_name)) {
      CAPTURE(backbone->info().name);
      CAPTURE(head->info().name);
      const bool cameras = backbone->info().name.ends_with("vit");
      const auto plan = small_plan(plugins.catalog, backbone->info(), head->info(),
                                   cameras ? ", side_information='camera_view', unknown_camera='none'" : "");
      if (!plan) continue;
      auto population = model::any_population(4);
      const auto model = model::build_model(*plan, population);
      make_trained(*model);
      model->eval();
      system::place_module(*model, torch::kCPU);
      const auto batch = batch_of(3, 96, 48);
      FrozenNetwork network(*model, batch, in_fp32);
      CHECK(network.why_not() == "");
      REQUIRE(network.is_graph());
      for (const auto images : {3, 2}) {
        const auto others = batch_of(images, 96, 48);
        const auto expected = model->describe(others);
        const auto rows = network.describe(others);
        REQUIRE(rows.sizes() == expected.sizes());
        CHECK((rows - expected).abs().max().item<float>() < 1e-5F);
      }
      ++seen;
    }
  }
  CHECK(seen >= 30);
}

TEST_CASE("batches of any size are computed in runs of the same size") {
  torch::manual_seed(2);
  const auto model = called_model([](const torch::Tensor& map) { return map.relu(); });
  FrozenNetwork network(*model, batch_of(9, 12, 10), in_fp32);
  REQUIRE(network.is_graph());
  for (const auto images : {1, 7, 8, 9, 16, 19}) {
    CAPTURE(images);
    const auto batch = batch_of(images, 12, 10);
    CHECK(torch::allclose(network.describe(batch), model->describe(batch), 1e-5, 1e-6));
  }
}

TEST_CASE("images of another size than the graph's are computed by the model") {
  torch::manual_seed(8);
  // The upper half is so many rows of the example.
  const auto model = called_model([](const torch::Tensor& map) { return map.narrow(2, 0, map.size(2) / 2); });
  FrozenNetwork network(*model, batch_of(3, 12, 10), in_fp32);
  REQUIRE(network.is_graph());
  for (const auto& size : {std::pair(20, 10), std::pair(12, 16), std::pair(12, 10)}) {
    CAPTURE(size.first);
    const auto batch = batch_of(5, size.first, size.second);
    CHECK(torch::allclose(network.describe(batch), model->describe(batch), 1e-5, 1e-6));
  }
}

TEST_CASE("the size of a run is that of the batches to come, even if the first one is smaller") {
  const OneThread one_thread;
  torch::manual_seed(6);
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  const auto* backbone = plugins.catalog.find(Backbone::role_name, "resnet");
  const auto* head = plugins.catalog.find(Head::role_name, "bnneck");
  const auto model = model::build_model(*small_plan(plugins.catalog, backbone->info(), head->info()), 4);
  make_trained(*model);
  model->eval();
  system::place_module(*model, torch::kCPU);
  const auto first = batch_of(2, 48, 24);
  const auto next = batch_of(5, 48, 24);
  FrozenNetwork network(*model, first, in_fp32, 4);
  REQUIRE(network.is_graph());
  CHECK(torch::allclose(network.describe(first), model->describe(first), 1e-5, 1e-5));
  CHECK(torch::allclose(network.describe(next), model->describe(next), 1e-5, 1e-5));

  // A graph keeps most weights of its making, so a change of them tells who computes.
  BatchDescriber many(*model, false, in_fp32);
  BatchDescriber few(*model, false, in_fp32, {.images = 7, .batch = 2});
  const auto before = many.describe(next);
  CHECK(torch::allclose(few.describe(next), before, 1e-5, 1e-5));
  {
    const torch::NoGradGuard no_gradients;
    for (auto& parameter : model->parameters()) parameter.mul_(1.5);
  }
  CHECK_FALSE(torch::allclose(many.describe(next), model->describe(next), 1e-3, 1e-3));
  CHECK(torch::equal(few.describe(next), model->describe(next)));
  CHECK(few.why_not_fused() == "");
}

TEST_CASE("a network whose branches depend on values is not run as a graph, and the reason is known") {
  torch::manual_seed(3);
  // The left half of the example is darker than its mirror image's.
  auto batch = batch_of(4, 12, 10);
  batch.values.narrow(3, 0, 5).sub_(3);
  const auto model = called_model([](const torch::Tensor& map) {
    const auto left = map.narrow(3, 0, 3).mean().item<float>();
    const auto right = map.narrow(3, 5, 3).mean().item<float>();
    return left < right ? map.relu() : map.narrow(1, 0, 4).neg().relu() + map.square();
  });
  FrozenNetwork network(*model, batch, in_fp32);
  CHECK_FALSE(network.is_graph());
  CHECK(network.why_not().find("other descriptors than the model") != std::string::npos);
  CHECK(torch::equal(network.describe(batch), model->describe(batch)));
}

TEST_CASE("a network that cannot be traced is run as it is, and the reason is known") {
  const auto stray = torch::ones({4, 1, 1}, torch::requires_grad());  // a parameter that nobody registered
  const auto model = called_model([stray](const torch::Tensor& map) { return map * stray; });
  const auto batch = batch_of(2, 12, 10);
  FrozenNetwork network(*model, batch, in_fp32);
  CHECK_FALSE(network.is_graph());
  CHECK(network.why_not().find("requires grad") != std::string::npos);
  CHECK(torch::equal(network.describe(batch), model->describe(batch)));
}

TEST_CASE("a graph is faster for what it fuses: all of a residual network with squeeze and excitation") {
  const OneThread one_thread;
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  const auto fused_of = [&](const std::string& name) {
    const auto* backbone = plugins.catalog.find(Backbone::role_name, name);
    const auto* head = plugins.catalog.find(Head::role_name, "bnneck");
    const auto model = model::build_model(*small_plan(plugins.catalog, backbone->info(), head->info()), 4);
    model->eval();
    const auto batch = batch_of(2, 96, 48);
    return fuse(model::trace_model(*model, batch), model::traced_arguments(*model, batch), torch::kFloat);
  };
  const auto count = [](const FusedGraph& fused, const std::string& kind) {
    std::int64_t found = 0;
    for (const auto* node : fused.graph->nodes()) {
      if (node->kind().toQualString() == kind) ++found;
    }
    return found;
  };
  const auto plain = fused_of("resnet");
  CHECK(plain.packed.size() == 20);
  CHECK(plain.fused_ends == 8);
  CHECK(count(plain, "aten::_convolution") == 0);
  CHECK(count(plain, "aten::relu") == 0);
  const auto gated = fused_of("se_resnet");
  CHECK(gated.packed.size() == 53);
  CHECK(gated.fused_ends == 16);
  // Those of squeeze and excitation are of one pixel.
  CHECK(count(gated, "aten::_convolution") == 2 * 16);
  CHECK(count(gated, "aten::relu") == 16);
}

TEST_CASE("the end of a residual block is fused beside a product that is none of a convolution's result") {
  const OneThread one_thread;
  torch::manual_seed(7);
  const auto weight = torch::randn({4, 4, 3, 3}) * 0.3;
  const auto model = called_model([weight](const torch::Tensor& map) {
    const auto convolved = torch::conv2d(map, weight, {}, 1, 1);
    return (map * 0.5 + convolved * convolved.mean({2, 3}, true).sigmoid()).relu();
  });
  system::place_module(*model, torch::kCPU);
  const auto batch = batch_of(3, 12, 10);
  const auto fused =
      fuse(model::trace_model(*model, batch), model::traced_arguments(*model, batch), torch::kFloat);
  CHECK(fused.fused_ends == 1);
  FrozenNetwork network(*model, batch, in_fp32);
  CHECK(network.why_not() == "");
  CHECK(torch::allclose(network.describe(batch), model->describe(batch), 1e-5, 1e-6));
}

TEST_CASE("in bfloat16 a graph gives what the model gives up to rounding") {
  const OneThread one_thread;
  const system::Computing computing{torch::kCPU, system::Precision::bf16};
  if (!system::can_compute(torch::kCPU, system::Precision::bf16)) {
    MESSAGE("left out: this processor cannot compute convolutions in bf16");
    return;
  }
  torch::manual_seed(4);
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  for (const auto* name : {"se_resnet", "osnet", "convnext", "vit"}) {
    CAPTURE(name);
    const auto* backbone = plugins.catalog.find(Backbone::role_name, name);
    const auto* head = plugins.catalog.find(Head::role_name, "bnneck");
    const auto model = model::build_model(*small_plan(plugins.catalog, backbone->info(), head->info()), 4);
    make_trained(*model);
    model->eval();
    system::place_module(*model, torch::kCPU);
    const auto batch = batch_of(3, 96, 48);
    const auto exact = model->describe(batch);
    const system::Autocast autocast(computing);
    FrozenNetwork network(*model, batch, computing);
    CHECK(network.why_not() == "");
    const auto rows = network.describe(batch);
    CHECK((rows.scalar_type() == torch::kFloat));
    CHECK((rows * exact).sum(1).min().item<float>() > 0.99F);
    CHECK_FALSE(torch::allclose(rows, exact, 0, 1e-6));  // it is in 16 bits
  }
}

TEST_CASE("the end of a residual block is the same in any layout and type") {
  torch::manual_seed(5);
  for (const auto type : {torch::kFloat, torch::kBFloat16, torch::kDouble}) {
    for (const auto format : {torch::MemoryFormat::ChannelsLast, torch::MemoryFormat::Contiguous}) {
      const auto made = [&] { return torch::randn({3, 40, 9, 5}).to(type).contiguous(format); };
      const auto x = made();
      const auto other = made();
      const auto scale = torch::rand({3, 40, 1, 1}).to(type);
      const double tolerance = type == torch::kBFloat16 ? 0.05 : 1e-6;
      CHECK(torch::allclose(add_relu_(x.clone(), other), (x + other).relu(), tolerance, tolerance));
      CHECK(torch::allclose(scale_add_relu_(x.clone(), scale, other), (x * scale + other).relu(), tolerance,
                            tolerance));
    }
  }
  const auto flat = torch::randn({3, 40, 9, 5});
  const auto last = torch::randn({3, 40, 9, 5}).contiguous(torch::MemoryFormat::ChannelsLast);
  CHECK(torch::equal(add_relu_(last.clone(), flat), (last + flat).relu()));
}

}  // namespace kindred::test
