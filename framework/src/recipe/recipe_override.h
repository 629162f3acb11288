// Changes of a recipe from the command line: "a.b.c=value".
#pragma once

#include <string>

#include "kindred/core/error.h"
#include "kindred/core/value.h"

namespace kindred::recipe {

/// Reads an override as the recipe that it stands for: { a = { b = { c = value } } }. Every place in it is
/// the override's own text, "--set a.b.c=value". A part of the key that holds a dot is put in quotes. Returns
/// an empty table after an error, which is added to `diagnostics`.
[[nodiscard]] Table parse_override(const std::string& text, Diagnostics& diagnostics);

/// The override that says where data are: dataset.root of "FOLDER", and dataset.NAME.root of "NAME=FOLDER",
/// where NAME has only letters, digits, '_' and '-'. What exists under the whole name is a folder.
[[nodiscard]] std::string data_override(const std::string& text);

/// The recipe that sets one key, written as in an override: { a = { b = { c = value } } } for "a.b.c". Tables
/// around the value are at `place`. Returns an empty table after an error, which is added to `diagnostics`.
[[nodiscard]] Table recipe_setting(const std::string& key, Value value, const SourceLocation& location,
                                   Diagnostics& diagnostics);

}  // namespace kindred::recipe
