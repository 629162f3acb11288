#include "pipeline/key_difference.h"

#include <map>
#include <string>
#include <vector>

#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"

namespace kindred::pipeline {
namespace {

/// "[day, night]"
std::string bracketed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return "[" + text + "]";
}

/// What differs between two sets of hashes: of each that does, "has changed", "is new" or "is no longer
/// read".
std::vector<std::string> map_differences(const std::map<std::string, std::string>& there,
                                         const std::map<std::string, std::string>& here) {
  std::vector<std::string> differences;
  for (const auto& [name, hash] : here) {
    const auto before = there.find(name);
    if (before == there.end()) {
      differences.push_back(name + " is new");
    } else if (before->second != hash) {
      differences.push_back(name + " has changed");
    }
  }
  for (const auto& [name, hash] : there) {
    if (here.count(name) == 0) differences.push_back(name + " is no longer read");
  }
  return differences;
}

std::vector<recipe::RecipeDifference> settings_differences(const std::string& there,
                                                           const std::string& here) {
  if (there == here) return {};
  return recipe::recipe_differences(recipe::parse_recipe(there, "then", {}),
                                    recipe::parse_recipe(here, "now", {}));
}

/// Of stages whose results are read as something else, or in another order.
std::vector<std::string> reads_differences(const results::StageKey& there, const results::StageKey& here) {
  std::map<std::string, recipe::RecipeDifference> all;
  for (const auto& [key, stages] : there.reads) all[key].there = bracketed(stages);
  for (const auto& [key, stages] : here.reads) all[key].here = bracketed(stages);
  std::vector<std::string> differences;
  for (auto& [key, difference] : all) {
    difference.key = key;
    if (difference.there != difference.here) differences.push_back(difference.str());
  }
  return differences;
}

std::string first_of(const std::vector<std::string>& differences) {
  return differences.empty() ? "" : differences.front();
}

constexpr const char* data_difference = "the images or their labels have changed";

}  // namespace

std::string key_difference(const results::StageKey& there, const results::StageKey& here, bool ignore_code) {
  if (there.type != here.type) return "it was a stage of type " + there.type;
  const auto settings = settings_differences(there.settings, here.settings);
  if (!settings.empty()) {
    return "its recipe has changed: " + settings.front().str() +
           (settings.size() > 1 ? ", and " + std::to_string(settings.size() - 1) + " more" : "");
  }
  auto reason = first_of(map_differences(there.inputs, here.inputs));
  if (reason.empty()) reason = first_of(reads_differences(there, here));
  if (reason.empty() && there.data != here.data) reason = data_difference;
  if (reason.empty() && !ignore_code) {
    reason = first_of(map_differences(there.code, here.code));
    if (!reason.empty()) reason += " (--ignore-code accepts its result)";
  }
  return reason;
}

std::string key_differences(const results::StageKey& there, const results::StageKey& here) {
  auto text = recipe::differences_text(settings_differences(there.settings, here.settings));
  for (const auto& difference : map_differences(there.inputs, here.inputs)) text += "\n  " + difference;
  for (const auto& difference : reads_differences(there, here)) text += "\n  " + difference;
  if (there.data != here.data) text += std::string("\n  ") + data_difference;
  return text;
}

bool differ_in_settings_alone(const results::StageKey& there, const results::StageKey& here,
                              bool ignore_code) {
  auto rest = there;
  rest.settings = here.settings;
  return there.settings != here.settings && key_difference(rest, here, ignore_code).empty();
}

}  // namespace kindred::pipeline
