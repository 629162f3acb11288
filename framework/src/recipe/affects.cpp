#include "recipe/affects.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "kindred/role/dataset.h"
#include "recipe/recipe_layout.h"

namespace kindred::recipe {
namespace {

using Parameters = std::vector<ParameterInfo>;

const ParameterInfo* find(const Parameters& parameters, const std::string& name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const ParameterInfo& info) { return info.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

std::string text_at(const Table& table, const char* key) {
  const auto* value = table.find(key);
  const auto* text = value == nullptr ? nullptr : value->as<std::string>();
  return text == nullptr ? "" : *text;
}

bool is_component(RecipeTable::Kind kind) {
  return kind == RecipeTable::Kind::component || kind == RecipeTable::Kind::components;
}

/// The paths that a parameter names, with "key" or "key[i]"; empty ones name nothing.
void add_files(const std::string& key, const Value& value, std::vector<NamedFile>& files) {
  if (const auto* text = value.as<std::string>()) {
    if (!text->empty()) files.push_back({key, *text});
  } else if (const auto* list = value.as<Array>()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      add_files(key + "[" + std::to_string(i) + "]", (*list)[i], files);
    }
  }
}

/// Whether the value itself decides what a component of that role does; "": a table of the engine. What data
/// sets find at their locations, and the engine at its own, is known from their samples; what others find
/// there, nobody knows but by the path.
bool decides(Meaning meaning, const std::string& role) {
  return meaning == Meaning::value ||
         (meaning == Meaning::location && !role.empty() && role != Dataset::role_name);
}

/// Walks through a resolved recipe along its layout.
class Walk {
 public:
  Walk(Affects result, const Catalog& catalog, std::vector<NamedFile>* files)
      : result_(result), catalog_(catalog), files_(files) {}

  Table recipe(const Value& resolved) {
    Table part;
    const auto layout = recipe_layout();
    const auto top = top_level_parameters();
    for (const auto& entry : resolved.as<Table>()->entries()) {
      const auto table = std::find_if(layout.begin(), layout.end(),
                                      [&](const RecipeTable& known) { return known.key == entry.key; });
      if (table == layout.end()) {
        keep(entry, find(top, entry.key), Affects::training, entry.key, part);
      } else if (auto kept = any(entry.value, *table, entry.key)) {
        part.set(entry.key, std::move(*kept));
      }
    }
    return part;
  }

 private:
  /// A table or a list of tables; nothing when none of its keys affects the result.
  std::optional<Value> any(const Value& value, const RecipeTable& layout, const std::string& path) {
    if (value.as<Table>() != nullptr) {
      auto kept = table(value, layout, path);
      return kept.empty() && layout.affects != result_ ? std::nullopt : std::optional(Value(std::move(kept)));
    }
    const auto* list = value.as<Array>();
    if (list == nullptr) return layout.affects == result_ ? std::optional(value) : std::nullopt;
    Array entries;
    for (const auto& entry : *list) {
      if (entry.as<Table>() == nullptr) continue;
      auto name = text_at(*entry.as<Table>(), "name");
      if (name.empty()) name = text_at(*entry.as<Table>(), "type");
      auto kept = table(entry, layout, path + (name.empty() ? "" : "." + name));
      if (!kept.empty()) entries.emplace_back(std::move(kept));
    }
    if (entries.empty() && layout.affects != result_) return std::nullopt;
    return Value(std::move(entries));
  }

  Table table(const Value& value, const RecipeTable& layout, const std::string& path) {
    auto parameters = layout.parameters;
    const auto& entries = *value.as<Table>();
    const auto role = is_component(layout.kind) ? layout.key : std::string();
    if (!role.empty()) {
      if (const auto* component = catalog_.find(role, text_at(entries, "type"))) {
        const auto& more = component->info().parameters;
        parameters.insert(parameters.end(), more.begin(), more.end());
      }
    }
    Table part;
    for (const auto& entry : entries.entries()) {
      const auto inner = std::find_if(
          layout.inner.begin(), layout.inner.end(),
          [&](const RecipeTable& candidate) { return candidate.key == layout.key + "." + entry.key; });
      if (inner != layout.inner.end()) {
        if (auto kept = any(entry.value, *inner, path + "." + entry.key))
          part.set(entry.key, std::move(*kept));
      } else if (entry.key == "dataset" && entry.value.as<Table>() != nullptr) {
        if (layout.affects != result_) continue;
        const auto info = dataset_info(entry.value);
        part.set(entry.key, detail::without_paths(entry.value, info));
        if (files_ == nullptr) continue;
        for (auto& named : detail::files_of(entry.value, info)) {
          files_->push_back({path + "." + named.key, std::move(named.path)});
        }
      } else {
        keep(entry, find(parameters, entry.key), layout.affects, path + "." + entry.key, part, role);
      }
    }
    return part;
  }

