#include "report/run_files.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "made_run.h"
#include "ordinary_user.h"

namespace kindred::test {
using namespace kindred::report;  // NOLINT
namespace {

std::vector<std::string> names_of(const RunFiles& run) {
  std::vector<std::string> names;
  for (const auto& stage : run.stages) names.push_back(stage.name);
  return names;
}

using Names = std::vector<std::string>;

TEST_CASE("a run of a plain recipe is read as its stages model, features and ranking") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto run = read_run(folder / "run");
  CHECK(run.title() == "a <run>");
  CHECK(names_of(run) == Names{"model", "features", "ranking"});
  for (const auto& stage : run.stages) CHECK(stage.finished);

  const auto* training = run.stages[0].holds<TrainingFiles>();
  REQUIRE(training != nullptr);
  CHECK(training->environment.value->device == "cpu: <fast> & new");
  CHECK(training->environment.value->threads == 2);
  REQUIRE(training->metrics.value);
  const auto& metrics = *training->metrics.value;
  CHECK(metrics.epochs == 4);
  CHECK(metrics.last_epoch() == 4);
  CHECK(metrics.figures.at("loss").at(2) == 3.0);
  CHECK(std::isnan(metrics.figures.at("loss").at(3)));
  CHECK(metrics.figures.at("loss/triplet(g1)").size() == 4);
  CHECK(metrics.evaluations.at("").at("mAP").at(4) == 0.5);
  CHECK(metrics.unreadable_lines == 0);

  const auto* ranking = run.stages[2].holds<RankingFiles>();
  REQUIRE(ranking != nullptr);
  CHECK(ranking->scores.value->find("mAP")->value == 0.5);
  CHECK(ranking->scores.value->cameras_known);
  CHECK_FALSE(ranking->plain_scores.there());
  CHECK(ranking->queries.value->queries.at(0).path == nasty);
  CHECK(ranking->queries.value->columns.at(0).label == "AP");
  CHECK(ranking->queries.value->columns.at(0).values.at(0) == 0.25);
  REQUIRE(ranking->curves.size() == 1);
  CHECK(ranking->curves[0].value->columns.at(1).values == std::vector<double>{0, 0.01, 1});
  REQUIRE(ranking->parts.value);
  CHECK(ranking->parts.value->figures.at(0).label == "mAP");
  CHECK(ranking->parts.value->camera_pairs.size() == 2);
  CHECK(ranking->parts.value->domains.at(0).query == "<day>");
  CHECK(run.images.at(nasty).identity == 1);
  CHECK(run.images.at("g/3.png").camera == 1);
}

TEST_CASE("warnings of log and metrics are told once, with the lines that belong to them") {
  const TemporaryFolder folder;
  write_run(folder);
  CHECK(read_run(folder / "run").warnings == Names{"<slow> images", "the disk\n  is nearly full"});
}

TEST_CASE("a pipeline's stages stand in the order of its recipe, with inputs and costs") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  const auto run = read_run(folder / "pipe");
  CHECK(names_of(run) == Names{"base", "z_features", "found", "partition", "labels", "submission", "final"});
  REQUIRE(run.stages[0].cost);
  CHECK(run.stages[0].cost->seconds == 60);
  CHECK(run.stages[0].cost->images == 1200);
  CHECK(run.stages[0].cost->peak_memory_mib == 512);
  CHECK(run.stages[2].inputs == Names{"z_features"});
  CHECK(run.stages[5].inputs == Names{"found"});
  CHECK(run.stages[2].holds<RankingFiles>()->plain_scores.value->find("mAP")->value == 0.4);
  CHECK(run.stages[3].holds<PartitionFiles>()->domains.value->domains().at(0).name == "<violet>");
  const auto* labels = run.stages[4].holds<LabelFiles>();
  REQUIRE(labels != nullptr);
  CHECK(labels->figures.value->truth->precision == 0.9531);
  CHECK(labels->figures.value->left_out.at(0).images == 1);
  CHECK(labels->labels.value->sizes().size() == 2);
  const auto& files = run.stages[5].holds<OtherFiles>()->files;
  REQUIRE(files.size() == 1);
  CHECK(files[0].first == "submission.json");

  CHECK(run.stages[5].finished);
  CHECK_FALSE(run.stages[6].finished);
  CHECK(run.stages[6].cost->seconds == 30);  // so far
  CHECK(run.stages[6].inputs == Names{"labels"});
  CHECK(run.stages[6].holds<TrainingFiles>()->metrics.value->last_epoch() == 1);
}

