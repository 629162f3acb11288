#include "results/matches_file.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "file/atomic_file.h"
#include "results/csv_cells.h"
#include "text/number_text.h"

namespace kindred::results {
namespace {

std::string identity_text(std::optional<std::int64_t> identity) {
  return identity ? std::to_string(*identity) : "";
}

void write_csv(const std::filesystem::path& file, const MatchesFiles& matches) {
  file::write_atomically(file, [&](std::ostream& out) {
    std::vector<std::string> cells{"query_path", "rank", "gallery_path", "similarity"};
    if (matches.labeled) cells.insert(cells.end(), {"query_identity", "gallery_identity"});
    write_csv_row(out, cells);
    for (std::int64_t q = 0; q < matches.queries; ++q) {
      const auto one = matches.matches_of(q);
      for (std::size_t i = 0; i < one.found.size(); ++i) {
        const auto& found = one.found[i];
        cells = {one.query, std::to_string(i + 1), found.path, text::shortest_text(found.similarity)};
        if (matches.labeled) {
          cells.insert(cells.end(), {identity_text(one.identity), identity_text(found.identity)});
        }
        write_csv_row(out, cells);
      }
    }
  });
}

void write_json(const std::filesystem::path& file, const MatchesFiles& matches) {
  const auto quoted = [&](const std::string& path) {
    try {
      return nlohmann::json(path).dump();
    } catch (const nlohmann::json::type_error&) {
      throw DataError(file,
                      "cannot be written: the image name '" +
                          nlohmann::json(path).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
                          "' is not valid UTF-8, which JSON requires; rename the file");
    }
  };
  file::write_atomically(file, [&](std::ostream& out) {
    out << "{";
    for (std::int64_t q = 0; q < matches.queries; ++q) {
      const auto one = matches.matches_of(q);
      out << (q > 0 ? ",\n" : "\n") << quoted(one.query) << ": [";
      for (std::size_t i = 0; i < one.found.size(); ++i) {
        out << (i > 0 ? ", " : "") << quoted(one.found[i].path);
      }
      out << "]";
    }
    out << "\n}\n";
  });
}

}  // namespace

void MatchesFiles::write(const std::filesystem::path& folder) const {
  write_csv(folder / csv_name, *this);
  write_json(folder / json_name, *this);
}

MatchesReader::MatchesReader(const std::filesystem::path& file) : reader_(file) {
  const auto& table = reader_.table();
  table.require_known_columns(
      {"query_path", "rank", "gallery_path", "similarity", "query_identity", "gallery_identity"});
  query_ = table.column("query_path");
  rank_ = table.column("rank");
  path_ = table.column("gallery_path");
  similarity_ = table.column("similarity");
  query_identity_ = table.find("query_identity");
  identity_ = table.find("gallery_identity");
}

bool MatchesReader::next(QueryMatches& matches) {
  matches = {};
  lines_.clear();
  if (!there_) there_ = reader_.next(row_);
  if (!there_) return false;
  const auto& table = reader_.table();
  matches.query = row_.cells[query_];
  matches.identity = integer_in(table, row_, query_identity_);
  while (there_ && row_.cells[query_] == matches.query) {
    const auto due = static_cast<std::int64_t>(matches.found.size()) + 1;
    if (const auto rank = table.integer(row_, rank_); rank != due) {
      // A query that begins anew is a query of its own, for the caller to judge.
      if (rank == 1) break;
      throw table.error(row_, "rank " + std::to_string(rank) + "; expected " + std::to_string(due) +
                                  ": the images of a query must be listed together, the best first");
    }
    const auto similarity = number_in<float>(table, row_, similarity_);
    const auto identity = integer_in(table, row_, identity_);
    matches.found.push_back({std::move(row_.cells[path_]), similarity, identity});
    lines_.push_back(row_.line);
    there_ = reader_.next(row_);
  }
  return true;
}

DataError MatchesReader::error(std::size_t found, const std::string& message) const {
  return {reader_.table().file(), lines_.at(found), message};
}

}  // namespace kindred::results
