// What a user sees: output, messages, exit codes, files.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

const std::string tiny = std::string(source_directory) + "/tests/e2e/tiny.toml";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

double map_of(const nlohmann::json& evaluation) {
  return evaluation["figures"]["mAP"]["value"].get<double>();
}

TEST_CASE("without a command the launcher says what there is and that usage was wrong") {
  const TemporaryFolder folder;
  const auto outcome = kindred({}, folder.path());
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.out.empty());
  CHECK(holds(outcome.err, "kindred run configs/quickstart.toml"));
}

TEST_CASE("arguments that a command does not take are answered in one line, with the way to its help") {
  const TemporaryFolder folder;
  const auto answer = [&](const std::vector<std::string>& arguments) {
    const auto outcome = kindred(arguments, folder.path());
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  CHECK(answer({"embed"}) ==
        "kindred embed: error: --weights is required; `kindred embed --help` shows what it takes\n");
  CHECK(
      answer({"describe", "loss", "triplet"}) ==
      "kindred describe: error: The following argument was not expected: triplet; `kindred describe --help` "
      "shows what it takes\n");
  CHECK(answer({"data", "convert", tiny, "--size"}).starts_with("kindred data convert: error: "));
  CHECK(answer({"data"}) == "error: kindred data needs a command; choose 'doctor' and 'convert'\n");
}

TEST_CASE("help of each command exits with 0 and names its options") {
  const TemporaryFolder folder;
  for (const std::string command :
       {"list", "describe", "check", "train", "run", "folds", "study", "embed", "evaluate", "match",
        "partition", "label", "submit", "report", "doctor", "export"}) {
    CAPTURE(command);
    const auto outcome = kindred({command, "-h"}, folder.path());
    CHECK(outcome.exit_code == 0);
    CHECK(holds(outcome.out, "--quiet"));
  }
}

TEST_CASE("--version names what the program runs on") {
  const TemporaryFolder folder;
  const auto outcome = kindred({"--version"}, folder.path());
  CHECK(outcome.exit_code == 0);
  for (const auto* part : {"Kindred", "LibTorch", "OpenCV", "BLAS", "Threads", "GPU"}) {
    CHECK(holds(outcome.out, part));
  }
}

TEST_CASE("all processors are used where OpenMP is told to bind its threads, as scripts of clusters do") {
  const TemporaryFolder folder;
  const auto figures = [&](const std::string& variable) {
    return Program({"/usr/bin/env", variable, launcher, "--version"}, folder.path()).wait().out;
  };
  const auto unbound = figures("OMP_PROC_BIND=false");
  CHECK(holds(unbound, " usable processors\n"));
  for (const auto* variable : {"OMP_PROC_BIND=true", "OMP_PLACES=cores"}) {
    CAPTURE(variable);
    CHECK(figures(variable) == unbound);
  }
}

TEST_CASE("list shows every component that the plugins offer") {
  const TemporaryFolder folder;
  const auto outcome = kindred({"list"}, folder.path());
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  for (const auto* part :
       {"backbone/se_resnet", "head/mgn", "loss/triplet", "dataset/synthetic", "metric/retrieval"}) {
    CHECK(holds(outcome.out, part));
  }
}

TEST_CASE(
    "list shows the components of one role, and answers a role that there is not with those there are") {
  const TemporaryFolder folder;
  const auto losses = kindred({"list", "loss"}, folder.path());
  CHECK(losses.exit_code == 0);
  CHECK(holds(losses.out, "loss/triplet"));
  CHECK_FALSE(holds(losses.out, "head/mgn"));
  const auto near = kindred({"list", "losses"}, folder.path());
  CHECK(near.exit_code == 2);
  CHECK(near.err == "error: there is no component of a role 'losses'; did you mean 'loss'?\n");
  CHECK(holds(kindred({"list", "nonsense"}, folder.path()).err, "choose 'augmentation', "));
}

TEST_CASE("the reference in docs is what the components declare") {
  const TemporaryFolder folder;
  const auto written = folder / "reference";
  REQUIRE(kindred({"describe", "--reference", written.string()}, folder.path()).exit_code == 0);
  const auto kept = std::filesystem::path(source_directory) / "docs/reference";
  std::set<std::string> names;
  for (const auto& root : {written, kept}) {
    for (const auto& page : std::filesystem::directory_iterator(root)) names.insert(page.path().filename());
  }
  CHECK(names.size() > 8);
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK_MESSAGE(read_bytes(written / name) == read_bytes(kept / name),
                  "run: kindred describe --reference docs/reference");
  }
}

