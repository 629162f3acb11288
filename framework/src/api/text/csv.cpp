#include "kindred/text/csv.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "checked_text.h"
#include "kindred/text/text_file.h"

namespace kindred {
namespace {

constexpr std::string_view separators = ",;\t";

std::string separator_text(char separator) {
  return separator == '\t' ? "tab" : std::string{'\'', separator, '\''};
}

/// How a text is written.
struct Form {
  char separator = ',';
  std::size_t begin = 0;  ///< of the header
  int line = 1;           ///< likewise
};

/// Looks at the first line that is not empty: "sep=;", or the header, which holds one kind of separators.
Form form_of(std::string_view text, const std::filesystem::path& origin) {
  Form form;
  const bool says = text.starts_with("sep=") && text.size() > 4 &&
                    separators.find(text[4]) != std::string_view::npos &&
                    (text.size() == 5 || text[5] == '\r' || text[5] == '\n');
  if (says) return {text[4], 5, 1};
  const auto start = std::min(text.find_first_not_of(" \r\n"), text.size());
  bool quoted = false;
  std::string found;
  for (const char c : text.substr(start)) {
    if (!quoted && (c == '\r' || c == '\n')) break;
    if (c == '"') quoted = !quoted;
    const bool separates = !quoted && separators.find(c) != std::string_view::npos;
    if (separates && found.find(c) == std::string::npos) found += c;
  }
  if (found.size() > 1) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(start), '\n');
    throw DataError(origin, static_cast<int>(line),
                    "both " + separator_text(found[0]) + " and " + separator_text(found[1]) +
                        " could separate the columns; use one of them throughout, and put a name that holds "
                        "the other in quotes");
  }
  if (!found.empty()) form.separator = found.front();
  return form;
}

/// Splits a text into records, and knows the line it is at.
class Reader {
 public:
  Reader(std::string_view text, const std::filesystem::path& origin) : text_(text), origin_(origin) {
    const auto form = form_of(text, origin);
    separator_ = form.separator;
    position_ = form.begin;
    line_ = form.line;
  }

  /// The next record that is not an empty line; false at the end of the text.
  bool next(CsvRow& row) {
    for (skip_spaces(); at_line_break(); skip_spaces()) take_line_break();
    if (position_ == text_.size()) return false;
    row.cells.clear();
    row.line = line_;
    while (true) {
      row.cells.push_back(cell());
      if (position_ == text_.size()) return true;
      if (at_line_break()) {
        take_line_break();
        return true;
      }
      ++position_;  // a separator
    }
  }

 private:
  [[nodiscard]] bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  [[nodiscard]] bool at_line_break() const { return at('\n') || at('\r'); }
  void take_line_break() {
    const bool two = at('\r') && position_ + 1 < text_.size() && text_[position_ + 1] == '\n';
    position_ += two ? 2 : 1;
    ++line_;
  }
  void skip_spaces() {
    while (at(' ')) ++position_;
  }
  std::string cell() {
    skip_spaces();
    return at('"') ? quoted() : plain();
  }

  std::string plain() {
    const std::size_t start = position_;
    while (position_ < text_.size() && text_[position_] != separator_ && !at_line_break()) {
      if (text_[position_] == '"') {
        throw DataError(origin_, line_,
                        "quote in the middle of a cell; put the whole cell in quotes and double the inner "
                        "quotes: \"a \"\"b\"\" c\"");
      }
      ++position_;
    }
    auto content = text_.substr(start, position_ - start);
    while (content.ends_with(' ')) content.remove_suffix(1);
    return std::string(content);
  }

  std::string quoted() {
    const int start_line = line_;
    std::string content;
    ++position_;
    while (true) {
      if (position_ == text_.size()) throw DataError(origin_, start_line, "this quote is not closed");
      const char c = text_[position_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        content.push_back(c);
      } else if (at('"')) {
        content.push_back('"');
        ++position_;
      } else {
        break;
      }
    }
    skip_spaces();
    if (position_ < text_.size() && text_[position_] != separator_ && !at_line_break()) {
      throw DataError(
          origin_, line_,
          "text after a closing quote; expected " + separator_text(separator_) + " or the end of the line");
    }
    return content;
  }

  std::string_view text_;
  const std::filesystem::path& origin_;
  char separator_ = ',';
  std::size_t position_ = 0;
  int line_ = 1;
};

std::string cell_count(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " cell" : " cells");
}

CsvRow header_of(Reader& reader, const std::filesystem::path& origin) {
  CsvRow row;
  if (!reader.next(row)) throw DataError(origin, "is empty; the first line must name the columns");
  return row;
}

