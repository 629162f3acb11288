// Reads and writes recipes: TOML, `extends`, `--set`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/value.h"

namespace kindred::recipe {

/// Reads a recipe file and everything that it extends, and applies the overrides.
///
/// `extends` is a file or a list of files, relative to the file that says it; a later one wins over an
/// earlier, the extending file over all. Tables are merged key by key, except that a table whose `type`
/// changes is replaced whole: parameters belong to a type. A list, of tables too, is replaced whole. A table
/// that stands where the extended recipe has a list of tables edits the entries of the list by name: an
/// entry's name is its key `name`, or else its `type`. So `[augmentation.random_patch]` with `prob = 0.5`, or
/// `--set augmentation.random_patch.prob=0.5`, changes one entry and keeps the others; `enabled = false`
/// drops it. A name that is not there, or that two entries have, is an error that lists the names.
///
/// In a list of tables [[stage]] a key `recipe` holds a recipe of its own: the name of a file, relative to
/// the file that says it, or a table that may say `extends` likewise. Either becomes that recipe, whole. In a
/// table that edits a stage by name a file takes the place of the stage's recipe, and a table changes it. A
/// file that an override names is relative to the working directory.
///
/// @param overrides "a.b.c=value", later ones win; a value is read as TOML and, when it is none, as text. One
/// that a later change of its table's `type` throws away is an error
/// Throws RecipeError with every error found.
[[nodiscard]] Value load_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// The same for a text in memory, such as the resolved recipe inside a weights file.
/// @param origin what places call the text
[[nodiscard]] Value parse_recipe(const std::string& text, const std::string& origin,
                                 const std::vector<std::string>& overrides);

/// The same for a recipe that is there already.
[[nodiscard]] Value with_overrides(Value recipe, const std::vector<std::string>& overrides);

/// A recipe as a TOML document, laid out for reading: plain keys first, then [tables] and [[lists of
/// tables]].
[[nodiscard]] std::string write_recipe(const Value& recipe);

}  // namespace kindred::recipe
