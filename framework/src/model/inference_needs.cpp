#include "model/inference_needs.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "kindred/core/error.h"
#include "recipe/list_of_tables.h"
#include "recipe/recipe.h"

namespace kindred::model {
namespace {

NeededComponent needed(const ComponentInfo& info, std::string entry = "") {
  return {info.role, info.name, std::move(entry), info.plugin, info.plugin_version};
}

/// "plugin 'heap' 1.0.0"
std::string plugin_text(const NeededComponent& component) {
  if (component.plugin.empty()) return "a plugin that is not known";
  return "plugin '" + component.plugin + "'" + (component.version.empty() ? "" : " " + component.version);
}

}  // namespace

InferenceNeeds::InferenceNeeds(const recipe::InferencePlan& plan) {
  for (const auto& choice : plan.augmentations) {
    if (choice.create({})->at_test_time()) {
      components_.push_back(needed(choice.factory->info(), choice.name));
    }
  }
  components_.push_back(needed(plan.backbone.factory->info()));
  components_.push_back(needed(plan.head.factory->info()));
}

InferenceNeeds::InferenceNeeds(const std::string& text, const std::filesystem::path& file) {
  const auto damaged = [&](const std::string& what) {
    return DataError(file, "is damaged: its 'kindred.inference' " + what);
  };
  Value content;
  try {
    content = recipe::parse_recipe(text, "kindred.inference", {});
  } catch (const RecipeError& error) {
    throw damaged(std::string("cannot be read: ") + error.what());
  }
  const auto* list = content.as<Table>()->find("component");
  if (list == nullptr || list->as<Array>() == nullptr) throw damaged("lists no components");
  for (const auto& entry : *list->as<Array>()) {
    const auto* table = entry.as<Table>();
    if (table == nullptr) throw damaged("lists something that is no table");
    const auto text_of = [&](const std::string& key) {
      const auto* value = table->find(key);
      const auto* found = value == nullptr ? nullptr : value->as<std::string>();
      if (found == nullptr) throw damaged("has a component without '" + key + "'");
      return *found;
    };
    components_.push_back(
        {text_of("role"), text_of("name"), text_of("entry"), text_of("plugin"), text_of("version")});
  }
}

std::string InferenceNeeds::write() const {
  Array list;
  for (const auto& component : components_) {
    Table table;
    table.set("role", Value(component.role));
    table.set("name", Value(component.name));
    table.set("entry", Value(component.entry));
    table.set("plugin", Value(component.plugin));
    table.set("version", Value(component.version));
    list.emplace_back(std::move(table));
  }
  Table content;
  content.set("component", Value(std::move(list)));
  return recipe::write_recipe(Value(std::move(content)));
}

void InferenceNeeds::require(const Catalog& catalog, const std::filesystem::path& file) const {
  std::map<std::string, std::set<std::string>> missing;  // components by plugin
  for (const auto& component : components_) {
    if (catalog.find(component.role, component.name) != nullptr) continue;
    missing[plugin_text(component)].insert(component.role + " '" + component.name + "'");
  }
  if (missing.empty()) return;
  std::string text;
  for (const auto& [plugin, names] : missing) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    text += (text.empty() ? "" : "; ") + list + " of " + plugin;
  }
  throw PluginError(file, "needs what no loaded plugin offers: " + text +
                              ". Give the folder of the plugin with --plugin-dir DIR; `kindred list` shows "
                              "what is loaded");
}

std::vector<std::string> InferenceNeeds::other_versions(const Catalog& catalog,
                                                        const std::filesystem::path& file) const {
  std::vector<std::string> notes;
  std::set<std::string> told;
  for (const auto& component : components_) {
    const auto* found = catalog.find(component.role, component.name);
    if (found == nullptr || component.version.empty()) continue;
    const auto& info = found->info();
    const bool same = info.plugin == component.plugin && info.plugin_version == component.version;
    if (same || info.plugin_version.empty() || !told.insert(component.plugin).second) continue;
    notes.push_back("warning: " + file.string() + " was trained with " + plugin_text(component) +
                    ", and is used with " + plugin_text(needed(info)) + ": descriptors may differ");
  }
  return notes;
}

bool InferenceNeeds::needs_augmentation(const std::string& entry) const {
  return std::any_of(components_.begin(), components_.end(), [&](const NeededComponent& component) {
    return component.role == Augmentation::role_name && component.entry == entry;
  });
}

Value InferenceNeeds::without_training(Value recipe) const {
  auto* list = recipe.as<Table>()->find("augmentation");
  auto* entries = list == nullptr ? nullptr : list->as<Array>();
  if (entries == nullptr) return recipe;
  std::erase_if(*entries, [&](const Value& entry) {
    return entry.as<Table>() != nullptr && !needs_augmentation(recipe::entry_name(entry));
  });
  return recipe;
}

}  // namespace kindred::model
