// What other programs call the tensors of a whole network, and what Kindred's files call them: composed of
// what backbones and heads declare. Whether what a layout gives fits a network is found when names and shapes
// are matched.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/nn/weights_layout.h"
#include "recipe/plan.h"

namespace kindred::weights {

inline constexpr const char* backbone_prefix = "backbone.";
inline constexpr const char* head_prefix = "head.";

/// The layout of a whole file.
struct FileLayout : WeightsLayout {
  /// Those of its settings that hold for whoever takes the backbone alone: those of the backbone's layout
  /// without "backbone.last_stride", which is a choice of each training.
  std::vector<std::string> backbone_settings{};
  bool own = false;  ///< Kindred's names; the first required form is that of all of the backbone's
};

/// In the order in which they are tried: a backbone's with a head's of the same name, Kindred's own, and a
/// backbone's alone. Their rules give "backbone...." and "head....".
[[nodiscard]] std::vector<FileLayout> known_layouts(const Catalog& catalog);
/// The same, what the plan's own components declare ahead of what others do.
[[nodiscard]] std::vector<FileLayout> known_layouts(const recipe::Plan& plan);

/// Those whose required names are all there, in the order given.
[[nodiscard]] std::vector<const FileLayout*> possible_layouts(const std::vector<FileLayout>& known,
                                                              const std::vector<std::string>& names);

/// The first name for each required form of the layout: what a file was recognized by.
[[nodiscard]] std::vector<std::string> recognized_by(const WeightsLayout& layout,
                                                     const std::vector<std::string>& names);

/// The rule for a tensor, and what it calls it.
struct Translation {
  const RenameRule* rule;
  std::string name;
};
/// Nothing when the layout has no rule for the name.
/// @param names of the network's tensors: of several rules that fit, the first counts that leads to one of
/// them, else the first. So the layout of a head that has a part of the backbone as its own may name it, too.
[[nodiscard]] std::optional<Translation> translated(const WeightsLayout& layout, std::string_view name,
                                                    const std::set<std::string>& names = {});

/// Whether the layout says that a tensor is of no use.
[[nodiscard]] bool is_dropped(const WeightsLayout& layout, std::string_view name);

}  // namespace kindred::weights