TEST_CASE("every shipped recipe is sound") {
  const TemporaryFolder folder;
  int count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(source_directory) / "configs")) {
    if (entry.path().extension() != ".toml") continue;
    CAPTURE(entry.path());
    ++count;
    // All arms of a study are checked.
    const bool study = entry.path().parent_path().filename() == "studies";
    const auto outcome = study ? kindred({"study", entry.path().string(), "--dry-run"}, folder.path())
                               : kindred({"check", entry.path().string()}, folder.path());
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.empty());
    const auto text = read_bytes(entry.path());
    // What is for descriptors on disk has no score of its own.
    const bool for_descriptors = entry.path().parent_path().filename() == "ranking";
    for (const auto* part :
         {"# Purpose", "# Data", for_descriptors ? "# Use" : "# Cost", for_descriptors ? "" : "# Score"}) {
      CHECK(holds(text, part));
    }
  }
  CHECK(count >= 12);
}

TEST_CASE("the competition's recipes train, at a small size on synthetic people") {
  const TemporaryFolder folder;
  const auto recipes = std::filesystem::path(source_directory) / "configs/naic";
  for (const std::string name : {"base", "final"}) {
    CAPTURE(name);
    const auto run = folder / name;
    const auto outcome = kindred({"train",
                                  (recipes / (name + ".toml")).string(),
                                  "--run-dir",
                                  run.string(),
                                  "--set",
                                  "dataset={type='synthetic', train_identities=8, test_identities=2, "
                                  "min_images=4, max_images=6, height=64, "
                                  "width=32}",
                                  "--set",
                                  "augmentation.resize.height=96",
                                  "--set",
                                  "augmentation.resize.width=32",
                                  "--set",
                                  "augmentation.random_patch.min_sample_size=4",
                                  "--set",
                                  "sampler.identities_per_batch=4",
                                  "--set",
                                  "sampler.images_per_identity=2",
                                  "--set",
                                  "backbone.weights=''",
                                  "--set",
                                  "backbone.width_multiplier=0.125",
                                  "--set",
                                  "head.reduced_dim=16",
                                  "--set",
                                  "schedule.milestones=[1]",
                                  "--set",
                                  "train.epochs=1",
                                  "--set",
                                  "train.precision=fp32"},
                                 folder.path());
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    CHECK(std::filesystem::file_size(run / "model/model.safetensors") > 0);
    // Both groups learn, and nothing of the recipe was without effect on the plan.
    CHECK(holds(read_bytes(run / "model/recipe.toml"), "type = \"variance_inversion\""));
    CHECK(holds(read_bytes(run / "model/recipe.toml"), "weight = 8e-05"));
  }
}

TEST_CASE("all errors of a recipe come at once, each with its place, and exit with 2") {
  const TemporaryFolder folder;
  const auto recipe = folder.write("wrong.toml", "extends = '" + tiny +
                                                     "'\n"
                                                     "[augmentation.pad_crop]\n"
                                                     "paddng = 3\n"
                                                     "[optimizer]\n"
                                                     "learning_rate = -1\n");
  const auto outcome = kindred({"check", recipe.string(), "--set", "train.epochs=0.5"}, folder.path());
  CHECK(outcome.exit_code == 2);
  CHECK(holds(outcome.err, recipe.string() +
                               ":3:1: error: augmentation 'pad_crop' has no parameter 'paddng'; did you mean "
                               "'padding'?"));
  CHECK(holds(outcome.err, recipe.string() + ":5:17: error: optimizer 'adam': learning_rate = -1"));
  CHECK(holds(outcome.err, "--set train.epochs=0.5: error: [train]: epochs = 0.5"));
}

