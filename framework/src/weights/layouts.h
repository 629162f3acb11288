// What other programs call the tensors of networks, and what Kindred's files call them. A layout is a table
// of names: it knows of files, not of components. Whether what it gives fits a network is found when names
// and shapes are matched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/safetensors.h"

namespace kindred::weights {

/// In `from`, a '#' stands for a whole number and a '*' at the end for anything. In `to` they stand for the
/// same again; "#+1" for the number and one.
struct NameRule {
  std::string_view from;
  std::string_view to;
};

struct WeightsLayout {
  std::string_view name;                   ///< "torchvision ResNet"
  std::vector<std::string_view> required;  ///< forms of names, each of which some tensor has
  std::vector<NameRule> rules;  ///< the first that fits a name counts; a name without one is not used
  std::string_view note;  ///< what the network must be like for the same outputs, beside its tensors; or ""
};

/// The first whose required names are there is the one that a file has.
[[nodiscard]] const std::vector<WeightsLayout>& weights_layouts();

/// nullptr when there is none.
[[nodiscard]] const WeightsLayout* recognise_layout(const file::TensorFile& content);

/// What Kindred calls the tensor; nothing when the layout has no use for it.
[[nodiscard]] std::optional<std::string> translated(const WeightsLayout& layout, std::string_view name);

}  // namespace kindred::weights
