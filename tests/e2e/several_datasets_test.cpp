// One model trained on two data sets, tested on both, from the command line.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/text/csv.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string people =
    "type = 'synthetic'\ntrain_identities = 8\ntest_identities = 6\nmin_images = 6\nmax_images = 8\ncameras "
    "= "
    "3\nheight = 64\nwidth = 32\n";

std::string write_recipe(const TemporaryFolder& folder) {
  return folder
      .write("two.toml", "extends = '" + std::string(source_directory) + "/tests/e2e/tiny.toml'\n" +
                             "[[dataset]]\nname = 'plain'\nshare = 1\nseed = 1\ndifficulty = 0.1\n" + people +
                             "[[dataset]]\nname = 'hard'\nshare = 3\nseed = 2\ndifficulty = 0.9\n" + people)
      .string();
}

/// The mAP of the last evaluation in a training, by its stage.
std::map<std::string, double> last_scores(const std::filesystem::path& file) {
  std::map<std::string, double> last;
  std::istringstream metrics(read_bytes(file));
  for (std::string line; std::getline(metrics, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event["event"] != "finished") continue;
    for (const auto& [figure, value] : event["figures"].items()) {
      if (figure == "mAP") last[event["stage"]] = value;
    }
  }
  return last;
}

TEST_CASE("a recipe with two data sets is checked, looked at, run and reported by their names") {
  const TemporaryFolder folder;
  const auto recipe = write_recipe(folder);
  const auto checked = kindred({"check", recipe}, folder.path());
  CAPTURE(checked.err);
  CHECK(checked.exit_code == 0);
  CHECK(holds(checked.out, "plain (synthetic), 25 % of each batch, evaluated"));
  CHECK(holds(checked.out, "hard (synthetic), 75 % of each batch, evaluated"));

  const auto doctor = kindred({"data", "doctor", recipe, "--no-decode"}, folder.path());
  CHECK(doctor.exit_code == 0);
  CHECK(holds(doctor.out, "DATA SET"));
  CHECK(holds(doctor.out, "hard "));

  const auto runs = folder / "run";
  const auto run =
      kindred({"run", recipe, "--run-dir", runs.string(), "--set", "train.evaluate_every=2"}, folder.path());
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(holds(run.out, "ranking_plain"));
  CHECK(holds(run.out, "ranking_hard"));
  CHECK(holds(run.err, "evaluate hard, epoch 4/4"));
  CHECK(std::filesystem::exists(runs / "model/best.safetensors"));
  CHECK(holds(read_bytes(runs / "scores.json"), "ranking_hard"));

  // The last evaluation of the training is the one after it.
  auto last = last_scores(runs / "model/metrics.jsonl");
  REQUIRE(last.size() == 3);
  for (const std::string name : {"plain", "hard"}) {
    const auto scores = nlohmann::json::parse(read_bytes(runs / ("ranking_" + name) / "evaluation.json"));
    CHECK(scores["figures"]["mAP"]["value"].get<double>() ==
          doctest::Approx(last["evaluate " + name]).epsilon(1e-6));
  }
  CHECK(last["evaluate plain"] != last["evaluate hard"]);
  CHECK(last["evaluate"] == doctest::Approx((last["evaluate plain"] + last["evaluate hard"]) / 2));

  const auto report = kindred({"report", runs.string()}, folder.path());
  CAPTURE(report.err);
  CHECK(report.exit_code == 0);
  CHECK_FALSE(holds(report.err, "cannot be shown"));
  const auto page = read_bytes(runs / "report.html");
  CHECK(holds(page, "ranking_hard"));
  CHECK(holds(page, "Scores on hard during training"));

  const auto again =
      kindred({"run", recipe, "--run-dir", runs.string(), "--set", "train.evaluate_every=2"}, folder.path());
  CHECK(holds(again.err, "stage 'model' is up to date"));
  CHECK(holds(again.err, "stage 'ranking_hard' is up to date"));

  const auto embedded = kindred(
      {"embed", "--weights", (runs / "model/model.safetensors").string(), "--out", (folder / "f").string()},
      folder.path());
  CHECK(embedded.exit_code != 0);
  CHECK(holds(embedded.err, "the model's recipe has several data sets, 'plain' and 'hard'"));
}