TEST_CASE("a broken plugin stops only the recipe that needs it, with exit code 3") {
  const TemporaryFolder folder;
  const auto plugin = folder.write("plugins/broken.so", "this is no library");
  const auto plugins = plugin.parent_path().string();
  const auto unharmed = kindred({"check", tiny, "--plugin-dir", plugins}, folder.path());
  CHECK(unharmed.exit_code == 0);
  CHECK(holds(unharmed.err, plugin.string()));
  const auto stopped =
      kindred({"check", tiny, "--plugin-dir", plugins, "--set", "sampler.type=broken"}, folder.path());
  CHECK(stopped.exit_code == 3);
  CHECK(holds(stopped.err, "unknown sampler 'broken'"));
  CHECK(holds(stopped.err, plugin.string()));
  const auto unknown = kindred({"check", tiny, "--set", "sampler.type=broken"}, folder.path());
  CHECK(unknown.exit_code == 2);
}

TEST_CASE("a run goes from images to scores, and its weights need no recipe") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto outcome = kindred({"run", tiny, "--run-dir", run.string()}, folder.path());
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  CHECK(holds(outcome.out, "mAP"));
  for (const auto* name :
       {"pipeline.toml", "log.txt", "costs.json", "scores.json", "model/recipe.toml",
        "model/model.safetensors", "model/metrics.jsonl", "model/environment.json", "features/query.npy",
        "features/gallery.csv", "ranking/evaluation.json", "ranking/evaluation.txt", "ranking/roc.csv",
        "ranking/per_query.csv", "ranking/matches.csv", "ranking/matches.json"}) {
    CAPTURE(name);
    CHECK(std::filesystem::file_size(run / name) > 0);
  }
  const auto scores = nlohmann::json::parse(read_bytes(run / "ranking/evaluation.json"));

  SUBCASE("with averaged weights, these are what images are described by") {
    const auto averaged = folder / "averaged";
    const auto with =
        kindred({"run", tiny, "--run-dir", averaged.string(), "--set", "train.ema_decay=0.9"}, folder.path());
    REQUIRE(with.exit_code == 0);
    CHECK(holds(with.err, "using the averaged weights, "));
    CHECK(holds(with.err, (averaged / "model/model.ema.safetensors").string()));
    CHECK(read_bytes(averaged / "features/query.npy") != read_bytes(run / "features/query.npy"));
  }
  SUBCASE("the resolved recipe gives the same model") {
    const auto again = folder / "again";
    REQUIRE(
        kindred({"train", (run / "model/recipe.toml").string(), "--run-dir", again.string()}, folder.path())
            .exit_code == 0);
    CHECK(read_bytes(again / "model/model.safetensors") == read_bytes(run / "model/model.safetensors"));
  }
  SUBCASE("written to disk, embedded from the weights alone and evaluated, the images score the same") {
    const auto data = folder / "data";
    const auto features = folder / "features";
    REQUIRE(kindred({"data", "convert", tiny, "--out", data.string(), "--layout", "market1501", "--format",
                     "png"},
                    folder.path())
                .exit_code == 0);
    const auto embedded = kindred({"embed", "--weights", (run / "model/model.safetensors").string(), "--data",
                                   data.string(), "--out", features.string()},
                                  folder.path());
    CAPTURE(embedded.err);
    REQUIRE(embedded.exit_code == 0);
    const auto json = folder / "scores.json";
    REQUIRE(kindred({"evaluate", features.string(), "--json", json.string()}, folder.path()).exit_code == 0);
    const auto from_disk = nlohmann::json::parse(read_bytes(json));
    CHECK(from_disk["queries"] == scores["queries"]);
    CHECK(map_of(from_disk) == doctest::Approx(map_of(scores)).epsilon(1e-4));
    const auto matched = kindred(
        {"match", features.string(), "--top", "3", "--out", (folder / "ranks").string()}, folder.path());
    CHECK(matched.exit_code == 0);
    const auto ranks = nlohmann::json::parse(read_bytes(folder / "ranks/matches.json"));
    CHECK(ranks.size() == scores["queries"].get<std::size_t>());
    for (const auto& best : ranks) CHECK(best.size() == 3);
  }
  SUBCASE("descriptors on disk are post-processed by name or by recipe, and all distances are written") {
    const auto features = (run / "features").string();
    const auto json = folder / "scores.json";
    const auto reranked = kindred({"evaluate", features, "--post", "k_reciprocal", "--set",
                                   "post_processor.k_reciprocal.k1=5", "--json", json.string()},
                                  folder.path());
    CAPTURE(reranked.err);
    REQUIRE(reranked.exit_code == 0);
    const auto by_name = nlohmann::json::parse(read_bytes(json));
    CHECK(by_name["queries"] == scores["queries"]);
    CHECK(map_of(by_name) != map_of(scores));

    const auto recipe = folder.write("ranking.toml", "[[post_processor]]\ntype = 'k_reciprocal'\nk1 = 5\n");
    const auto distances = folder / "distances.npy";
    const auto matched = kindred({"match", features, "--recipe", recipe.string(), "--top", "4", "--out",
                                  (folder / "ranks").string(), "--distances", distances.string()},
                                 folder.path());
    CAPTURE(matched.err);
    REQUIRE(matched.exit_code == 0);
    for (const auto& best : nlohmann::json::parse(read_bytes(folder / "ranks/matches.json"))) {
      CHECK(best.size() == 4);
    }
    CHECK(std::filesystem::file_size(distances) ==
          128 + 4 * scores["queries"].get<std::size_t>() * scores["gallery"].get<std::size_t>());
    REQUIRE(
        kindred({"evaluate", features, "--recipe", recipe.string(), "--json", json.string()}, folder.path())
            .exit_code == 0);
    CHECK(nlohmann::json::parse(read_bytes(json)) == by_name);

    const auto wrong = kindred({"evaluate", features, "--post", "k_reciprocl"}, folder.path());
    CHECK(wrong.exit_code == 2);
    CHECK(holds(wrong.err, "unknown post_processor 'k_reciprocl'; did you mean 'k_reciprocal'?"));
    CHECK(
        kindred({"evaluate", features, "--post", "k_reciprocal", "--recipe", recipe.string()}, folder.path())
            .exit_code == 2);
    const auto checked = kindred({"check", recipe.string()}, folder.path());
    CHECK(checked.exit_code == 0);
    CHECK(holds(checked.out, "k_reciprocal"));
  }
  SUBCASE("a run with post-processors says the scores with and without them") {
    const auto reranked = kindred(
        {"run", tiny, "--run-dir", run.string(), "--set", "post_processor=[{type = 'k_reciprocal', k1 = 5}]"},
        folder.path());
    CAPTURE(reranked.err);
    REQUIRE(reranked.exit_code == 0);
    CHECK(holds(reranked.err, "stage 'model' is up to date"));
    CHECK(holds(reranked.err, "stage 'ranking' (rank) runs: its recipe has changed"));
    CHECK(holds(reranked.out, "descriptors "));
    CHECK(holds(reranked.out, "post-processed "));
    CHECK(map_of(nlohmann::json::parse(read_bytes(run / "ranking/evaluation.json"))) != map_of(scores));
    const auto plain = nlohmann::json::parse(read_bytes(run / "ranking/evaluation_plain.json"));
    CHECK(map_of(plain) == doctest::Approx(map_of(scores)));
    REQUIRE(kindred({"run", tiny, "--run-dir", run.string()}, folder.path()).exit_code == 0);
    CHECK_FALSE(std::filesystem::exists(run / "ranking/evaluation_plain.json"));
  }
  SUBCASE("the run becomes a page with its images, and nothing else does") {
    const auto page = folder / "page.html";
    const auto reported = kindred(
        {"report", run.string(), "--out", page.string(), "--worst", "2", "--middle", "0", "--best", "1"},
        folder.path());
    CAPTURE(reported.err);
    REQUIRE(reported.exit_code == 0);
    CHECK(reported.err.empty());
    CHECK(holds(reported.out, page.string()));
    CHECK(holds(reported.out, "3 rankings"));
    CHECK(holds(read_bytes(page), "<img src=\"data:image/jpeg;base64,"));
    const auto none = kindred({"report", folder.path().string()}, folder.path());
    CHECK(none.exit_code == 1);
    CHECK(holds(none.err, "is not the folder of a run"));
    const auto moved = kindred({"report", run.string(), "--data", "/nowhere"}, folder.path());
    CHECK(moved.exit_code == 2);
    CHECK(holds(moved.err, "root"));
    CHECK_FALSE(std::filesystem::exists(run / "report.html"));
  }
  SUBCASE("descriptors are stored in 16 bits and evaluated with all that the command line offers") {
    const auto features = (folder / "features").string();
    const auto embedded = kindred({"embed", "--weights", (run / "model/model.safetensors").string(), "--out",
                                   features, "--storage", "float16"},
                                  folder.path());
    CAPTURE(embedded.err);
    REQUIRE(embedded.exit_code == 0);
    CHECK(holds(embedded.out, "float16, cosines to 0.000"));
    CHECK(holds(embedded.err, "gallery descriptors are stored as float16: this changes them by"));
    const auto evaluated =
        kindred({"evaluate", features, "--fpr", "0.05", "--fpr", "1e-2", "--map-depth", "3", "--multi-query",
                 "--per-query", (folder / "each.csv").string(), "--out", (folder / "scores").string()},
                folder.path());
    CAPTURE(evaluated.err);
    REQUIRE(evaluated.exit_code == 0);
    CHECK(holds(evaluated.out, "mAP@3 "));
    CHECK(holds(evaluated.out, "query images merged by identity, camera and clothes"));
    CHECK(holds(evaluated.out, "\n  0.05 "));
    CHECK(holds(evaluated.out, "\n  0.01 "));
    CHECK(holds(evaluated.out, "DISTANCE BELOW"));
    CHECK(read_bytes(folder / "each.csv") == read_bytes(folder / "scores/per_query.csv"));
    const auto json = nlohmann::json::parse(read_bytes(folder / "scores/evaluation.json"));
    CHECK(json["figures"].contains("mAP@3"));
    CHECK(json["tables"]["thresholds"]["rows"].size() == 2);
    const auto competition = kindred({"evaluate", features, "--metric", "naic_score", "--metric", "retrieval",
                                      "--set", "metric.retrieval.ranks=[2]"},
                                     folder.path());
    CAPTURE(competition.err);
    REQUIRE(competition.exit_code == 0);
    CHECK(competition.out.starts_with("NAIC score "));
    CHECK(holds(competition.out, "  Rank-2 "));
    CHECK_FALSE(holds(competition.out, "DISTANCE"));
    const auto unknown = kindred({"evaluate", features, "--metric", "retreival"}, folder.path());
    CHECK(unknown.exit_code == 2);
    CHECK(holds(unknown.err, "unknown metric 'retreival'; did you mean 'retrieval'?"));
    const auto wrong = kindred({"evaluate", features, "--fpr", "1e-3", "--fpr", "2"}, folder.path());
    CHECK(wrong.exit_code == 2);
    CHECK(holds(wrong.err, "false_positive_rates"));
    CHECK(holds(wrong.err, "0.1"));
  }
  SUBCASE("the same run again trains nothing, another recipe in its folder is refused") {
    const auto model = read_bytes(run / "model/model.safetensors");
    CHECK(kindred({"train", tiny, "--run-dir", run.string()}, folder.path()).exit_code == 0);
    CHECK(read_bytes(run / "model/model.safetensors") == model);
    const auto other = kindred({"train", tiny, "--run-dir", run.string(), "--set", "loss.triplet.margin=0.5"},
                               folder.path());
    CHECK(other.exit_code == 1);
    CHECK(holds(other.err, "holds a training that is kept"));
    CHECK(holds(other.err, "loss.triplet.margin: "));
    CHECK(holds(other.err, "--from model"));
    CHECK(read_bytes(run / "model/model.safetensors") == model);
  }
}

