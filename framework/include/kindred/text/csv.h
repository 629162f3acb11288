// Comma-separated values (RFC 4180), and what people write in their place.
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
#include "kindred/text/name_numbers.h"

namespace kindred {

/// One record, with as many cells as the header has columns.
struct KINDRED_API CsvRow {
  std::vector<std::string> cells;
  int line = 0;  ///< where it begins in the file, from 1; a quoted cell may span several lines
};

/// A table with a header, read completely into memory (for row by row, see CsvReader). Every error is a
/// DataError that begins with "file:line:".
///
///   const CsvTable table = CsvTable::read("gallery.csv");
///   table.require_known_columns({"path", "identity", "camera"});
///   const std::size_t path = table.column("path");
///   for (const CsvRow& row : table.rows()) {
///     if (row.cells[path].empty()) throw table.error(row, "the path is empty");
///   }
class KINDRED_API CsvTable {
 public:
  /// Reads a file. Commas, semicolons or tabs separate the cells, whichever the header has; a first line
  /// "sep=;" says it. A byte order mark at the start is skipped; lines end with LF, CRLF or CR, which the
  /// last line may lack; empty lines are skipped. Spaces around a cell belong to it only within quotes.
  /// Throws DataError if the file is missing, not a regular file, empty or not UTF-8, contains a zero byte, a
  /// quote is not closed or is in the middle of a cell, a row is longer or shorter than the header, or the
  /// header has two kinds of separators or an empty or a repeated name.
  [[nodiscard]] static CsvTable read(const std::filesystem::path& file);

  /// The same for a text in memory.
  /// @param origin what errors call the text
  [[nodiscard]] static CsvTable parse(std::string_view text, const std::filesystem::path& origin);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::vector<CsvRow>& rows() const { return rows_; }

  /// The position of a column, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const;
  /// The position of a required column; the error lists the existing columns.
  [[nodiscard]] std::size_t column(std::string_view column) const;
  /// Throws for the first column that is not in `known`, with the name that was probably meant.
  void require_known_columns(const std::vector<std::string>& known) const;

  /// The integer in a cell of a row of this table, also as "2.0"; an error names column and content.
  [[nodiscard]] std::int64_t integer(const CsvRow& row, std::size_t column) const;
  /// The number of the identity or camera in a cell, which may be a name.
  /// @param names those of this column, or of this column in several files
  [[nodiscard]] std::int64_t label(const CsvRow& row, std::size_t column, NameNumbers& names) const;

  /// The error to throw if a row is wrong: "file:line: error: message".
  [[nodiscard]] DataError error(const CsvRow& row, const std::string& message) const;

 private:
  friend class CsvReader;
  CsvTable(std::filesystem::path file, CsvRow header);

  std::filesystem::path file_;
  std::vector<std::string> header_;
  int header_line_;
  std::vector<CsvRow> rows_;
};

/// Reads a file row by row, without keeping all rows in memory: it holds the text and one row. Throws the
/// same errors as CsvTable::read(); errors of a row are thrown when the row is read.
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

  /// The header without rows, for column(), integer() and error().
  [[nodiscard]] const CsvTable& table() const;
  /// Reads the next row; returns false at the end of the file.
  [[nodiscard]] bool next(CsvRow& row);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes one record and '\n'. A cell is quoted if it contains a separator, a quote, a line break, or a space
/// at its start or end, or if it is the only cell and empty; CsvTable reads back equal cells.
KINDRED_API void write_csv_row(std::ostream& out, const std::vector<std::string>& cells);

/// Parses an integer in decimal digits with an optional '-'; returns nothing if `text` is anything else or
/// out of range.
[[nodiscard]] KINDRED_API std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace kindred
