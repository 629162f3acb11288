#include "stage/submit.h"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/tracklets.h"
#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "progress/meter.h"
#include "results/matches_file.h"

namespace kindred::stage {
namespace {

/// Images of one split, by path and by the names that the format gives them.
struct Side {
  std::vector<std::string> names;                            ///< in the data set's order
  std::unordered_map<std::string_view, std::size_t> places;  ///< by path
};

/// Paths stay those of `samples`.
Side side_of(const std::vector<Sample>& samples, Split split, const Writer& writer,
             const std::filesystem::path& file) {
  Side side;
  std::unordered_map<std::string, std::string_view> paths;  // by name
  for (const auto& sample : samples) {
    if (sample.split != split) continue;
    side.places.emplace(sample.path, side.names.size());
    side.names.push_back(writer.name_of(sample.path));
    const auto [known, fresh] = paths.emplace(side.names.back(), sample.path);
    if (fresh) continue;
    throw DataError(file, "is not written: '" + std::string(known->second) + "' and '" + sample.path +
                              "' would have the same name '" + known->first + "'; rename one of them");
  }
  if (!side.names.empty()) return side;
  throw DataError(file, std::string("is not written: the data set has no ") + split_name(split) + " images");
}

/// The rankings of all queries, put together from several files.
class Rankings {
 public:
  Rankings(const Side& query, const Side& gallery, std::size_t wanted)
      : query_(query), gallery_(gallery), wanted_(wanted), ranked_(query.names.size()) {
    for (std::size_t i = 0; i < query.names.size(); ++i) ranked_[i].ranking.query = query.names[i];
  }

  void add(const std::filesystem::path& file) {
    results::MatchesReader reader(file);
    std::vector<std::size_t> listed_for(gallery_.names.size(), 0);  // the number of the query, from 1
    std::size_t number = 0;
    for (results::QueryMatches matches; reader.next(matches);) {
      auto& ranked = begin(reader, matches.query);
      ranked.file = file;
      ++number;
      for (std::size_t i = 0; i < matches.found.size(); ++i) {
        const auto& found = matches.found[i];
        const auto at = gallery_.places.find(found.path);
        if (at == gallery_.places.end()) {
          throw reader.error(i, "'" + found.path + "' is not in the gallery of the data set");
        }
        if (std::exchange(listed_for[at->second], number) == number) {
          throw reader.error(i, "'" + found.path + "' is listed twice for '" + matches.query + "'");
        }
        if (ranked.ranking.gallery.size() == wanted_) continue;
        ranked.ranking.gallery.push_back(gallery_.names[at->second]);
        ranked.ranking.similarities.push_back(found.similarity);
      }
    }
  }

  [[nodiscard]] std::vector<RankedQuery> whole(const std::vector<Sample>& samples,
                                               const std::filesystem::path& file) && {
    std::size_t i = 0;
    std::vector<RankedQuery> result;
    for (const auto& sample : samples) {
      if (sample.split != Split::query) continue;
      auto& ranked = ranked_[i++];
      if (ranked.file.empty()) {
        const auto missing =
            std::count_if(ranked_.begin(), ranked_.end(), [](const Ranked& r) { return r.file.empty(); });
        throw DataError(file, "is not written: " + std::to_string(missing) + " of " +
                                  std::to_string(ranked_.size()) + " queries have no ranking, such as '" +
                                  sample.path + "'; give the rankings of all domains");
      }
      if (ranked.ranking.gallery.size() < wanted_) {
        throw DataError(ranked.file, "lists " + std::to_string(ranked.ranking.gallery.size()) +
                                         " gallery images for the query '" + sample.path +
                                         "', but the format needs " + std::to_string(wanted_) +
                                         "; set [ranking] top to " + std::to_string(wanted_) +
                                         " or more, search the whole gallery, and match again");
      }
      result.push_back(std::move(ranked.ranking));
    }
    return result;
  }

 private:
  struct Ranked {
    RankedQuery ranking;
    std::filesystem::path file;  ///< where it stands; empty: nowhere yet
  };

  [[nodiscard]] Ranked& begin(const results::MatchesReader& reader, const std::string& query) {
    const auto at = query_.places.find(query);
    if (at == query_.places.end()) throw reader.error(0, "'" + query + "' is not a query of the data set");
    auto& ranked = ranked_[at->second];
    if (!ranked.file.empty()) {
      throw reader.error(0, "query '" + query + "' already has a ranking in " + ranked.file.string() +
                                "; rank each query once");
    }
    return ranked;
  }

  const Side& query_;
  const Side& gallery_;
  std::size_t wanted_;
  std::vector<Ranked> ranked_;  ///< in the data set's order
};

/// Throws when a written text is not what was to be written.
void require_same(const std::vector<RankedQuery>& wanted, const std::vector<RankedQuery>& read,
                  const std::filesystem::path& file) {
  const auto differ = [&](const std::string& what) {
    return DataError(file,
                     "is not written: when read back, " + what + "; the writer is broken, use another one");
  };
  if (read.size() != wanted.size()) {
    throw differ("it contains " + std::to_string(read.size()) + " queries instead of " +
                 std::to_string(wanted.size()));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (read[i].query != wanted[i].query) {
      throw differ("query " + std::to_string(i) + " (from 0) is '" + read[i].query + "' instead of '" +
                   wanted[i].query + "'");
    }
    if (read[i].gallery != wanted[i].gallery) {
      throw differ("the gallery images of query '" + wanted[i].query + "' differ");
    }
  }
}

}  // namespace

SubmitOutcome submit(const Writer& writer, const std::vector<std::filesystem::path>& rankings,
                     const std::vector<Sample>& images, const std::filesystem::path& folder,
                     progress::ProgressSink& progress) {
  const auto samples = data::samples_of_tracklets(images);
  const auto file = folder / writer.file_name();
  const auto query = side_of(samples, Split::query, writer, file);
  const auto gallery = side_of(samples, Split::gallery, writer, file);
  const auto wanted = std::min(static_cast<std::size_t>(writer.top()), gallery.names.size());
  Rankings all(query, gallery, wanted);
  for (const auto& ranking : rankings) all.add(ranking);
  const auto complete = std::move(all).whole(samples, file);

  const SubmitOutcome outcome{file, static_cast<std::int64_t>(complete.size()),
                              static_cast<std::int64_t>(wanted)};
  progress::Meter meter(progress, "submit", outcome.queries);
  std::ostringstream text;
  writer.write(complete, text);
  std::istringstream back(text.str());
  require_same(complete, writer.read(back), file);
  file::write_atomically(file, [&](std::ostream& out) { out << text.str(); });
  meter.update(outcome.queries);
  meter.finish();
  return outcome;
}

}  // namespace kindred::stage
