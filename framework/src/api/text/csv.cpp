#include "kindred/text/csv.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

namespace kindred {
namespace {

/// Splits a text into records, and knows the line it is at.
class Reader {
 public:
  Reader(std::string_view text, const std::filesystem::path& origin) : text_(text), origin_(origin) {}

  /// The next record that is not an empty line; false at the end of the text.
  bool next(CsvRow& row) {
    while (at_line_break()) take_line_break();
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
      ++position_;  // a comma
    }
  }

 private:
  [[nodiscard]] bool at_line_break() const {
    if (position_ == text_.size()) return false;
    return text_[position_] == '\n' ||
           (text_[position_] == '\r' && position_ + 1 < text_.size() && text_[position_ + 1] == '\n');
  }
  void take_line_break() {
    position_ += text_[position_] == '\r' ? 2 : 1;
    ++line_;
  }
  std::string cell() { return position_ < text_.size() && text_[position_] == '"' ? quoted() : plain(); }

  std::string plain() {
    const std::size_t start = position_;
    while (position_ < text_.size() && text_[position_] != ',' && !at_line_break()) {
      if (text_[position_] == '"') {
        throw DataError(origin_, line_,
                        "quote in the middle of a cell; put the whole cell in quotes and double the inner "
                        "quotes: \"a \"\"b\"\" c\"");
      }
      ++position_;
    }
    return std::string(text_.substr(start, position_ - start));
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
      } else if (position_ < text_.size() && text_[position_] == '"') {
        content.push_back('"');
        ++position_;
      } else {
        break;
      }
    }
    if (position_ < text_.size() && text_[position_] != ',' && !at_line_break()) {
      throw DataError(origin_, line_, "text after a closing quote; expected a comma or the end of the line");
    }
    return content;
  }

  std::string_view text_;
  const std::filesystem::path& origin_;
  std::size_t position_ = 0;
  int line_ = 1;
};

std::string cell_count(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " cell" : " cells");
}

std::string content_of(const std::filesystem::path& file) {
  std::error_code failure;
  if (std::filesystem::is_directory(file, failure)) throw DataError(file, "is a folder, not a CSV file");
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw DataError(file, std::filesystem::exists(file, failure) ? "cannot be opened" : "does not exist");
  }
  std::string text;
  const auto size = std::filesystem::file_size(file, failure);
  if (!failure) text.reserve(size);  // unknown for a pipe
  std::vector<char> piece(std::size_t{1} << 16);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw DataError(file, "cannot be read completely");
  return text;
}

/// Without a byte order mark, and free of zero bytes.
std::string_view plain_text(std::string_view text, const std::filesystem::path& origin) {
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n');
    throw DataError(origin, static_cast<int>(line),
                    "contains a zero byte, so it is not UTF-8 text; save it as CSV in UTF-8");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
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
    if (name.empty()) throw DataError(file_, header_line_, "a column has no name");
    if (!names.insert(name).second)
      throw DataError(file_, header_line_, "column '" + name + "' appears twice");
  }
}

CsvTable CsvTable::read(const std::filesystem::path& file) {
  return parse(content_of(file), file);
}

CsvTable CsvTable::parse(std::string_view text, const std::filesystem::path& origin) {
  Reader reader(plain_text(text, origin), origin);
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
      : file(name),
        text(content_of(file)),
        reader(plain_text(text, file), file),
        table(file, header_of(reader, file)) {}
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
  if (const auto number = parse_integer(text)) return *number;
  throw error(row, "column '" + header_.at(column) + "': '" + text + "' is not a whole number");
}

DataError CsvTable::error(const CsvRow& row, const std::string& message) const {
  return DataError(file_, row.line, message);
}

void write_csv_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& cell = cells[i];
    if (i > 0) out << ',';
    const bool plain = cell.find_first_of(",\"\r\n") == std::string::npos && !cell.starts_with(' ') &&
                       !cell.ends_with(' ') && !(cells.size() == 1 && cell.empty()) &&
                       !cell.starts_with("\xEF\xBB\xBF");
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