TEST_CASE(
    "a network that uses cameras takes those of each data set for its own, in the training and after it") {
  const TemporaryFolder folder;
  const auto recipe = folder
                          .write("cameras.toml", "extends = '" + write_recipe(folder) +
                                                     "'\n[backbone]\ntype = 'vit'\ndim = 32\ndepth = 2\n"
                                                     "heads = 2\nimage_height = 48\nimage_width = 24\n"
                                                     "patch_size = 8\nside_information = 'camera'\n"
                                                     "side_factor = 100.0\n[schedule]\nmilestones = []\n"
                                                     "[train]\nepochs = 1\nevaluate_every = 1\n")
                          .string();
  const auto runs = folder / "run";
  const auto run = kindred({"run", recipe, "--run-dir", runs.string()}, folder.path());
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const auto last = last_scores(runs / "model/metrics.jsonl");
  for (const std::string name : {"plain", "hard"}) {
    const auto scores = nlohmann::json::parse(read_bytes(runs / ("ranking_" + name) / "evaluation.json"));
    CHECK(scores["figures"]["mAP"]["value"].get<double>() ==
          doctest::Approx(last.at("evaluate " + name)).epsilon(1e-6));
  }
  const auto report = kindred({"report", runs.string(), "--maps"}, folder.path());
  CAPTURE(report.err);
  CHECK(report.exit_code == 0);

  const auto strange = kindred({"run", recipe, "--run-dir", (folder / "strange").string(), "--set",
                                "dataset.hard.share=0", "--set", "train.evaluate_every=0"},
                               folder.path());
  CHECK(strange.exit_code == 1);
  CHECK(holds(strange.err, "is none of those of the training (plain/1, plain/2, plain/3)"));

  // From the model alone its user says of which data set the images are.
  const auto people = (folder / "people").string();
  REQUIRE(kindred({"data", "convert", "--layout", "market1501", "--out", people, "--set",
                   "dataset.train_identities=2", "--set", "dataset.test_identities=2", "--set",
                   "dataset.cameras=3", "--set", "dataset.height=64", "--set", "dataset.width=32"},
                  folder.path())
              .exit_code == 0);
  const auto embed = [&](const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> command{"embed", "--weights", (runs / "model/model.safetensors").string(),
                                     "--out", (folder / out).string()};
    command.insert(command.end(), more.begin(), more.end());
    return kindred(command, folder.path());
  };
  const auto refused = embed("refused", {"--data", people});
  CHECK(refused.exit_code == 1);
  CHECK(holds(refused.err,
              "is none of those of the training (plain/1, plain/2, plain/3, hard/1, hard/2, hard/3)"));
  CHECK(holds(refused.err, "--set dataset.NAME.enabled=false"));
  CHECK(embed("told", {"--data", people, "--set", "dataset.hard.enabled=false"}).exit_code == 0);
  const auto useless = embed("useless", {"--data", people, "--set", "dataset.hard.seed=3"});
  CHECK(useless.exit_code == 2);
  CHECK(holds(useless.err, "--set dataset.hard.seed=3: error: has no effect: --data says what is read"));
  REQUIRE(embed("own", {"--set", "dataset.plain.enabled=false"}).exit_code == 0);
  CHECK(read_bytes(folder / "own/query.npy") == read_bytes(runs / "features_hard/query.npy"));
}

TEST_CASE("a study tells what is trained on by what is tested on") {
  const TemporaryFolder folder;
  write_recipe(folder);
  const auto study = folder
                         .write("cross.toml",
                                "recipe = 'two.toml'\n"
                                "[[variant]]\nname = 'plain'\nset.dataset.hard.share = 0\n"
                                "[[variant]]\nname = 'both'\n")
                         .string();
  const auto outcome = kindred({"study", study, "--run-dir", (folder / "cross").string()}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(holds(outcome.out, "trained on x tested on"));
  const auto table = read_bytes(folder / "cross/study.md");
  CHECK(holds(table, "| variant | trained on | plain: mAP/Rank-1 | hard: mAP/Rank-1 |"));
  CHECK(holds(table, "| plain | plain | "));
  CHECK(holds(table, "| both | plain 25 %, hard 75 % | "));
  CHECK(CsvTable::read(folder / "cross/study.csv").rows().size() == 10);
}

TEST_CASE("--data names the data set that has moved") {
  const TemporaryFolder folder;
  const auto recipe =
      folder
          .write("moved.toml", "extends = '" + std::string(source_directory) + "/tests/e2e/tiny.toml'\n" +
                                   "[[dataset]]\nname = 'a'\ntype = 'market1501'\nroot = 'old'\n"
                                   "[[dataset]]\nname = 'b'\ntype = 'market1501'\nroot = 'old'\n")
          .string();
  const auto named = kindred({"train", recipe, "--data", "a=new_a", "--data", "b=new_b"}, folder.path());
  CHECK(named.exit_code != 0);
  CHECK(holds(named.err, "new_a"));
  const auto unnamed = kindred({"check", recipe, "--data", "new"}, folder.path());
  CHECK(unnamed.exit_code == 2);
  CHECK(holds(unnamed.err, "its entries are 'a' and 'b'"));
}

}  // namespace
}  // namespace kindred::test
