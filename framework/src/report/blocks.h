// What the sections of a report are made of.
#pragma once

#include <string>
#include <vector>

#include "text/html.h"

namespace kindred::report {

using text::element;
using text::Html;

struct HtmlTable {
  std::string name;  ///< its caption
  struct Column {
    std::string head;
    bool words = false;  ///< else figures
  };
  std::vector<Column> columns;  ///< the first names the rows
  struct Row {
    std::vector<Html> cells;
    bool emphasized = false;
  };
  std::vector<Row> rows;
};

/// A table that becomes a list of its rows where the window is too narrow for it. A column in which every row
/// is empty is left out.
[[nodiscard]] Html draw(const HtmlTable& table);

/// A box that says that something is missing or wrong.
[[nodiscard]] Html notice(const Html& content);
/// The same for a message; nothing for an empty one.
[[nodiscard]] Html trouble_notice(const std::string& message);

/// A chart or picture between its title and what is to be said of it.
[[nodiscard]] Html figure(const std::string& title, const Html& content, const std::string& caption = "");

/// What is shown when its title is chosen.
[[nodiscard]] Html folded(const std::string& title, const Html& content);

/// A part of the page that the table of contents leads to.
struct Section {
  std::string id;
  std::string title;
  Html content;
};

}  // namespace kindred::report
