// What weights of another program demand of a recipe: parameters of its components.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "recipe/plan.h"

namespace kindred::recipe {

/// One demand, and what the plan says to it.
struct Demand {
  enum class State {
    met,      ///< the plan says so
    set,      ///< the recipe says nothing: now it does
    denied,   ///< the recipe says something else
    unknown,  ///< the recipe's component has no such parameter, or does not allow the value
    idle,     ///< the recipe has no augmentation of that type
  };
  std::string text;  ///< "backbone.stem_pooling = \"rounded_up\""
  State state = State::met;
  std::string answer;       ///< what the recipe says instead, or what is wrong with the demand; or ""
  SourceLocation location;  ///< of `answer`
};

/// Sets the demanded parameters that the recipe leaves at their default. When one is denied or unknown the
/// plan stays as it is.
/// @param settings as `--set` takes them: backbone.KEY=VALUE, head.KEY=VALUE, or augmentation.TYPE.KEY=VALUE
/// for every augmentation of that type. Throws std::logic_error for anything else.
[[nodiscard]] std::vector<Demand> meet_demands(Plan& plan, const std::vector<std::string>& settings);

}  // namespace kindred::recipe
