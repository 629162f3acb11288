#include "text/html.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace kindred::text {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// How many bytes the character at the beginning of `text` has; 0 when it is no UTF-8 or XML forbids it.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' ? 1 : 0;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t point = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  const bool control = point < 0xA0 || point == 0xFFFE || point == 0xFFFF;
  return point < least[length] || point > 0x10FFFF || surrogate || control ? 0 : length;
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      out += replacement;
      text.remove_prefix(1);
      continue;
    }
    switch (text.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

/// Elements of HTML that have no end tag, and those of SVG that are written without one here.
bool is_void(std::string_view tag) {
  constexpr std::array<std::string_view, 9> tags = {"img",  "meta", "br",   "circle",  "line",
                                                    "path", "rect", "link", "polyline"};
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

}  // namespace

Html::Html(std::string_view text) : markup_(escaped(text)) {}

Html Html::element(const std::string& tag, const Attributes& attributes, const Html& content) {
  Html html;
  html.markup_ = "<" + tag;
  for (const auto& [name, value] : attributes) html.markup_ += " " + name + "=\"" + escaped(value) + "\"";
  if (is_void(tag) && content.empty()) {
    html.markup_ += "/>";
  } else {
    html.markup_ += ">" + content.markup_ + "</" + tag + ">";
  }
  return html;
}

Html Html::style(const std::string& css) {
  if (css.find_first_of("<&") != std::string::npos) throw std::logic_error("a style sheet with '<' or '&'");
  Html html;
  html.markup_ = "<style>\n" + css + "</style>";
  return html;
}

}  // namespace kindred::text
