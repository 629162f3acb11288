#include "recipe/toml_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace kindred::recipe {
namespace {

/// Turns toml++'s tree into ours. A toml::table that is copied forgets where its values were written, so this
/// works on the parser's own result.
class Converter {
 public:
  /// @param fixed the place of everything, or nullptr when each node has its own
  Converter(std::string origin, const SourceLocation* fixed) : origin_(std::move(origin)), fixed_(fixed) {}

  Value value(const toml::node& node) {
    const auto here = location(node.source());
    if (const auto* table = node.as_table()) return {this->table(*table), here};
    if (const auto* list = node.as_array()) {
      Array elements;
      for (const auto& element : *list) elements.push_back(value(element));
      return {std::move(elements), here};
    }
    if (const auto* text = node.as_string()) {
      check_zero(text->get(), here);
      return {text->get(), here};
    }
    if (const auto* whole = node.as_integer()) return {whole->get(), here};
    if (const auto* number = node.as_floating_point()) return {number->get(), here};
    if (const auto* flag = node.as_boolean()) return {flag->get(), here};
    diagnostics.error(here, "a recipe has no dates or times; to write text, put it in quotes");
    return {};
  }

  Table table(const toml::table& source) {
    // toml++ keeps keys by name; a recipe means the order in which they were written.
    std::vector<std::pair<const toml::key*, const toml::node*>> written;
    for (const auto& [key, node] : source) written.emplace_back(&key, &node);
    std::stable_sort(written.begin(), written.end(), [](const auto& a, const auto& b) {
      const auto& first = a.first->source().begin;
      const auto& second = b.first->source().begin;
      return std::tie(first.line, first.column) < std::tie(second.line, second.column);
    });
    Table result;
    for (const auto& [key, node] : written) {
      check_zero(key->str(), location(key->source()));
      result.set(std::string(key->str()), value(*node), location(key->source()));
    }
    return result;
  }

  Diagnostics diagnostics;
  bool has_zero = false;

 private:
  /// A zero character, written as \u0000, ends names for the system and nothing else.
  void check_zero(std::string_view text, const SourceLocation& here) {
    if (text.find('\0') == std::string_view::npos) return;
    has_zero = true;
    diagnostics.error(here,
                      "a text holds the zero character (\\u0000), which no name and no path may; remove it");
  }
  SourceLocation location(const toml::source_region& region) const {
    if (fixed_ != nullptr) return *fixed_;
    return {origin_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  std::string origin_;
  const SourceLocation* fixed_;
};

/// Finds where a document is deeper than most_levels: keys of many parts, lists in lists. toml++ makes a
/// table of each part of a key and looks at the depth of values alone; what takes its tree apart calls itself
/// for each level.
class DepthCheck {
 public:
  explicit DepthCheck(std::string_view text) : text_(text) {}

  /// Where the first level too many begins; nothing when there is none.
  [[nodiscard]] std::optional<std::size_t> find() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '.') {
        ++levels_;
      } else if (c == '[' || c == '{') {
        outer_.push_back(levels_++);
      } else if ((c == ']' || c == '}') && !outer_.empty()) {
        levels_ = outer_.back();
        outer_.pop_back();
      } else if (c == ',' || c == '\n') {
        levels_ = outer_.empty() ? 0 : outer_.back() + 1;  // another key or value
      }
      if (levels_ > most_levels) return at_;
      ++at_;
    }
    return std::nullopt;
  }

 private:
  void skip_string(char quote) {
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool many_lines = text_.substr(at_, 3) == three;
    at_ += many_lines ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\') {
        ++at_;
      } else if (many_lines ? text_.substr(at_, 3) == three : text_[at_] == quote || text_[at_] == '\n') {
        at_ += many_lines ? 3 : 1;
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t levels_ = 0;          ///< at this place
  std::vector<std::size_t> outer_;  ///< of each bracket that is open: the levels before it
};

/// What helps with a mistake that toml++ names only by what it met; "" for others.
std::string remedy_for(const std::string& description) {
  const auto says = [&](std::string_view words) { return description.find(words) != std::string::npos; };
  if (says("could not determine value type")) return "; put a text in quotes, as in type = \"resnet\"";
  if (says("expected '=', saw ':'")) return "; write key = value: a recipe is TOML, not YAML";
  if (says("cannot redefine existing table")) {
    return "; write each table once, and each entry of a list in two brackets, as in [[loss]]";
  }
  return "";
}

}  // namespace

Value parse_toml(const std::string& text, const std::string& origin) {
  if (const auto deep = DepthCheck(text).find()) {
    const auto before = std::string_view(text).substr(0, *deep);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    throw RecipeError(SourceLocation{origin, static_cast<int>(line), static_cast<int>(column)},
                      "tables and lists are nested more than " + std::to_string(most_levels) +
                          " levels deep, as no recipe is; a key's parts count too");
  }
  toml::table document;
  try {
    document = toml::parse(std::string_view(text), std::string_view(origin));
  } catch (const toml::parse_error& error) {
    std::string description(error.description());
    if (!description.empty()) {
      description[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(description[0])));
    }
    const auto& at = error.source().begin;
    throw RecipeError(SourceLocation{origin, static_cast<int>(at.line), static_cast<int>(at.column)},
                      "not valid TOML: " + description + remedy_for(description));
  }
  Converter converter(origin, nullptr);
  Value result(converter.table(document), SourceLocation{origin, 1, 1});
  converter.diagnostics.throw_if_any();
  return result;
}

std::optional<Value> parse_toml_value(const std::string& text, const SourceLocation& location) {
  if (DepthCheck(text).find()) return std::nullopt;
  toml::table document;
  try {
    document = toml::parse("value = " + text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
  const auto* node = document.get("value");
  if (document.size() != 1 || node == nullptr) return std::nullopt;
  Converter converter("", &location);
  auto result = converter.value(*node);
  if (converter.has_zero) converter.diagnostics.throw_if_any();
  if (!converter.diagnostics.empty()) return std::nullopt;
  return result;
}

}  // namespace kindred::recipe
