// Columns of text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace kindred::text {

/// Breaks text between words so that no line is wider than `width` columns (display_width()), except for a
/// single word.
/// A text without words gives one empty line.
[[nodiscard]] std::vector<std::string> wrapped(const std::string& text, std::size_t width);

/// Rows of cells in aligned columns; each line ends with '\n'. Cells that do not fit are wrapped; a column in
/// which every row is empty is left out.
struct TextTable {
  std::vector<std::string> heads;   ///< above the columns, or none
  std::vector<std::size_t> widths;  ///< the most that each column but the last may take
  std::size_t indent = 0;           ///< spaces in front of each line
  std::size_t line_width = 110;     ///< what is left of it goes to the last column, at least 30
  std::vector<std::vector<std::string>> rows;

  [[nodiscard]] std::string str() const;
  /// The heads and rows as Markdown: the first column to the left, the others, numbers, to the right.
  [[nodiscard]] std::string markdown() const;
};

/// A row of a table in Markdown, with its line break: "| a | b |".
[[nodiscard]] std::string markdown_row(const std::vector<std::string>& cells);

}  // namespace kindred::text
