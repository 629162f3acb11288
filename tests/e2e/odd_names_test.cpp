// Names of images that have to be quoted or escaped somewhere, and long paths, through whole commands.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "file/sample_list.h"
#include "kindred/text/csv.h"
#include "markup_check.h"
#include "program.h"
#include "results/matches_file.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> odd_names = {"it's \"quoted\".png",
                                            "a, b; c.png",
                                            "two\nlines.png",
                                            "\xF0\x9F\x98\x80 smile.png",
                                            "Case.png",
                                            "case.png",
                                            "<b>&amp;.png",
                                            "tab\there.png",
                                            " blanks .png",
                                            "=1+1.png",
                                            "%41 #q?.png"};

void require_success(const Outcome& outcome) {
  REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
}

/// The synthetic images of tiny.toml as a manifest in which the first images of each split have odd names.
void write_data(const TemporaryFolder& folder) {
  require_success(kindred({"data", "convert", std::string(source_directory) + "/tests/e2e/tiny.toml",
                           "--layout", "manifest", "--out", (folder / "data").string()},
                          folder.path()));
  const auto manifest = folder / "data/manifest.csv";
  const auto table = CsvTable::read(manifest);
  REQUIRE(table.header().at(0) == "path");
  std::ofstream out(manifest, std::ios::binary);
  write_csv_row(out, table.header());
  std::map<std::string, std::size_t> counts;
  for (auto row : table.rows()) {
    const fs::path path = row.cells[0];
    const auto split = path.parent_path().string();
    if (const auto i = counts[split]++; i < odd_names.size()) {
      row.cells[0] = split + "/" + odd_names[i];
      fs::rename(folder / "data" / path, folder / "data" / row.cells[0]);
    }
    write_csv_row(out, row.cells);
  }
}

std::vector<std::string> run_of(const fs::path& run, const std::vector<std::string>& more) {
  std::vector<std::string> command{"run",       std::string(source_directory) + "/tests/e2e/tiny.toml",
                                   "--run-dir", run.string(),
                                   "--set",     "train.epochs=1",
                                   "--set",     "schedule.milestones=[]"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::set<std::string> with_odd_names(const std::string& split) {
  std::set<std::string> paths;
  for (const auto& name : odd_names) paths.insert(split + "/" + name);
  return paths;
}

/// Those of the paths that are odd.
template <class Paths>
std::set<std::string> odd_among(const Paths& paths, const std::string& split) {
  const auto odd = with_odd_names(split);
  std::set<std::string> found;
  for (const auto& path : paths) {
    if (odd.count(path) > 0) found.insert(path);
  }
  return found;
}

}  // namespace

TEST_CASE("images of any names are trained on, embedded, matched and reported under these names") {
  const TemporaryFolder folder;
  write_data(folder);
  const auto data = (folder / "data").string();
  const auto run = folder / "run";
  require_success(
      kindred(run_of(run, {"--set", "dataset={type='manifest',root='" + data + "'}"}), folder.path()));

  const auto features = folder / "features";
  require_success(kindred({"embed", "--weights", (run / "model/model.safetensors").string(), "--data", data,
                           "--out", features.string(), "-q"},
                          folder.path()));
  for (const std::string split : {"query", "gallery"}) {
    std::vector<std::string> paths;
    for (const auto& sample : file::read_sample_list(features / (split + ".csv")))
      paths.push_back(sample.path);
    CHECK(odd_among(paths, split) == with_odd_names(split));
  }

  const auto rankings = folder / "rankings";
  require_success(kindred({"match", features.string(), "--top", "1000", "--out", rankings.string(), "-q"},
                          folder.path()));
  std::vector<std::string> queries;
  results::MatchesReader reader(rankings / "matches.csv");
  const auto json = nlohmann::json::parse(read_bytes(rankings / "matches.json"));
  for (results::QueryMatches matches; reader.next(matches);) {
    queries.push_back(matches.query);
    std::vector<std::string> found;
    for (const auto& each : matches.found) found.push_back(each.path);
    CHECK(odd_among(found, "gallery") == with_odd_names("gallery"));
    CHECK(json.at(matches.query) == found);
  }
  CHECK(odd_among(queries, "query") == with_odd_names("query"));

  // All queries, among them those with odd names.
  require_success(kindred({"report", run.string(), "--worst", "100", "-q"}, folder.path()));
  const auto page = read_bytes(run / "report.html");
  CHECK(markup_error(page) == "");
  for (const char* name :
       {"query/it&#39;s &quot;quoted&quot;.png", "query/a, b; c.png", "query/\xF0\x9F\x98\x80 smile.png",
        "query/Case.png", "query/case.png", "query/&lt;b&gt;&amp;amp;.png"}) {
    CAPTURE(name);
    CHECK(page.find(name) != std::string::npos);
  }
}

TEST_CASE("data and results may lie at paths of 4,000 bytes") {
  const TemporaryFolder folder;
  const auto below = long_folder(folder.path(), 3940);
  require_success(kindred(run_of(folder / "run", {}), folder.path()));
  const auto data = below / "data";
  require_success(kindred({"data", "convert", std::string(source_directory) + "/tests/e2e/tiny.toml",
                           "--layout", "market1501", "--out", data.string()},
                          folder.path()));
  const auto features = below / "features";
  require_success(kindred({"embed", "--weights", (folder / "run/model/model.safetensors").string(), "--data",
                           data.string(), "--out", features.string()},
                          folder.path()));
  require_success(
      kindred({"match", features.string(), "--out", (below / "rankings").string()}, folder.path()));
  CHECK(read_bytes(below / "rankings/matches.csv").find("query/") != std::string::npos);
}

}  // namespace kindred::test
