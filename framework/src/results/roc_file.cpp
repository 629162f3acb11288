#include "results/roc_file.h"

#include <ostream>

#include "file/atomic_file.h"
#include "kindred/text/csv.h"
#include "results/csv_cells.h"
#include "text/number_text.h"

namespace kindred::results {

RocFile RocFile::read(const std::filesystem::path& file) {
  CsvReader reader(file);
  const auto& table = reader.table();
  table.require_known_columns({"distance", "false_positive_rate", "true_positive_rate"});
  const auto distance = table.column("distance");
  const auto negatives = table.column("false_positive_rate");
  const auto positives = table.column("true_positive_rate");
  RocFile roc;
  for (CsvRow row; reader.next(row);) {
    roc.points.push_back({number_in<float>(table, row, distance, /*infinite_too=*/true),
                          number_in<double>(table, row, negatives),
                          number_in<double>(table, row, positives)});
  }
  return roc;
}

void RocFile::write(const std::filesystem::path& file) const {
  file::write_atomically(file, [&](std::ostream& out) {
    write_csv_row(out, {"distance", "false_positive_rate", "true_positive_rate"});
    for (const auto& point : points) {
      write_csv_row(out, {text::shortest_text(point.distance), text::shortest_text(point.false_positive_rate),
                          text::shortest_text(point.true_positive_rate)});
    }
  });
}

}  // namespace kindred::results