TEST_CASE("costs.json knows of a stage whose record is lost or damaged") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  SUBCASE("lost") {
    std::filesystem::remove(folder / "pipe/labels/stage.json");
    CHECK(read_run(folder / "pipe").stages[4].trouble.empty());
  }
  SUBCASE("damaged") {
    folder.write("pipe/labels/stage.json", "{");
    CHECK(contains(read_run(folder / "pipe").stages[4].trouble, "stage.json:1"));
  }
  const auto run = read_run(folder / "pipe");
  CHECK_FALSE(run.stages[4].finished);
  REQUIRE(run.stages[4].cost);
  CHECK(run.stages[4].cost->seconds == 5);
}

TEST_CASE("stages that the recipe does not tell of are found by what they left behind") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  folder.write("pipe/pipeline.toml", "half = [");
  const auto run = read_run(folder / "pipe");
  // That under way has not ended: it comes first.
  CHECK(names_of(run) == Names{"final", "base", "found", "labels", "partition", "submission", "z_features"});
  CHECK(run.stages[1].holds<TrainingFiles>() != nullptr);
}

TEST_CASE("the name of a stage leads nowhere but into its run") {
  const TemporaryFolder folder;
  folder.write("other/stage.json", "{}");
  folder.write(
      "pipe/pipeline.toml",
      "[[stage]]\nname = \"../other\"\ntype = \"train\"\n[[stage]]\nname = \"..\"\ntype = \"train\"\n");
  CHECK(read_run(folder / "pipe").stages.empty());
}

TEST_CASE("each file of a run may be missing") {
  const std::vector<std::string> files = {"model/recipe.toml",
                                          "model/environment.json",
                                          "model/metrics.jsonl",
                                          "model/stage.json",
                                          "log.txt",
                                          "model/model.safetensors",
                                          "features/query.csv",
                                          "features/gallery.csv",
                                          "ranking/matches.csv",
                                          "ranking/evaluation.json",
                                          "ranking/per_query.csv",
                                          "ranking/by_camera.csv",
                                          "ranking/roc.csv"};
  for (const auto& file : files) {
    CAPTURE(file);
    const TemporaryFolder folder;
    write_run(folder);
    std::filesystem::remove(folder / ("run/" + file));
    const auto run = read_run(folder / "run");
    CHECK(run.stages.size() == 3);
    CHECK(run.image_troubles.empty());
  }
}

TEST_CASE("each damaged file is told of, and what is whole is read") {
  for (const std::string damage : {"", "{\"a\": ", "\"open quote,1\n", "\x01\x02\xff"}) {
    CAPTURE(damage);
    const TemporaryFolder folder;
    write_run(folder);
    for (const auto* file : {"model/environment.json", "ranking/per_query.csv", "ranking/roc.csv",
                             "ranking/by_domain.csv", "features/query.csv"}) {
      folder.write(std::string("run/") + file, damage);
    }
    const auto run = read_run(folder / "run");
    const auto* training = run.stages[0].holds<TrainingFiles>();
    CHECK(contains(training->environment.trouble, "environment.json"));
    CHECK_FALSE(training->environment.value);
    CHECK(training->metrics.value);
    const auto* ranking = run.stages[2].holds<RankingFiles>();
    CHECK(ranking->scores.value);
    CHECK(contains(ranking->queries.trouble, "per_query.csv"));
    REQUIRE(ranking->curves.size() == 1);
    CHECK(contains(ranking->curves[0].trouble, "roc.csv"));
    CHECK(contains(ranking->parts.trouble, "by_domain.csv"));
    REQUIRE(run.image_troubles.size() == 1);
    CHECK(contains(run.image_troubles[0], "query.csv"));
    CHECK(run.images.count("g/1.png") == 1);
  }
}

TEST_CASE("a folder in the place of a file is a trouble, too") {
  const TemporaryFolder folder;
  write_run(folder);
  for (const std::string file : {"model/environment.json", "model/metrics.jsonl", "pipeline.toml"}) {
    std::filesystem::remove(folder / ("run/" + file));
    std::filesystem::create_directory(folder / ("run/" + file));
  }
  const auto run = read_run(folder / "run");
  CHECK(contains(run.recipe.trouble, "is not a file"));
  // Without a recipe the stages stand in the order in which they ended, and then of their names.
  CHECK(names_of(run) == Names{"features", "model", "ranking"});
  CHECK(contains(run.stages[1].holds<TrainingFiles>()->metrics.trouble, "is not a file"));
}

TEST_CASE("a stage whose folder may not be looked into is told of, and not left out") {
  const TemporaryFolder folder;
  write_run(folder);
  // Nothing but the folder says that there is such a stage.
  std::filesystem::remove(folder / "run/pipeline.toml");
  std::filesystem::permissions(folder.path(), static_cast<std::filesystem::perms>(0755));
  std::filesystem::permissions(folder / "run/features", std::filesystem::perms::none);
  const auto run = [&] {
    const OrdinaryUser user;
    return read_run(folder / "run");
  }();
  std::filesystem::permissions(folder / "run/features", std::filesystem::perms::owner_all);
  CHECK(names_of(run) == Names{"features", "model", "ranking"});
  CHECK(contains(run.stages[0].trouble, "features/stage.json: error: cannot be read: Permission denied"));
}

