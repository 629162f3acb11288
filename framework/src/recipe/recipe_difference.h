// In which keys two recipes differ.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/value.h"

namespace kindred::recipe {

/// One key that differs: "train.epochs: 60 there, 70 here".
struct RecipeDifference {
  std::string key;    ///< "augmentation.random_patch.prob": entries of lists of tables go by their name
  std::string there;  ///< as TOML; "" when it is not there
  std::string here;

  [[nodiscard]] std::string str() const;
};

/// Ordered by key. The order of the entries of a list of tables counts, and is a difference of the list's
/// key.
[[nodiscard]] std::vector<RecipeDifference> recipe_differences(const Value& there, const Value& here);

/// What a message needs: one line a difference, at most ten, each indented and with a line break before it.
[[nodiscard]] std::string differences_text(const std::vector<RecipeDifference>& differences);

}  // namespace kindred::recipe