TEST_CASE("what is printed to a closed stream gets into no file") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto outcome =
      Program({"/bin/sh", "-c", R"(exec "$0" "$@" 2>&-)", launcher, "train", tiny, "--run-dir", run.string()},
              folder.path())
          .wait();
  CHECK(outcome.exit_code == 0);
  CHECK(holds(read_bytes(run / "log.txt"), "stage 'model' (train) runs"));
  // Of what a run opens, the first: it would get the number of standard error.
  CHECK_FALSE(holds(read_bytes(run / ".lock"), "stage"));

  const auto unheard = Program({"/bin/sh", "-c", R"(exec "$0" list >&-)", launcher}, folder.path()).wait();
  CHECK(unheard.exit_code == 1);
  CHECK(unheard.err == "error: cannot write the results to standard output\n");
}

TEST_CASE("train refuses to begin from a stage that it does not run") {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  for (const std::string stage : {"features", "ranking"}) {
    for (const bool dry : {false, true}) {
      std::vector<std::string> arguments{"train", tiny, "--run-dir", run, "--from", stage};
      if (dry) arguments.emplace_back("--dry-run");
      const auto outcome = kindred(arguments, folder.path());
      CHECK(outcome.exit_code == 2);
      CHECK(holds(outcome.err, "--from " + stage +
                                   ": error: has no effect: 'model' is the only stage that runs here, and "
                                   "it does not depend on '" +
                                   stage + "'; use `kindred run` for all stages, or --from model\n"));
    }
  }
  CHECK_FALSE(std::filesystem::exists(run));
  CHECK(kindred({"train", tiny, "--run-dir", run, "--from", "model", "--dry-run"}, folder.path()).exit_code ==
        0);
}

