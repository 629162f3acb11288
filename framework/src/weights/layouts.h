// What other programs call the tensors of a whole network, and what Kindred's files call them: composed of
// what backbones and heads declare. Whether what a layout gives fits a network is found when names and shapes
// are matched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/nn/weights_layout.h"
#include "recipe/plan.h"

namespace kindred::weights {

inline constexpr const char* backbone_prefix = "backbone.";
inline constexpr const char* head_prefix = "head.";

/// The layouts of whole files, in the order in which they are tried: a backbone's with a head's of the same
/// name, Kindred's own, and a backbone's alone. Their rules give "backbone...." and "head....".
[[nodiscard]] std::vector<WeightsLayout> known_layouts(const Catalog& catalog);
/// The same, what the plan's own components declare ahead of what others do.
[[nodiscard]] std::vector<WeightsLayout> known_layouts(const recipe::Plan& plan);

/// Those whose required names are all there, in the order given.
[[nodiscard]] std::vector<const WeightsLayout*> possible_layouts(const std::vector<WeightsLayout>& known,
                                                                 const std::vector<std::string>& names);

/// What the layout calls the tensor; nothing when it has no rule for it.
[[nodiscard]] std::optional<std::string> translated(const WeightsLayout& layout, std::string_view name);

/// Whether the layout says that a tensor is of no use.
[[nodiscard]] bool is_dropped(const WeightsLayout& layout, std::string_view name);

}  // namespace kindred::weights
