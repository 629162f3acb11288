// Cells of CSV files of results. For this room's own use.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>

#include "kindred/text/csv.h"

namespace kindred::results {

/// A finite number. Throws DataError naming line, column and content otherwise.
/// @param infinite_too whether infinite ones may stand there as well
template <class Number>
[[nodiscard]] Number number_in(const CsvTable& table, const CsvRow& row, std::size_t column,
                               bool infinite_too = false) {
  const auto& cell = row.cells[column];
  Number number = 0;
  const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == cell.data() + cell.size();
  if (whole && (infinite_too ? !std::isnan(number) : std::isfinite(number))) return number;
  throw table.error(row, "the " + table.header()[column] + " '" + cell + "' is not a number");
}

/// A number, infinite ones too; NaN where the cell is empty: a value that is not there.
[[nodiscard]] inline double number_or_nan_in(const CsvTable& table, const CsvRow& row, std::size_t column) {
  if (row.cells[column].empty()) return std::numeric_limits<double>::quiet_NaN();
  return number_in<double>(table, row, column, /*infinite_too=*/true);
}

/// A whole number, or nothing where the cell is empty or the column missing.
[[nodiscard]] inline std::optional<std::int64_t> integer_in(const CsvTable& table, const CsvRow& row,
                                                            std::optional<std::size_t> column) {
  if (!column || row.cells[*column].empty()) return std::nullopt;
  return table.integer(row, *column);
}

}  // namespace kindred::results