TEST_CASE("a command that is refused leaves no folder of a run behind") {
  const TemporaryFolder folder;
  const auto run = (folder / "runs/new").string();
  const std::vector<std::vector<std::string>> refused = {
      {"--set", "dataset.type=market1501", "--data", "it's nowhere"},
      {"--set", "loss.cross_entropy.on=['nothing']"},
      {"--set", "train.precision=fp16"},
      {"--set", "machine.device=cuda:99"}};
  for (const std::string command : {"run", "train"}) {
    for (const auto& settings : refused) {
      std::vector<std::string> arguments{command, tiny, "--run-dir", run};
      arguments.insert(arguments.end(), settings.begin(), settings.end());
      const auto outcome = kindred(arguments, folder.path());
      CAPTURE(outcome.err);
      CHECK(outcome.exit_code > 0);
      CHECK(holds(outcome.err, ": error: "));
      CHECK_FALSE(std::filesystem::exists(folder / "runs"));
    }
  }
}

TEST_CASE("a start that failed binds its folder to no recipe") {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  const auto failed =
      kindred({"train", tiny, "--run-dir", run, "--set", "optimizer.learning_rate=1e30"}, folder.path());
  CHECK(failed.exit_code == 1);
  CHECK(holds(failed.err, "the loss is no longer finite in epoch 1"));
  const auto corrected = kindred({"train", tiny, "--run-dir", run, "--set", "train.epochs=0", "--set",
                                  "schedule={type='warmup_cosine'}"},
                                 folder.path());
  CAPTURE(corrected.err);
  CHECK(corrected.exit_code == 0);
  CHECK(std::filesystem::exists(folder / "run/model/model.safetensors"));
}

