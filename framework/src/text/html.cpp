#include "text/html.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>

#include "kindred/core/utf8.h"

namespace kindred::text {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// How many bytes the character at the beginning of `text` has; 0 when it is no UTF-8 or XML forbids it.
std::size_t character_length(std::string_view text) {
  const auto length = utf8_length(text);
  const auto character = text.substr(0, length);
  const bool control = (length == 1 && character < " " && character != "\t" && character != "\n") ||
                       (length == 2 && character < "\u00A0");
  return control || character == "\uFFFE" || character == "\uFFFF" ? 0 : length;
}

std::string as_markup(std::string_view text) {
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

Html::Html(std::string_view text) : markup_(as_markup(text)) {}

Html Html::element(const std::string& tag, const Attributes& attributes, const Html& content) {
  Html html;
  html.markup_ = "<" + tag;
  for (const auto& [name, value] : attributes) html.markup_ += " " + name + "=\"" + as_markup(value) + "\"";
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
