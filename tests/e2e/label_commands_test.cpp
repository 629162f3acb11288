// partition, label, match, submit: what a user types one after the other.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "kindred/text/csv.h"
#include "program.h"
#include "temporary_folder.h"

namespace kindred::test {
namespace {

/// The arguments with FOLDER/NAME in place of "@NAME".
std::vector<std::string> placed(std::vector<std::string> arguments, const TemporaryFolder& folder) {
  for (auto& argument : arguments) {
    if (argument.starts_with('@')) argument = (folder / argument.substr(1)).string();
  }
  return arguments;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A synthetic data set on disk: FOLDER/data.
void draw(const TemporaryFolder& folder) {
  const auto outcome =
      kindred({"data", "convert", "--out", (folder / "data").string(), "--layout", "manifest", "--set",
               "dataset={type='synthetic', train_identities=2, test_identities=6, min_images=6, "
               "max_images=8, cameras=2, "
               "distractors=0, height=64, width=32}"},
              folder.path());
  REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
}

/// Descriptors of its test images in FOLDER/features, each near those of the same person.
void describe(const TemporaryFolder& folder) {
  torch::manual_seed(1);
  file::Features query;
  file::Features gallery;
  const auto table = CsvTable::read(folder / "data/manifest.csv");
  for (const auto& row : table.rows()) {
    const auto split = row.cells[table.column("split")];
    if (split == "train") continue;
    auto& side = split == "query" ? query : gallery;
    side.samples.push_back({row.cells[table.column("path")], table.integer(row, table.column("identity")),
                            table.integer(row, table.column("camera")), row.cells[table.column("domain")],
                            split == "query" ? Split::query : Split::gallery});
  }
  for (auto* side : {&query, &gallery}) {
    side->descriptors = 0.1 * torch::rand({static_cast<std::int64_t>(side->samples.size()), 16});
    for (std::size_t i = 0; i < side->samples.size(); ++i) {
      side->descriptors[static_cast<std::int64_t>(i)][side->samples[i].identity % 16] += 1;
    }
  }
  file::write_features(folder / "features/query", query);
  file::write_features(folder / "features/gallery", gallery);
}

}  // namespace

TEST_CASE("domains are told apart, images labeled and rankings handed in, by commands alone") {
  const TemporaryFolder folder;
  draw(folder);
  describe(folder);
  const auto run = [&](const std::vector<std::string>& arguments) {
    auto outcome = kindred(placed(arguments, folder), folder.path());
    CAPTURE(arguments[0]);
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
    return outcome.out;
  };

  CHECK(holds(run({"partition", "@data", "--partitioner", "violet", "--out", "@looks"}), "origin  "));
  // Another threshold finds other domains, and what was there is replaced.
  const auto bright = run({"partition", "@data", "--partitioner", "violet", "--set",
                           "partitioner.threshold=0", "--out", "@looks"});
  CHECK(holds(bright, "violet  "));
  CHECK_FALSE(holds(bright, "origin"));
  CHECK(holds(run({"partition", "@data", "--partitioner", "camera", "--out", "@cameras"}), "camera_1  "));

  const auto labeled = run({"label", "@features", "--labeler", "dbscan_jaccard", "--set", "labeler.k1=6",
                            "--set", "labeler.min_samples=2", "--domain", "camera_1", "--domain-list",
                            "@cameras/domains.csv", "--data", "@data", "--threads", "1", "--out", "@labels"});
  CHECK(holds(labeled, "labels/labels.csv"));
  CHECK(holds(labeled, "labels/labels.png"));
  CHECK(std::filesystem::exists(folder / "labels/labels.png"));
  const auto table = CsvTable::read(folder / "labels/labels.csv");
  CHECK(table.rows().size() > 6);
  for (const auto& row : table.rows()) CHECK(row.cells[table.column("camera")] == "1");
  const auto figures = nlohmann::json::parse(read_bytes(folder / "labels/labels.json"));
  CHECK(figures["images"] == table.rows().size());
  CHECK(figures["truth"]["labeled"] == table.rows().size());

  static_cast<void>(run({"match", "@features", "--top", "5", "--out", "@rankings"}));
  CHECK(holds(run({"submit", "--writer", "naic_json", "--set", "writer.top=5", "--rankings",
                   "@rankings/matches.csv", "--data", "@data", "--out", "@submission"}),
              "submission/submission.json"));
  const auto submission = nlohmann::json::parse(read_bytes(folder / "submission/submission.json"));
  CHECK(submission.size() == file::read_features(folder / "features/query").samples.size());
  CHECK(submission.begin().value().size() == 5);
}

TEST_CASE("features of a folder without queries are labeled, and a search of them says what it needs") {
  const TemporaryFolder folder;
  draw(folder);
  describe(folder);
  for (const auto* name : {"query.npy", "query.csv"}) std::filesystem::remove(folder / "features" / name);
  const auto gallery = file::read_features(folder / "features/gallery").samples.size();
  const auto labeled = kindred(placed({"label", "@features", "--labeler", "dbscan_jaccard", "--set",
                                       "labeler.k1=6", "--set", "labeler.min_samples=2", "--out", "@labels"},
                                      folder),
                               folder.path());
  REQUIRE_MESSAGE(labeled.exit_code == 0, labeled.err);
  const auto figures = nlohmann::json::parse(read_bytes(folder / "labels/labels.json"));
  CHECK(figures["all_images"] == gallery);
  CHECK(figures["identities"] == 6);
  const auto table = CsvTable::read(folder / "labels/labels.csv");
  for (const auto& row : table.rows()) CHECK(row.cells.size() >= 4);

  const auto alone =
      kindred(placed({"label", "@features", "--labeler", "agglomerative_search", "--out", "@begun"}, folder),
              folder.path());
  CHECK(alone.exit_code == 0);
  CHECK(holds(alone.err, "identities begin with queries, and there are none"));

  const auto evaluated = kindred(placed({"evaluate", "@features"}, folder), folder.path());
  CHECK(evaluated.exit_code == 1);
  CHECK(holds(evaluated.err, "features: error: has gallery.npy and no query.npy"));
  CHECK(holds(evaluated.err, "--query and --gallery"));

  // A list without its descriptors is damage, and no side that there is not.
  describe(folder);
  std::filesystem::remove(folder / "features/query.npy");
  const auto damaged =
      kindred(placed({"label", "@features", "--labeler", "dbscan_jaccard", "--out", "@labels"}, folder),
              folder.path());
  CHECK(damaged.exit_code == 1);
  CHECK(holds(damaged.err, "query.npy: error: cannot be opened"));
  for (const auto* name : {"query.csv", "gallery.npy", "gallery.csv"}) {
    std::filesystem::remove(folder / "features" / name);
  }
  const auto nothing =
      kindred(placed({"label", "@features", "--labeler", "dbscan_jaccard", "--out", "@labels"}, folder),
              folder.path());
  CHECK(nothing.exit_code == 1);
  CHECK(holds(nothing.err, "has neither query.npy nor gallery.npy"));
}

TEST_CASE("what is wrong with the commands is said, with what is allowed") {
  const TemporaryFolder folder;
  draw(folder);
  describe(folder);
  const auto refused = [&](const std::vector<std::string>& arguments, int exit_code) {
    const auto outcome = kindred(placed(arguments, folder), folder.path());
    CHECK(outcome.exit_code == exit_code);
    return outcome.err;
  };
  CHECK(holds(refused({"label", "@features", "--labeler", "dbscan_jacard", "--out", "@labels"}, 2),
              "unknown labeler 'dbscan_jacard'; did you mean 'dbscan_jaccard'?"));
  CHECK(holds(refused({"label", "@features", "--labeler", "dbscan_jaccard", "--set", "labeler.eps=2", "--out",
                       "@labels"},
                      2),
              "--set labeler.eps=2: error: labeler 'dbscan_jaccard': eps = 2 is outside [0, 0.999]"));
  CHECK(holds(refused({"label", "@features", "--labeler", "dbscan_jaccard", "--set", "labler.eps=0.5",
                       "--out", "@labels"},
                      2),
              "keys must begin with labeler. or machine."));
  CHECK(holds(
      refused({"label", "@features", "--labeler", "dbscan_jaccard", "--domain", "dusk", "--out", "@labels"},
              1),
      "no image has the domain 'dusk'"));
  CHECK(holds(
      refused({"partition", "@data", "--partitioner", "violet", "--set", "dataset.root=x", "--out", "@x"}, 2),
      "data is not a recipe (NAME.toml)"));
  CHECK(holds(refused({"submit", "--writer", "naic_json", "--rankings", "@none.csv", "--data", "@data",
                       "--out", "@x"},
                      1),
              "none.csv"));
  CHECK_FALSE(std::filesystem::exists(folder / "labels"));
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
}

}  // namespace kindred::test