TEST_CASE("queries of whom nothing is known are ranked and not scored") {
  const TemporaryFolder folder;
  const auto data = (folder / "naic").string();
  const auto run = folder / "run";
  REQUIRE(kindred({"data", "convert", tiny, "--out", data, "--layout", "naic"}, folder.path()).exit_code ==
          0);
  const auto outcome = kindred(
      {"run", tiny, "--run-dir", run.string(), "--set", "dataset.type=naic", "--data", data}, folder.path());
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(holds(outcome.out, "no scores"));
  CHECK(std::filesystem::file_size(run / "ranking/matches.csv") > 0);
  CHECK_FALSE(std::filesystem::exists(run / "ranking/evaluation.json"));
}

TEST_CASE("what only a component can find wrong has its place too, before anything is trained") {
  const TemporaryFolder folder;
  const auto recipe =
      folder.write("late.toml", "extends = '" + tiny + "'\n[schedule]\nmilestones = [3, 40]\n");
  const auto outcome = kindred({"check", recipe.string()}, folder.path());
  CHECK(outcome.exit_code == 2);
  CHECK(holds(outcome.err, ".toml:"));
  CHECK(holds(outcome.err, "schedule 'warmup_multistep': "));
  CHECK(holds(outcome.err, "40"));
}

TEST_CASE("the doctor reads what was written, in any layout, and so does another conversion") {
  const TemporaryFolder folder;
  for (const std::string layout : {"market1501", "naic", "manifest"}) {
    CAPTURE(layout);
    const auto data = (folder / layout).string();
    REQUIRE(kindred({"data", "convert", tiny, "--out", data, "--layout", layout}, folder.path()).exit_code ==
            0);
    const auto outcome = kindred({"data", "doctor", data}, folder.path());
    CHECK(outcome.exit_code == 0);
    CHECK(holds(outcome.out, "identities"));
    CHECK(kindred({"data", "convert", tiny, "--out", data, "--layout", layout}, folder.path()).exit_code ==
          1);
    const auto again = kindred(
        {"data", "convert", data, "--out", (folder / (layout + "_again")).string(), "--layout", "manifest"},
        folder.path());
    CHECK(again.exit_code == 0);
    CHECK(holds(again.out, ": read as " + layout + "\n"));
  }
}

