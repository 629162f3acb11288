// Tracklets from training to report and back into training, from the command line.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "kindred/text/csv.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

bool says(const Outcome& outcome, const std::string& text) {
  return (outcome.out + outcome.err).find(text) != std::string::npos;
}

std::size_t rows_of(const std::filesystem::path& csv) {
  return CsvTable::read(csv).rows().size();
}

double mean_average_precision(const std::filesystem::path& folder) {
  return nlohmann::json::parse(read_bytes(folder / "evaluation.json"))["figures"]["mAP"]["value"]
      .get<double>();
}

}  // namespace

TEST_CASE("tracklets are trained on, ranked, labeled, trained on again, submitted and reported") {
  const TemporaryFolder folder;
  // The pipeline of tiny.toml, with tracklets of four frames in the place of images.
  auto pipeline = read_bytes(std::string(source_directory) + "/tests/e2e/tiny_pipeline.toml");
  for (std::size_t at = 0; (at = pipeline.find("\"tiny.toml\"", at)) != std::string::npos; ++at) {
    pipeline.replace(at, 11, "\"frames.toml\"");
  }
  const std::string frames = "width = 32\n";
  pipeline.insert(pipeline.find(frames), "frames = 4\n");
  folder.write("frames.toml", "extends = '" + std::string(source_directory) +
                                  "/tests/e2e/tiny.toml'\n[sampler]\nimages_per_identity = 2\nframes = 2\n");
  const auto recipe = folder.write("pipeline.toml", pipeline);
  const auto run = folder / "run";
  const auto outcome = kindred({"run", recipe.string(), "--run-dir", run.string()}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(says(outcome, "tracklets; features are extracted of"));

  // A row for each tracklet, under its first frame.
  std::set<std::string> tracklets;
  const auto gallery = CsvTable::read(run / "base_features/gallery.csv");
  for (const auto& row : gallery.rows()) {
    CHECK(row.cells[gallery.column("path")].ends_with("_001.png"));
    tracklets.insert(row.cells[gallery.column("tracklet")]);
  }
  CHECK(tracklets.size() == gallery.rows().size());
  CHECK(tracklets.size() > 10);

  // All frames of a labeled tracklet were trained on.
  const auto labels = rows_of(run / "labels/labels.csv");
  CHECK(labels > 0);
  CHECK(read_bytes(run / "submission/submission.json").find("_001.png") != std::string::npos);

  const auto evaluated = kindred({"evaluate", (run / "base_features").string()}, folder.path());
  CHECK(evaluated.exit_code == 0);
  CHECK(says(evaluated, "queries in " + std::to_string(gallery.rows().size()) + " gallery images"));
  const auto report = kindred({"report", run.string()}, folder.path());
  CAPTURE(report.err);
  CHECK(report.exit_code == 0);

  const auto doctor = kindred({"data", "doctor", recipe.string(), "--no-decode"}, folder.path());
  CHECK(says(doctor, "frames per tracklet     4 / 4 / 4"));
}

TEST_CASE("embed.frames says how many frames are averaged, and more of them find people better") {
  const TemporaryFolder folder;
  const auto recipe = std::string(source_directory) + "/configs/tracklets/small.toml";
  const auto run = folder / "run";
  const auto trained = kindred({"run", recipe, "--run-dir", run.string(), "--set", "train.epochs=4", "--set",
                                "dataset.train_identities=30", "--set", "dataset.test_identities=30", "--set",
                                "schedule.milestones=[3]", "--set", "schedule.warmup_epochs=1", "--set",
                                "embed.frames=1", "--set", "machine.device='cpu'"},
                               folder.path());
  CAPTURE(trained.err);
  REQUIRE(trained.exit_code == 0);
  std::map<int, double> scores{{1, mean_average_precision(run / "ranking")}};
  for (const int frames : {3, 0}) {
    const auto out = folder / ("frames" + std::to_string(frames));
    const auto embedded = kindred({"embed", "--weights", (run / "model/model.safetensors").string(), "--out",
                                   out.string(), "--set", "embed.frames=" + std::to_string(frames)},
                                  folder.path());
    CAPTURE(embedded.err);
    REQUIRE(embedded.exit_code == 0);
    const auto evaluated =
        kindred({"evaluate", out.string(), "--out", (out / "scores").string()}, folder.path());
    REQUIRE(evaluated.exit_code == 0);
    scores[frames] = mean_average_precision(out / "scores");
  }
  CAPTURE(scores[1]);
  CAPTURE(scores[3]);
  CAPTURE(scores[0]);
  CHECK(scores[3] > scores[1] + 0.02);
  CHECK(scores[0] > scores[1] + 0.04);
}

}  // namespace kindred::test
