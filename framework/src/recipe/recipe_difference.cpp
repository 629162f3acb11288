#include "recipe/recipe_difference.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "recipe/list_of_tables.h"

namespace kindred::recipe {
namespace {

using Leaves = std::map<std::string, std::string>;

std::string join(const std::string& prefix, const std::string& key) {
  return prefix.empty() ? key : prefix + "." + key;
}

/// Its name, or else its number in the list, from 1.
std::string entry_label(const Value& entry, std::size_t index) {
  auto name = entry_name(entry);
  return name.empty() ? std::to_string(index + 1) : name;
}

/// As TOML, whole numbers without a fraction: 3 and 3.0 are the same setting.
std::string plain_text(const Value& value) {
  constexpr double exact = 1e15;
  if (const auto* number = value.as<double>();
      number != nullptr && std::trunc(*number) == *number && std::abs(*number) < exact) {
    return Value(static_cast<std::int64_t>(*number)).to_toml();
  }
  const auto* list = value.as<Array>();
  if (list == nullptr) return value.to_toml();
  std::string text;
  for (const auto& element : *list) text += (text.empty() ? "" : ", ") + plain_text(element);
  return "[" + text + "]";
}

void collect(const Value& value, const std::string& key, Leaves& leaves) {
  if (const auto* table = value.as<Table>()) {
    for (const auto& entry : table->entries()) collect(entry.value, join(key, entry.key), leaves);
  } else if (is_list_of_tables(value)) {
    std::string order;
    std::set<std::string> used;
    const auto& list = *value.as<Array>();
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::string name = entry_label(list[i], i);
      while (!used.insert(name).second) name += "'";
      order += (i == 0 ? "" : ", ") + name;
      collect(list[i], join(key, name), leaves);
    }
    leaves[key] = "[" + order + "]";
  } else {
    leaves[key] = plain_text(value);
  }
}

}  // namespace

std::string RecipeDifference::str() const {
  if (there.empty()) return key + ": not set there, " + here + " here";
  if (here.empty()) return key + ": " + there + " there, not set here";
  return key + ": " + there + " there, " + here + " here";
}

std::vector<RecipeDifference> recipe_differences(const Value& there, const Value& here) {
  Leaves old_leaves;
  Leaves new_leaves;
  collect(there, "", old_leaves);
  collect(here, "", new_leaves);
  std::set<std::string> keys;
  for (const auto& [key, text] : old_leaves) keys.insert(key);
  for (const auto& [key, text] : new_leaves) keys.insert(key);

  std::vector<RecipeDifference> differences;
  for (const auto& key : keys) {
    const auto old_leaf = old_leaves.find(key);
    const auto new_leaf = new_leaves.find(key);
    RecipeDifference difference{key, old_leaf == old_leaves.end() ? "" : old_leaf->second,
                                new_leaf == new_leaves.end() ? "" : new_leaf->second};
    if (difference.there != difference.here) differences.push_back(std::move(difference));
  }
  return differences;
}

std::string differences_text(const std::vector<RecipeDifference>& differences) {
  constexpr std::size_t most = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(differences.size(), most); ++i) text += "\n  " + differences[i].str();
  if (differences.size() > most) text += "\n  and " + std::to_string(differences.size() - most) + " more";
  return text;
}

}  // namespace kindred::recipe
