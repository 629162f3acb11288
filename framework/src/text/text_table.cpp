#include "text/text_table.h"

#include <algorithm>
#include <sstream>

#include "text/display_width.h"

namespace kindred::text {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t least_rest = 30;

}  // namespace

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    if (!lines.empty() && display_width(lines.back()) + 1 + display_width(word) <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::string TextTable::str() const {
  using Lines = std::vector<std::string>;
  auto all = rows;
  if (!heads.empty()) all.insert(all.begin(), heads);

  std::vector<std::vector<Lines>> cells(all.size());
  std::vector<std::size_t> taken;
  std::size_t left = indent;
  for (std::size_t column = 0; column <= widths.size(); ++column) {
    const bool last = column == widths.size();
    const auto limit = last ? std::max(least_rest, line_width - std::min(left, line_width)) : widths[column];
    const bool used = last || std::any_of(rows.begin(), rows.end(),
                                          [&](const auto& row) { return !row.at(column).empty(); });
    std::size_t widest = 0;
    for (std::size_t row = 0; row < all.size(); ++row) {
      cells[row].push_back(used ? wrapped(all[row].at(column), limit) : Lines{""});
      for (const auto& line : cells[row].back()) widest = std::max(widest, display_width(line));
    }
    taken.push_back(used ? widest + gap : 0);
    left += taken.back();
  }

  std::string text;
  for (const auto& row : cells) {
    std::size_t height = 0;
    for (const auto& cell : row) height = std::max(height, cell.size());
    for (std::size_t i = 0; i < height; ++i) {
      std::string line(indent, ' ');
      for (std::size_t column = 0; column < row.size(); ++column) {
        const auto piece = i < row[column].size() ? row[column][i] : std::string();
        line += piece + std::string(taken[column] - display_width(piece), ' ');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
  }
  return text;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& cell : cells) {
    text += ' ';
    for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
    text += " |";
  }
  return text + "\n";
}

std::string TextTable::markdown() const {
  std::string text = markdown_row(heads) + "| --- |";
  for (std::size_t i = 1; i < heads.size(); ++i) text += " ---: |";
  text += "\n";
  for (const auto& row : rows) text += markdown_row(row);
  return text;
}

}  // namespace kindred::text