bool next_row(Reader& reader, const CsvTable& table, CsvRow& row) {
  if (!reader.next(row)) return false;
  if (row.cells.size() == table.header().size()) return true;
  throw DataError(table.file(), row.line,
                  cell_count(row.cells.size()) + "; the header has " + std::to_string(table.header().size()) +
                      ": " + quoted_list(table.header()));
}

}  // namespace

CsvTable::CsvTable(std::filesystem::path file, CsvRow header)
    : file_(std::move(file)), header_(std::move(header.cells)), header_line_(header.line) {
  std::set<std::string> names;
  for (const std::string& name : header_) {
    if (name.empty()) {
      throw DataError(
          file_, header_line_,
          "a column has no name; name it, or leave it out (pandas: to_csv(..., index=False)). The "
          "first line must name the columns");
    }
    if (!names.insert(name).second) {
      throw DataError(file_, header_line_,
                      "column '" + name + "' appears twice; the first line must name the columns");
    }
  }
}

CsvTable CsvTable::read(const std::filesystem::path& file) {
  CsvReader reader(file);
  CsvTable table = reader.table();
  for (CsvRow row; reader.next(row);) table.rows_.push_back(std::move(row));
  return table;
}

CsvTable CsvTable::parse(std::string_view text, const std::filesystem::path& origin) {
  Reader reader(checked_text(text, origin), origin);
  CsvTable table(origin, header_of(reader, origin));
  for (CsvRow row; next_row(reader, table, row);) table.rows_.push_back(std::move(row));
  return table;
}

struct CsvReader::State {
  std::filesystem::path file;
  std::string text;
  Reader reader;
  CsvTable table;

  explicit State(const std::filesystem::path& name)
      : file(name), text(read_text_file(file)), reader(text, file), table(file, header_of(reader, file)) {}
};

CsvReader::CsvReader(const std::filesystem::path& file) : state_(std::make_unique<State>(file)) {}
CsvReader::~CsvReader() = default;

const CsvTable& CsvReader::table() const {
  return state_->table;
}

bool CsvReader::next(CsvRow& row) {
  return next_row(state_->reader, state_->table, row);
}

std::optional<std::size_t> CsvTable::find(std::string_view column) const {
  const auto found = std::find(header_.begin(), header_.end(), column);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

std::size_t CsvTable::column(std::string_view column) const {
  if (const auto found = find(column)) return *found;
  throw DataError(
      file_, header_line_,
      "there is no column '" + std::string(column) + "'; the columns are " + quoted_list(header_));
}

void CsvTable::require_known_columns(const std::vector<std::string>& known) const {
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end() || !nearest_name(name, known).empty();
  };
  if (!header_.empty() && std::none_of(header_.begin(), header_.end(), is_known)) {
    throw DataError(file_, header_line_,
                    "the first line must name the columns, and none of " + quoted_list(header_) +
                        " is one; known are " + quoted_list(known));
  }
  for (const std::string& name : header_) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest_name(name, known);
    throw DataError(file_, header_line_,
                    "unknown column '" + name + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?") +
                        (near.empty() ? "; known are " : " Known are ") + quoted_list(known));
  }
}

std::int64_t CsvTable::integer(const CsvRow& row, std::size_t column) const {
  const std::string& text = row.cells.at(column);
  if (const auto number = parse_whole_number(text)) return *number;
  throw error(row, "column '" + header_.at(column) + "': '" + text + "' " + not_whole_text(text));
}

std::int64_t CsvTable::label(const CsvRow& row, std::size_t column, NameNumbers& names) const {
  const std::string& text = row.cells.at(column);
  const auto number = names.of(text);
  if (number.problem.empty()) return number.value;
  throw error(row, "column '" + header_.at(column) + "': '" + text + "' " + number.problem);
}

DataError CsvTable::error(const CsvRow& row, const std::string& message) const {
  return DataError(file_, row.line, message);
}

void write_csv_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& cell = cells[i];
    if (i > 0) out << ',';
    const bool plain = cell.find_first_of(",;\t\"\r\n") == std::string::npos && !cell.starts_with(' ') &&
                       !cell.ends_with(' ') && !(cells.size() == 1 && cell.empty()) &&
                       !cell.starts_with("\xEF\xBB\xBF") && !cell.starts_with("sep=");
    if (plain) {
      out << cell;
      continue;
    }
    out << '"';
    for (const char c : cell) {
      if (c == '"') out << '"';
      out << c;
    }
    out << '"';
  }
  out << '\n';
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace kindred