TEST_CASE("lines of metrics that are cut off or foreign are counted, the others read") {
  const TemporaryFolder folder;
  write_record(folder, "run/model", "train", {}, {}, /*finished=*/false);
  folder.write("run/model/metrics.jsonl", lines({epoch_event(1, 4)}) + "[1]\n" + lines({epoch_event(2, 3)}) +
                                              R"({"event":"finished","sta)");
  const auto run = read_run(folder / "run");
  const auto& metrics = *run.stages.at(0).holds<TrainingFiles>()->metrics.value;
  CHECK(metrics.unreadable_lines == 2);
  CHECK(metrics.figures.at("loss").size() == 2);
  CHECK_FALSE(run.stages[0].finished);
}

TEST_CASE("scores that are damaged, or of another version, are told of, and what lies beside them is read") {
  for (const std::string damage : {"", "{\"a\": ", "{}", "{\"mAP\":0.5,\"rank1\":0.5}"}) {
    CAPTURE(damage);
    const TemporaryFolder folder;
    write_run(folder);
    folder.write("run/ranking/evaluation.json", damage);
    const auto run = read_run(folder / "run");
    const auto& ranking = *run.stages[2].holds<RankingFiles>();
    CHECK(contains(ranking.scores.trouble, "evaluation.json"));
    CHECK(ranking.curves.empty());
    CHECK(ranking.queries.value->columns.at(0).label == "ap");
  }
}

TEST_CASE("rankings are read for the queries that are asked for") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto matches = folder / "run/ranking/matches.csv";
  const auto rankings = read_matches(matches, {"query/2.png", "nobody"});
  REQUIRE(rankings.value);
  REQUIRE(rankings.value->size() == 2);
  CHECK(rankings.value->at(0).found.size() == 4);
  CHECK(rankings.value->at(0).identity == 2);
  CHECK(rankings.value->at(0).found[1].path == "g/2.png");
  CHECK(rankings.value->at(0).found[1].similarity == 0.8F);
  CHECK(rankings.value->at(1).found.empty());
  CHECK(*read_ranked_queries(matches).value == Names{nasty, "query/2.png"});

  SUBCASE("before a damage") {
    folder.write("run/ranking/matches.csv",
                 "query_path,rank,gallery_path,similarity\nq,1,a,0.5\nq,2,b,0.25\nq,3,c\n");
    const auto damaged = read_matches(matches, {"q"});
    CHECK(contains(damaged.trouble, "matches.csv:4"));
    CHECK(damaged.value->at(0).found.size() == 2);
  }
  SUBCASE("of no file") {
    const auto none = read_matches(folder / "nothing.csv", {"q"});
    CHECK_FALSE(none.there());
  }
}

TEST_CASE("troubles name files within the run, wherever it lies and whatever path leads to it") {
  const TemporaryFolder folder;
  write_run(folder);
  folder.write("run/ranking/evaluation.json", "{");
  folder.write("run/features/query.csv", "path\n\"open");
  std::filesystem::create_directory_symlink(folder / "run", folder / "link");
  for (const auto& path : {folder / "run", folder / "link", folder.path() / "." / "run" / ""}) {
    CAPTURE(path);
    const auto run = read_run(path);
    CHECK(
        run.stages[2].holds<RankingFiles>()->scores.trouble.starts_with("ranking/evaluation.json: error: "));
    REQUIRE(run.image_troubles.size() == 1);
    CHECK(run.image_troubles[0].starts_with("features/query.csv:"));
  }
}

TEST_CASE("a folder that is no run is refused with what a run holds") {
  const TemporaryFolder folder;
  folder.write("photos/a.jpg", "x");
  CHECK(contains(error_of([&] { static_cast<void>(read_run(folder / "photos")); }),
                 "is not the folder of a run"));
  CHECK(contains(error_of([&] { static_cast<void>(read_run(folder / "photos")); }), "pipeline.toml"));
  CHECK(contains(error_of([&] { static_cast<void>(read_run(folder / "nothing")); }), "does not exist"));
  folder.write("study/study.csv", "row\n");
  CHECK(contains(error_of([&] { static_cast<void>(read_run(folder / "study")); }),
                 "is the folder of several runs; give one of them: study.csv lists their folders"));
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(
      contains(error_of([&] { static_cast<void>(read_run(folder / "loop")); }), "cannot be read: Too many"));
  CHECK(contains(error_of([&] { static_cast<void>(read_run(folder / "photos/a.jpg")); }), "is a file"));
}

}  // namespace
}  // namespace kindred::test
