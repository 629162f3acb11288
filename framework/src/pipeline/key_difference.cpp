#include "pipeline/key_difference.h"

#include <map>

#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"

namespace kindred::pipeline {
namespace {

/// What differs between two sets of hashes: "has changed", "is new" or "is gone", of the first that does.
std::string map_difference(const std::map<std::string, std::string>& there,
                           const std::map<std::string, std::string>& here, const std::string& what) {
  for (const auto& [name, hash] : here) {
    const auto before = there.find(name);
    if (before == there.end()) return what + name + " is new";
    if (before->second != hash) return what + name + " has changed";
  }
  for (const auto& [name, hash] : there) {
    if (here.count(name) == 0) return what + name + " is no longer read";
  }
  return "";
}

std::string settings_difference(const std::string& there, const std::string& here) {
  if (there == here) return "";
  const auto differences = recipe::recipe_differences(recipe::parse_recipe(there, "then", {}),
                                                      recipe::parse_recipe(here, "now", {}));
  if (differences.empty()) return "";
  return "its recipe has changed: " + differences.front().str() +
         (differences.size() > 1 ? ", and " + std::to_string(differences.size() - 1) + " more" : "");
}

}  // namespace

std::string key_difference(const results::StageKey& there, const results::StageKey& here, bool ignore_code) {
  if (there.type != here.type) return "it was a stage of type " + there.type;
  auto reason = settings_difference(there.settings, here.settings);
  if (reason.empty()) reason = map_difference(there.inputs, here.inputs, "");
  if (reason.empty() && there.data != here.data) reason = "the images or their labels have changed";
  if (reason.empty() && !ignore_code) {
    reason = map_difference(there.code, here.code, "");
    if (!reason.empty()) reason += " (--ignore-code accepts its result)";
  }
  return reason;
}

}  // namespace kindred::pipeline
