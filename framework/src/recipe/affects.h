// Which keys of a recipe decide which of its results: read off the schemas, nowhere else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/schema.h"
#include "kindred/core/value.h"
#include "recipe/component_choice.h"

namespace kindred::recipe {

/// The keys of a resolved recipe that affect one kind of result, as the schemas of the recipe's tables and of
/// their components say (Affects): a key without a mark affects what its table does. Locations of data sets
/// and files are left out, for what is read there counts and not where it lies. A key that no schema knows
/// counts as its table's.
[[nodiscard]] Value part_affecting(Affects result, const Value& resolved, const Catalog& catalog);

/// A file, or a folder of files, whose content counts.
struct NamedFile {
  std::string key;  ///< "post_processor.feature_ensemble.features[0]"
  std::filesystem::path path;
};

/// What the keys of a resolved recipe with Meaning::file name, of those that affect one kind of result.
[[nodiscard]] std::vector<NamedFile> files_affecting(Affects result, const Value& resolved,
                                                     const Catalog& catalog);

/// The same for all parameters of one component, with its role in front: "labeler.table".
template <class Role>
[[nodiscard]] std::vector<NamedFile> files_of(const Choice<Role>& choice);

/// The parameters of a component that decide what it does: no files, no locations of data, and none that
/// affects nothing.
template <class Role>
[[nodiscard]] Value resolved_without_paths(const Choice<Role>& choice);

namespace detail {
[[nodiscard]] Value without_paths(const Value& table, const ComponentInfo& info);
[[nodiscard]] std::vector<NamedFile> files_of(const Value& table, const ComponentInfo& info);
[[nodiscard]] std::vector<std::filesystem::path> locations_of(const Value& table, const ComponentInfo& info);
}  // namespace detail

template <class Role>
std::vector<NamedFile> files_of(const Choice<Role>& choice) {
  return detail::files_of(choice.resolved(), choice.factory->info());
}

template <class Role>
Value resolved_without_paths(const Choice<Role>& choice) {
  return detail::without_paths(choice.resolved(), choice.factory->info());
}

/// Where the data of a component lie; empty paths are left out.
template <class Role>
[[nodiscard]] std::vector<std::filesystem::path> locations_of(const Choice<Role>& choice) {
  return detail::locations_of(choice.resolved(), choice.factory->info());
}

}  // namespace kindred::recipe
