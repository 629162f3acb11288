// Files as other programs name them, made up tensor by tensor from networks of Kindred's own plugins.
#pragma once

#include <doctest/doctest.h>
#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/model_file.h"
#include "tiny_components.h"
#include "weights/initial_weights.h"
#include "weights/matching.h"

namespace kindred::test {

using Names = std::vector<std::string>;

/// A tensor's name in Kindred -> the program's; "" when the program has no such tensor.
using Rename = std::function<std::string(std::string)>;

inline const std::string narrow_resnet = "{type='resnet',depth=50,width_multiplier=0.125}";
inline const std::string narrow_se_resnet = "{type='se_resnet',depth=50,width_multiplier=0.125}";

/// Whether the name began with the prefix.
inline bool take_off(std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix)) return false;
  name.erase(0, prefix.size());
  return true;
}

/// A model's tensors under the names of another program, in a shuffled order, with some of no use besides.
inline weights::WeightsFile foreign_file(const model::Model& model, const Rename& rename,
                                         const Names& useless) {
  weights::WeightsFile file;
  file.file = "made.pth";
  for (const auto& [name, tensor] : model::module_tensors(model)) {
    const auto renamed = rename(name);
    if (!renamed.empty()) file.content.tensors.emplace_back(renamed, tensor.detach().clone());
  }
  for (const auto& name : useless) file.content.tensors.emplace_back(name, torch::ones({2}));
  std::reverse(file.content.tensors.begin(), file.content.tensors.end());
  return file;
}

struct Filling {
  std::string layout;
  Names unused;
  Names missing;
  /// Every tensor that is not missing has the value of the model that the file was made of.
  bool equal = true;
};

/// Fills a network, with what the layout demands, with a file that another program might have of one of the
/// same kind.
/// @param backbone, head tables as TOML
inline Filling filled(const Catalog& catalog, const std::string& backbone, const std::string& head,
                      const Rename& rename, const Names& useless = {}) {
  const auto plan_of = [&](const std::string& seed) {
    return tiny_plan(catalog, {"backbone=" + backbone, "head=" + head, "seed=" + seed,
                               "loss=[{type='entropy',on=['logits*']}]"});
  };
  const auto source = model::build_model(plan_of("3"), 4);
  auto plan = plan_of("4");
  const auto weights =
      weights::translate(foreign_file(*source, rename, useless), weights::known_layouts(catalog));
  if (weights.layout) static_cast<void>(weights::meet_demands(plan, *weights.layout, "made.pth", true));
  const auto target = model::build_model(plan, 4);
  const auto report = weights::match_weights(weights, *target, "", {});
  weights::copy_weights(weights, *target, "");
  Filling filling;
  filling.layout = report.layout;
  std::set<std::string> missing;
  for (const auto& row : report.rows) {
    const bool dropped = row.state == weights::TensorState::dropped;
    if (dropped || row.state == weights::TensorState::unused) filling.unused.push_back(row.name);
    if (row.state == weights::TensorState::missing) missing.insert(row.name);
    CHECK((row.state != weights::TensorState::wrong_shape && row.state != weights::TensorState::wrong_type));
  }
  filling.missing.assign(missing.begin(), missing.end());
  const auto expected = model::module_tensors(*source);
  const auto actual = model::module_tensors(*target);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (missing.count(expected[i].first) > 0) continue;
    filling.equal = filling.equal && torch::equal(expected[i].second, actual[i].second);
  }
  std::sort(filling.unused.begin(), filling.unused.end());
  return filling;
}

/// The components of the tests that train, and others.
template <class Add>
Catalog tiny_catalog_with(const Add& add) {
  auto catalog = tiny_catalog();
  Catalog scratch;
  add(scratch);
  catalog.merge(std::move(scratch), "real", "real.so");
  return catalog;
}

/// Every rule of a layout takes a name to the one that it says, and no rule ahead of it does.
inline void check_rules(const std::vector<WeightsLayout>& layouts) {
  for (const auto& layout : layouts) {
    CAPTURE(layout.name);
    CHECK_FALSE(layout.required.empty());
    for (const auto& rule : layout.rules) {
      std::string name;
      for (const char c : rule.from) name += c == '#' ? "7" : c == '*' ? "rest" : std::string(1, c);
      auto wanted = rule.to;
      if (const auto at = wanted.find("#+1"); at != std::string::npos) wanted.replace(at, 3, "8");
      if (const auto at = wanted.find('#'); at != std::string::npos) wanted.replace(at, 1, "7");
      if (const auto at = wanted.find('*'); at != std::string::npos) wanted.replace(at, 1, "rest");
      CHECK(weights::translated(layout, name).value().name == wanted);
    }
  }
}

}  // namespace kindred::test
