// Whether a page is well-formed: as strict as XML, and independent of what wrote it.
#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kindred::test {

/// What is wrong with a document, or "" when every element is closed in its order, every attribute is quoted
/// and stands once, and every '&' begins one of the references that are known without a definition.
inline std::string markup_error(std::string_view text) {
  constexpr std::string_view declaration = "<!DOCTYPE html>\n";
  if (text.starts_with(declaration)) text.remove_prefix(declaration.size());
  std::vector<std::string> open;
  std::size_t at = 0;
  const auto location = [&] { return " near '" + std::string(text.substr(at, 60)) + "'"; };
  const auto check_reference = [&](std::size_t i) {
    for (const std::string_view name : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (text.substr(i).starts_with(name)) return true;
    }
    return false;
  };
  while (at < text.size()) {
    if (text[at] == '&' && !check_reference(at)) return "a bare '&'" + location();
    if (text[at] != '<') {
      if (open.empty() && !std::isspace(static_cast<unsigned char>(text[at])))
        return "text outside" + location();
      ++at;
      continue;
    }
    if (text.substr(at).starts_with("</")) {
      const auto end = text.find('>', at);
      const auto name = std::string(text.substr(at + 2, end - at - 2));
      if (open.empty() || open.back() != name) return "'</" + name + ">' closes nothing" + location();
      open.pop_back();
      at = end + 1;
      continue;
    }
    std::size_t i = at + 1;
    while (i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])) != 0) ++i;
    const auto name = std::string(text.substr(at + 1, i - at - 1));
    if (name.empty()) return "a bare '<'" + location();
    std::vector<std::string> attributes;
    while (i < text.size() && text[i] == ' ') {
      const auto equals = text.find("=\"", ++i);
      const auto attribute = std::string(text.substr(i, equals - i));
      if (equals == std::string_view::npos || attribute.find_first_of(" <>/\"") != std::string::npos) {
        return "a broken attribute" + location();
      }
      for (const auto& other : attributes) {
        if (other == attribute) return "'" + attribute + "' stands twice" + location();
      }
      attributes.push_back(attribute);
      for (i = equals + 2; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '<' || (text[i] == '&' && !check_reference(i))) return "a broken value" + location();
      }
      ++i;
    }
    if (text.substr(i).starts_with("/>")) {
      at = i + 2;
    } else if (text.substr(i).starts_with(">")) {
      open.push_back(name);
      at = i + 1;
    } else {
      return "a broken tag" + location();
    }
  }
  return open.empty() ? "" : "'" + open.back() + "' is never closed";
}

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

/// The text of a report from an id on, up to the end of that section.
inline std::string section(const std::string& page, const std::string& id) {
  const auto from = page.find("<section id=\"" + id + "\"");
  return from == std::string::npos ? "" : page.substr(from, page.find("</section>", from) - from);
}

/// Whether a report has a table with a row of that name and first cell.
inline bool has_row(const std::string& page, const std::string& name, const std::string& cell) {
  const auto head = "<th scope=\"row\" class=\"words\">" + name + "</th><td ";
  const auto at = page.find(head);
  if (at == std::string::npos) return false;
  return page.substr(page.find('>', at + head.size()) + 1, cell.size() + 5) == cell + "</td>";
}

}  // namespace kindred::test
