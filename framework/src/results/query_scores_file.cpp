#include "results/query_scores_file.h"

#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/text/csv.h"
#include "results/csv_cells.h"
#include "text/number_text.h"

namespace kindred::results {

QueryScoresFile QueryScoresFile::read(const std::filesystem::path& file) {
  CsvReader reader(file);
  const auto& table = reader.table();
  table.require_known_columns({"path", "identity", "camera", "ap", "inp", "first_rank", "matches"});
  const auto path = table.column("path");
  const auto identity = table.column("identity");
  const auto camera = table.column("camera");
  const auto ap = table.column("ap");
  const auto inp = table.column("inp");
  const auto first_rank = table.column("first_rank");
  const auto matches = table.column("matches");
  QueryScoresFile scores;
  for (CsvRow row; reader.next(row);) {
    auto& query = scores.queries.emplace_back();
    query.identity = integer_in(table, row, identity).value_or(unlabelled_identity);
    query.camera = integer_in(table, row, camera).value_or(unknown_camera);
    if (!row.cells[ap].empty()) {
      query.ap = number_in<double>(table, row, ap);
      query.inp = number_in<double>(table, row, inp);
      query.first_rank = table.integer(row, first_rank);
      query.matches = table.integer(row, matches);
      if (query.matches < 1) throw table.error(row, "there is an ap without matches");
    }
    query.path = std::move(row.cells[path]);
  }
  return scores;
}

void QueryScoresFile::write(const std::filesystem::path& file) const {
  file::write_atomically(file, [&](std::ostream& out) {
    write_csv_row(out, {"path", "identity", "camera", "ap", "inp", "first_rank", "matches"});
    for (const auto& query : queries) {
      std::vector<std::string> cells{
          query.path, query.identity == unlabelled_identity ? "" : std::to_string(query.identity),
          query.camera == unknown_camera ? "" : std::to_string(query.camera)};
      if (query.judged()) {
        cells.insert(cells.end(), {text::fixed_text(query.ap, 6), text::fixed_text(query.inp, 6),
                                   std::to_string(query.first_rank), std::to_string(query.matches)});
      }
      cells.resize(7);
      write_csv_row(out, cells);
    }
  });
}

}  // namespace kindred::results
