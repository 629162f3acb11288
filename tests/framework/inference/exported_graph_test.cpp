#include "inference/exported_graph.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <iostream>
#include <memory>
#include <string>

#include "kindred/core/error.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "model/model.h"
#include "plugin/plugin_loader.h"
#include "small_networks.h"
#include "test_paths.h"

namespace kindred::test {
using namespace kindred::inference;  // NOLINT

TEST_CASE("every backbone under every head becomes a graph for any number of images") {
  at::set_num_threads(1);
  torch::manual_seed(1);
  const auto plugins = plugin::load_plugins({std::filesystem::path(build_directory) / "lib/kindred/plugins"});
  std::map<std::string, int> ops;
  for (const auto* backbone : plugins.catalog.components(Backbone::role_name)) {
    for (const auto* head : plugins.catalog.components(Head::role_name)) {
      const auto what = backbone->info().name + " " + head->info().name;
      CAPTURE(what);
      const bool cameras = backbone->info().name.ends_with("vit");
      const auto plan = small_plan(plugins.catalog, backbone->info(), head->info(),
                                   cameras ? ", side_information='camera_view', unknown_camera='none'" : "");
      if (!plan) continue;
      const auto model = model::build_model(*plan, model::any_population(4));
      model->eval();
      try {
        const auto exported = export_graph(*model, {.size = {48, 96}});
        for (const auto* node : exported.graph->nodes()) {
          if (ops[node->kind().toQualString()]++ == 0) std::cout << what << ": " << *node;
        }
      } catch (const std::exception& error) {
        FAIL_CHECK(error.what());
      }
    }
  }
  for (const auto& [op, count] : ops) std::cout << op << ' ' << count << '\n';
}

}  // namespace kindred::test
