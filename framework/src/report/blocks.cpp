#include "report/blocks.h"

#include <algorithm>
#include <cstddef>

namespace kindred::report {

namespace {

/// Where a table becomes a list of its rows.
constexpr std::size_t columns_of_a_wide_table = 6;

/// In a narrow window each cell stands below the other, behind the head of its column.
Html::Attributes cell_attributes(const std::string& head, const std::string& kind, const Html& cell) {
  Html::Attributes attributes{{"class", kind}};
  if (!head.empty() && !cell.empty()) attributes.emplace_back("data-label", head);
  return attributes;
}

}  // namespace

Html draw(const HtmlTable& table) {
  const auto used = [&](std::size_t column) {
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const HtmlTable::Row& row) {
      return column < row.cells.size() && !row.cells[column].empty();
    });
  };
  const auto kind = [&](std::size_t column) {
    return column == 0 || table.columns[column].words ? "words" : "figures";
  };
  Html heads;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (used(i)) heads += element("th", {{"scope", "col"}, {"class", kind(i)}}, table.columns[i].head);
  }
  Html rows;
  for (const auto& row : table.rows) {
    Html cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (!used(i)) continue;
      const auto cell = i < row.cells.size() ? row.cells[i] : Html();
      cells += i == 0 ? element("th", {{"scope", "row"}, {"class", "words"}}, cell)
                      : element("td", cell_attributes(table.columns[i].head, kind(i), cell), cell);
    }
    rows += element("tr", {{"class", row.emphasized ? "emphasized" : "plain"}}, cells);
  }
  const bool wide = table.columns.size() >= columns_of_a_wide_table;
  return element("div",
                 {{"class", wide ? "scroll wide" : "scroll"},
                  {"tabindex", "0"},
                  {"role", "region"},
                  {"aria-label", table.name}},
                 element("table", element("caption", table.name) + element("thead", element("tr", heads)) +
                                      element("tbody", rows)));
}

Html notice(const Html& content) {
  return element("p", {{"class", "notice"}}, content);
}

Html trouble_notice(const std::string& message) {
  return message.empty() ? Html() : notice(element("strong", "Not shown: ") + message);
}

Html figure(const std::string& title, const Html& content, const std::string& caption) {
  return element("figure", {{"class", "figure"}},
                 element("figcaption", title) + content +
                     (caption.empty() ? Html() : element("p", {{"class", "caption"}}, caption)));
}

Html folded(const std::string& title, const Html& content) {
  return element("details", element("summary", title) + content);
}

}  // namespace kindred::report
