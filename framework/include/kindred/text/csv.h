// Tables as text: comma-separated values after RFC 4180.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"

namespace kindred {

/// One record: as many cells as the header has columns.
struct KINDRED_API CsvRow {
  std::vector<std::string> cells;
  int line = 0;  ///< where it begins in the file, from 1; a quoted cell may go on over further lines
};

/// A table with a header, read whole into memory (CsvReader: row by row). Every error is a DataError that
/// begins with "file:line:".
///
///   const CsvTable table = CsvTable::read("gallery.csv");
///   table.require_known_columns({"path", "identity", "camera"});
///   const std::size_t path = table.column("path");
///   for (const CsvRow& row : table.rows()) {
///     if (row.cells[path].empty()) throw table.error(row, "the path is empty");
///   }
class KINDRED_API CsvTable {
 public:
  /// Reads a file. A byte order mark at the start is skipped; lines end in LF or CRLF, the last one may end
  /// without; empty lines are passed over. Spaces belong to the cells. Throws DataError when the file is
  /// missing or empty, is not UTF-8 text (a zero byte), a quote is never closed or stands in the middle of a
  /// cell, a row is longer or shorter than the header, or the header has an empty or a repeated name.
  [[nodiscard]] static CsvTable read(const std::filesystem::path& file);

  /// The same for a text in memory.
  /// @param origin what errors call the text
  [[nodiscard]] static CsvTable parse(std::string_view text, const std::filesystem::path& origin);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::vector<CsvRow>& rows() const { return rows_; }

  /// The position of a column, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const;
  /// The position of a column that must be there; the error lists the columns that are.
  [[nodiscard]] std::size_t column(std::string_view column) const;
  /// Throws for the first column that is not among `known`, with the name that may have been meant.
  void require_known_columns(const std::vector<std::string>& known) const;

  /// The whole number in a cell of a row of this table; an error names column and content.
  [[nodiscard]] std::int64_t integer(const CsvRow& row, std::size_t column) const;

  /// What to throw when a row is wrong: "file:line: error: message".
  [[nodiscard]] DataError error(const CsvRow& row, const std::string& message) const;

 private:
  friend class CsvReader;
  CsvTable(std::filesystem::path file, CsvRow header);

  std::filesystem::path file_;
  std::vector<std::string> header_;
  int header_line_;
  std::vector<CsvRow> rows_;
};

/// A file read row by row, for tables whose rows need not all lie in memory: what is held is the text and one
/// row. Throws the same errors as CsvTable::read(), those of a row when it is read.
///
///   CsvReader reader("gallery.csv");
///   const std::size_t path = reader.table().column("path");
///   for (CsvRow row; reader.next(row);) use(row.cells[path]);
class KINDRED_API CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& file);
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;
  ~CsvReader();

  /// The header, without rows: for columns, numbers and errors.
  [[nodiscard]] const CsvTable& table() const;
  /// Reads the next row; false at the end of the file.
  [[nodiscard]] bool next(CsvRow& row);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes one record and '\n'. A cell is quoted when it holds a comma, a quote, a line break, or a space at
/// its start or end, or when it is the only cell and empty; what CsvTable reads from it is equal.
KINDRED_API void write_csv_row(std::ostream& out, const std::vector<std::string>& cells);

/// A whole number written in decimal digits with an optional '-', and nothing else; nothing when `text` is
/// none or does not fit.
[[nodiscard]] KINDRED_API std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace kindred
