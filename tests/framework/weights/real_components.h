// A catalog with the networks of Kindred's own plugins, whose tensors other programs' files are matched with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bnneck.h"
#include "mgn.h"
#include "resnet.h"
#include "se_resnet.h"
#include "tiny_components.h"

namespace kindred::test {

inline const Catalog& real_catalog() {
  static const Catalog catalog = [] {
    auto made = tiny_catalog();
    Catalog scratch;
    scratch.add<resnet::Resnet>("resnet");
    scratch.add<se_resnet::SeResnet>("se_resnet");
    scratch.add<mgn::Mgn>("mgn");
    scratch.add<bnneck::Bnneck>("bnneck");
    made.merge(std::move(scratch), "real", "real.so");
    return made;
  }();
  return catalog;
}

/// @param backbone, head tables as TOML
inline recipe::Plan real_plan(const std::string& backbone, const std::string& head,
                              const std::vector<std::string>& more = {}) {
  std::vector<std::string> overrides = {"backbone=" + backbone, "head=" + head,
                                        "loss=[{type='entropy',on=['logits*']}]"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe, "tiny.toml", overrides), real_catalog());
}

}  // namespace kindred::test