TEST_CASE("data convert takes the image formats that can be written, in either case, and no other text") {
  const TemporaryFolder folder;
  const auto convert = [&](const std::string& format, const std::string& out) {
    return kindred({"data", "convert", tiny, "--layout", "manifest", "--out", (folder / out).string(),
                    "--format", format},
                   folder.path());
  };
  for (const std::string format : {".png", "gif", "exe", "png/../x", "../png"}) {
    CAPTURE(format);
    const auto outcome = convert(format, "wrong");
    CHECK(outcome.exit_code == 2);
    CHECK(holds(outcome.err, "--format: "));
    CHECK(holds(outcome.err, "{jpg,jpeg,png,bmp,webp,tif,tiff}"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "wrong"));
  REQUIRE(convert("BMP", "right").exit_code == 0);
  int images = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "right")) {
    images += entry.path().extension() == ".bmp" ? 1 : 0;
  }
  CHECK(images > 0);
}

TEST_CASE("names that were changed are answered with the present ones") {
  const TemporaryFolder folder;
  const auto answer = [&](const std::vector<std::string>& arguments) {
    const auto outcome = kindred(arguments, folder.path());
    CHECK(outcome.exit_code == 2);
    return outcome.err;
  };
  CHECK(answer({"data", "draw", tiny, "--out", "data"}) == "error: data draw is now data convert\n");
  CHECK(holds(answer({"data", "convert", "--out", "data", "--layout", "market"}),
              "unknown layout 'market'; it is called 'market1501' now"));
  CHECK(holds(answer({"check", tiny, "--set", "dataset.type=drawn"}),
              "unknown dataset 'drawn'; it is called 'synthetic' now"));
  CHECK(holds(answer({"check", tiny, "--set", "backbone.width=0.5"}),
              "has no parameter 'width'; it is called 'width_multiplier' now"));
}

}  // namespace
}  // namespace kindred::test
