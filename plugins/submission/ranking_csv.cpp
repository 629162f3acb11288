#include "ranking_csv.h"

#include <charconv>
#include <iterator>
#include <system_error>

#include "kindred/core/error.h"
#include "kindred/text/csv.h"

namespace kindred::submission {
namespace {

/// The shortest text that reads back as the same number.
std::string shortest(float number) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  return {text, end};
}

std::vector<RankedQuery> rankings_of(const CsvTable& table) {
  table.require_known_columns({"query", "rank", "gallery", "similarity"});
  const auto query = table.column("query");
  const auto rank = table.column("rank");
  const auto gallery = table.column("gallery");
  const auto similarity = table.column("similarity");
  std::vector<RankedQuery> rankings;
  for (const auto& row : table.rows()) {
    const auto number = table.integer(row, rank);
    if (rankings.empty() || number == 1 || rankings.back().query != row.cells[query]) {
      rankings.push_back({row.cells[query], {}, {}});
    }
    auto& ranking = rankings.back();
    const auto wanted = static_cast<std::int64_t>(ranking.gallery.size()) + 1;
    if (number != wanted) {
      throw table.error(row, "rank " + std::to_string(number) + "; expected " + std::to_string(wanted));
    }
    ranking.gallery.push_back(row.cells[gallery]);
    const auto& cell = row.cells[similarity];
    if (ranking.gallery.size() > 1 && cell.empty() != ranking.similarities.empty()) {
      throw table.error(row, "give the similarity for all images of a query or for none");
    }
    if (cell.empty()) continue;
    float value = 0;
    const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (read.ec != std::errc() || read.ptr != cell.data() + cell.size()) {
      throw table.error(row, "similarity '" + cell + "' is not a number");
    }
    ranking.similarities.push_back(value);
  }
  return rankings;
}

}  // namespace

Schema<RankingCsv::Params> RankingCsv::schema() {
  Schema<Params> s("A CSV table query,rank,gallery,similarity with a line for each pair.");
  s.add("top", &Params::top, "gallery images to list for each query; a smaller gallery is listed completely")
      .range(1, 1000000);
  return s;
}

RankingCsv::RankingCsv(const Params& params, const Context& /*context*/) : params_(params) {}

void RankingCsv::write(const std::vector<RankedQuery>& rankings, std::ostream& out) const {
  write_csv_row(out, {"query", "rank", "gallery", "similarity"});
  for (const auto& ranking : rankings) {
    for (std::size_t i = 0; i < ranking.gallery.size(); ++i) {
      write_csv_row(out, {ranking.query, std::to_string(i + 1), ranking.gallery[i],
                          ranking.similarities.empty() ? "" : shortest(ranking.similarities[i])});
    }
  }
}

std::vector<RankedQuery> RankingCsv::read(std::istream& in) const {
  const std::string text(std::istreambuf_iterator<char>(in), {});
  try {
    return rankings_of(CsvTable::parse(text, file_name()));
  } catch (const DataError& error) {
    throw ComponentError("writer/ranking_csv", error.what());
  }
}

}  // namespace kindred::submission