  /// Of a table that says a data set of its own.
  [[nodiscard]] ComponentInfo dataset_info(const Value& table) const {
    const auto* component = catalog_.find("dataset", text_at(*table.as<Table>(), "type"));
    return component == nullptr ? ComponentInfo{} : component->info();
  }

  void keep(const Entry& entry, const ParameterInfo* info, Affects otherwise, const std::string& path,
            Table& part, const std::string& role = "") {
    const auto affects = info == nullptr ? otherwise : info->affects.value_or(otherwise);
    if (affects != result_) return;
    const auto meaning = info == nullptr ? Meaning::value : info->meaning;
    if (decides(meaning, role)) part.set(entry.key, entry.value);
    if (meaning == Meaning::file && files_ != nullptr) add_files(path, entry.value, *files_);
  }

  Affects result_;
  const Catalog& catalog_;
  std::vector<NamedFile>* files_;
};

}  // namespace

Value part_affecting(Affects result, const Value& resolved, const Catalog& catalog) {
  auto part = Walk(result, catalog, nullptr).recipe(resolved);
  // Without a fold to validate, nothing else that [folds] says has an effect.
  const auto* folds = part.find("folds");
  const auto* fold = folds == nullptr ? nullptr : folds->as<Table>()->find("fold");
  if (fold != nullptr && *fold == Value(std::int64_t{0})) part.erase("folds");
  // A data set that is not trained on has no effect on a training.
  auto* datasets = part.find("dataset");
  if (auto* list = datasets == nullptr ? nullptr : datasets->as<Array>()) {
    std::erase_if(*list, [](const Value& entry) {
      const auto* share = entry.as<Table>()->find("share");
      return share != nullptr && *share == Value(0.0);
    });
  }
  return Value(std::move(part));
}

std::vector<NamedFile> files_affecting(Affects result, const Value& resolved, const Catalog& catalog) {
  std::vector<NamedFile> files;
  static_cast<void>(Walk(result, catalog, &files).recipe(resolved));
  return files;
}

namespace detail {

Value without_paths(const Value& table, const ComponentInfo& info) {
  Table part;
  for (const auto& entry : table.as<Table>()->entries()) {
    const auto* parameter = find(info.parameters, entry.key);
    const bool counts = parameter == nullptr ||
                        (parameter->affects != Affects::nothing && decides(parameter->meaning, info.role));
    if (counts) part.set(entry.key, entry.value);
  }
  return Value(std::move(part));
}

std::vector<NamedFile> files_of(const Value& table, const ComponentInfo& info) {
  std::vector<NamedFile> files;
  for (const auto& entry : table.as<Table>()->entries()) {
    const auto* parameter = find(info.parameters, entry.key);
    if (parameter != nullptr && parameter->meaning == Meaning::file) {
      add_files(info.role + "." + entry.key, entry.value, files);
    }
  }
  return files;
}

std::vector<std::filesystem::path> locations_of(const Value& table, const ComponentInfo& info) {
  std::vector<std::filesystem::path> locations;
  for (const auto& entry : table.as<Table>()->entries()) {
    const auto* parameter = find(info.parameters, entry.key);
    if (parameter == nullptr || parameter->meaning != Meaning::location) continue;
    std::vector<NamedFile> named;
    add_files(entry.key, entry.value, named);
    for (auto& one : named) locations.push_back(std::move(one.path));
  }
  return locations;
}

}  // namespace detail

}  // namespace kindred::recipe
