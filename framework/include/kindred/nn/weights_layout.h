// What other programs call the tensors of a network, and what a component's own are called.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kindred/core/export.h"

namespace at {
class Tensor;
}  // namespace at

namespace kindred {

/// In `from`, a '#' stands for a whole number and a '*' at the end for anything. In `to` they stand for the
/// same again; "#+1" for the number and one.
struct KINDRED_API RenameRule {
  std::string from;  ///< a name in the program's file
  std::string to;    ///< the component's own
  /// Makes the component's tensor of the program's where they differ in more than the name, such as the order
  /// of rows. A tensor of another size is none of its business: nn/adapts_weights.h. Empty: the same tensor.
  std::function<at::Tensor(const at::Tensor&)> convert{};
};

/// How one program names the tensors of a component. Its files hold whole networks: a backbone's layout and a
/// head's of the same name are read together, each says where its own tensors are.
struct KINDRED_API WeightsLayout {
  std::string name;    ///< the program's, as users know it: "fast-reid baseline"
  std::string note{};  ///< what differs from the program whatever is set, in one line; or ""
  std::vector<std::string>
      required{};                      ///< forms of names, as RenameRule::from, each of which some tensor has
  std::vector<RenameRule> rules{};     ///< the first that fits a name counts
  std::vector<std::string> dropped{};  ///< forms of names that no rule fits and that are of no use
  /// What a recipe must say for the program's outputs, as `--set` takes it: "head.pooling='gem'". An import
  /// sets what the recipe leaves at its default, and refuses a recipe that says otherwise.
  std::vector<std::string> settings{};
};

}  // namespace kindred
