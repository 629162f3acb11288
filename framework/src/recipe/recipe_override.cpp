#include "recipe/recipe_override.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "kindred/text/csv.h"
#include "recipe/toml_reader.h"

namespace kindred::recipe {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

struct Split {
  std::vector<std::string> keys;
  std::string value;
};

/// Cuts at the dots and the first '=' outside quotes; nothing when there is no '='.
std::optional<Split> split(const std::string& text) {
  Split result;
  std::string part;
  bool was_quoted = false;
  char quote = 0;
  const auto finish_part = [&] {
    result.keys.push_back(was_quoted ? part : trimmed(part));
    part.clear();
    was_quoted = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        part += c;
      }
    } else if ((c == '"' || c == '\'') && trimmed(part).empty() && !was_quoted) {
      part.clear();
      was_quoted = true;
      quote = c;
    } else if (c == '.') {
      finish_part();
    } else if (c == '=') {
      finish_part();
      result.value = trimmed(text.substr(i + 1));
      return result;
    } else if (!was_quoted || (c != ' ' && c != '\t')) {
      part += c;
    }
  }
  return std::nullopt;
}

/// Whether all parts of a key are names; else an error.
bool are_names(const std::vector<std::string>& keys, const SourceLocation& location,
               Diagnostics& diagnostics) {
  for (const auto& key : keys) {
    if (!key.empty()) continue;
    diagnostics.error(
        location, keys.size() == 1
                      ? "the key before '=' is missing; write key=value, such as train.epochs=3"
                      : "the key has an empty part; separate names with single dots, such as train.epochs");
    return false;
  }
  if (keys.size() > most_levels) {
    diagnostics.error(location, "the key has " + std::to_string(keys.size()) + " parts, more than the " +
                                    std::to_string(most_levels) + " that a recipe may have");
    return false;
  }
  if (keys.front() == "extends") {
    diagnostics.error(location,
                      "'extends' cannot be overridden; write extends = \"base.toml\" in the recipe file");
    return false;
  }
  return true;
}

/// The range of numbers that a text lies out of, in words; nothing when it is no number, or one that 64 bits
/// hold. TOML knows none of these.
std::optional<std::string> exceeded_range(std::string text) {
  std::erase(text, '_');
  if (text.starts_with('+')) text.erase(0, 1);
  const bool negative = text.starts_with('-');
  const bool digits = text.find_first_not_of("0123456789", negative ? 1 : 0) == std::string::npos;
  if (digits && text.size() > (negative ? 1U : 0U) && !parse_integer(text)) {
    return "whole numbers go from -9223372036854775808 to 9223372036854775807";
  }
  double value = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (!digits && read.ptr == end && read.ec == std::errc::result_out_of_range) {
    return "numbers go from -1.8e308 to 1.8e308";
  }
  return std::nullopt;
}

/// A value as TOML or, when it is none, as text; nothing after an error.
std::optional<Value> value_of(const std::string& text, const SourceLocation& location,
                              Diagnostics& diagnostics) {
  try {
    if (auto value = parse_toml_value(text, location)) return value;
  } catch (const RecipeError& error) {
    for (const auto& found : error.diagnostics()) diagnostics.error(found.location, found.message);
    return std::nullopt;
  }
  const auto range = exceeded_range(text);
  if (!range) return Value(text, location);
  diagnostics.error(location, "the number is too large: " + *range + "; to mean text, put it in quotes: '\"" +
                                  text + "\"'");
  return std::nullopt;
}

Table nested(const std::vector<std::string>& keys, Value value, const SourceLocation& location) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    Table table;
    table.set(*key, std::move(value), location);
    value = Value(std::move(table), location);
  }
  return std::move(*value.as<Table>());
}

}  // namespace

Table parse_override(const std::string& text, Diagnostics& diagnostics) {
  const SourceLocation location{"--set " + text, 0, 0};
  const auto parts = split(text);
  if (!parts) {
    diagnostics.error(location, "'=' is missing; write key=value, such as train.epochs=3");
    return {};
  }
  if (!are_names(parts->keys, location, diagnostics)) return {};
  auto read = value_of(parts->value, location, diagnostics);
  if (!read) return {};
  auto value = std::move(*read);
  if (!parse_toml_value(value.to_toml(), location)) {
    diagnostics.error(location, "the value is not valid UTF-8");
    return {};
  }
  return nested(parts->keys, std::move(value), location);
}

std::string data_override(const std::string& text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  std::error_code failure;
  if (equals == std::string::npos || !plain || std::filesystem::exists(text, failure)) {
    return "dataset.root=" + Value(text).to_toml();
  }
  return "dataset." + name + ".root=" + Value(text.substr(equals + 1)).to_toml();
}

Table recipe_setting(const std::string& key, Value value, const SourceLocation& location,
                     Diagnostics& diagnostics) {
  const auto parts = split(key + "=");
  if (!parts || !parts->value.empty()) {
    diagnostics.error(location, "'" + key + "' is not a valid key; write a key such as train.epochs");
    return {};
  }
  if (!are_names(parts->keys, location, diagnostics)) return {};
  return nested(parts->keys, std::move(value), location);
}

}  // namespace kindred::recipe
