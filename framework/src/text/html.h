// Markup that cannot be broken by what it shows.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kindred::text {

/// A piece of a page. It is made of text, which is escaped, and of elements, which are closed: whatever file
/// names and messages hold, the page is well-formed, as HTML and as XML.
class Html {
 public:
  Html() = default;
  /// The text as it is to be read. Bytes that are no UTF-8 and characters that XML forbids become U+FFFD.
  Html(std::string_view text);                                     // NOLINT: text in markup is what is meant
  Html(const std::string& text) : Html(std::string_view(text)) {}  // NOLINT
  Html(const char* text) : Html(std::string_view(text)) {}         // NOLINT

  Html& operator+=(const Html& other) {
    markup_ += other.markup_;
    return *this;
  }
  [[nodiscard]] const std::string& markup() const { return markup_; }
  [[nodiscard]] bool empty() const { return markup_.empty(); }

  using Attributes = std::vector<std::pair<std::string, std::string>>;
  /// <tag name="value">content</tag>; values are escaped. Elements like img have no end tag.
  [[nodiscard]] static Html element(const std::string& tag, const Attributes& attributes,
                                    const Html& content = {});
  /// A style sheet of the program's own. Throws std::logic_error when it holds '<' or '&'.
  [[nodiscard]] static Html style(const std::string& css);

 private:
  std::string markup_;
};

[[nodiscard]] inline Html operator+(Html left, const Html& right) {
  left += right;
  return left;
}

/// Html::element() without attributes.
[[nodiscard]] inline Html element(const std::string& tag, const Html& content) {
  return Html::element(tag, {}, content);
}
[[nodiscard]] inline Html element(const std::string& tag, const Html::Attributes& attributes,
                                  const Html& content) {
  return Html::element(tag, attributes, content);
}

}  // namespace kindred::text
