// What the stages of a pipeline leave behind stands in its report.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "file/sample_list.h"
#include "markup_check.h"
#include "program.h"
#include "progress/progress.h"
#include "results/costs_file.h"
#include "results/domains_file.h"
#include "results/evaluation_file.h"
#include "results/labels_file.h"
#include "results/scores_file.h"
#include "temporary_folder.h"
#include "test_paths.h"
#include "text/number_text.h"

namespace kindred::test {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string time_text(double seconds) {
  return seconds < 9.95 ? text::fixed_text(seconds, 1) + " s" : progress::duration_text(seconds);
}

}  // namespace

TEST_CASE("a pipeline's report shows domains, the quality of labels, scores and costs as its files say") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto recipe = std::string(source_directory) + "/tests/e2e/tiny_pipeline.toml";
  const auto ran = kindred({"run", recipe, "--run-dir", run.string()}, folder.path());
  REQUIRE_MESSAGE(ran.exit_code == 0, ran.err);
  const auto reported = kindred({"report", run.string()}, folder.path());
  REQUIRE_MESSAGE(reported.exit_code == 0, reported.err);
  CHECK(reported.err.empty());
  const auto page = read_bytes(run / "report.html");
  CHECK_FALSE(holds(page, "Not shown: "));
  CHECK_FALSE(holds(page, "Not finished: "));

  const auto domains = results::DomainsFile::read(run / "domains/domains.csv");
  REQUIRE(domains.domains().size() == 2);
  for (const auto& domain : domains.domains()) {
    CHECK(has_row(section(page, "domains"), domain.name, std::to_string(domain.images)));
    CHECK(holds(section(page, "domains"), text::percent_text(static_cast<double>(domain.images) /
                                                             static_cast<double>(domains.images.size()))));
  }

  const auto labels = section(page, "labels");
  const auto figures = results::LabelFiguresFile::read(run / "labels/labels.json");
  REQUIRE(figures.truth);
  const auto& truth = *figures.truth;
  REQUIRE(truth.precision.value() > 0);
  CHECK(has_row(labels, "pseudo identities", std::to_string(figures.identities)));
  CHECK(has_row(labels, "images with an identity", std::to_string(figures.images)));
  CHECK(has_row(labels, "pairs: precision", text::fixed_text(truth.precision.value(), 3)));
  CHECK(has_row(labels, "pairs: recall", text::fixed_text(truth.recall.value(), 3)));
  CHECK(has_row(labels, "pairs: F1", text::fixed_text(truth.f1.value(), 3)));
  CHECK(has_row(labels, "purity", text::fixed_text(truth.purity.value(), 3)));
  CHECK(holds(labels, "Images per identity"));
  CHECK(holds(labels, "<img src=\"data:image/jpeg;base64,"));

  const auto scores = results::ScoresFile::read(run / "scores.json").rankings;
  REQUIRE(scores.size() == 3);
  const auto mean_ap = [&](std::size_t i) {
    return text::fixed_text(100 * scores[i].scores.find("mAP")->value, 2);
  };
  CHECK(scores[0].stage == "base_ranking");
  CHECK(has_row(section(page, "scores"), "base_ranking", mean_ap(0)));
  CHECK(has_row(section(page, "scores"), "ranking, descriptors only", mean_ap(1)));
  CHECK(has_row(section(page, "scores"), "ranking, after post-processing", mean_ap(2)));

  const auto costs = results::CostsFile::read(run / "costs.json");
  REQUIRE(costs.stages.size() == 9);
  for (const auto& stage : costs.stages) {
    CAPTURE(stage.name);
    CHECK(stage.cost.seconds > 0);
    CHECK(has_row(section(page, "cost"), stage.name, time_text(stage.cost.seconds)));
  }
  CHECK(has_row(section(page, "cost"), "total", time_text(costs.total().seconds)));

  // Three cameras and two domains.
  const auto parts = section(page, "parts");
  CHECK(holds(parts, "Rank-1 by cameras, in %"));
  CHECK(holds(parts, "Queries of each domain in the whole gallery"));
  CHECK(std::filesystem::exists(run / "ranking/by_camera.csv"));
  CHECK(std::filesystem::exists(run / "ranking/cmc.csv"));
  CHECK(markup_error(read_bytes(run / "ranking/cmc.svg")) == "");
  CHECK(holds(section(page, "rankings"), "CMC curve"));

  // The same page by another path, and with maps below its images.
  const auto again = kindred({"report", (folder / "run/../run/").string()}, folder.path());
  REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  CHECK(read_bytes(run / "report.html") == page);
  const auto mapped =
      kindred({"report", run.string(), "--maps", "--out", (folder / "maps.html").string()}, folder.path());
  REQUIRE_MESSAGE(mapped.exit_code == 0, mapped.err);
  const auto with_maps = read_bytes(folder / "maps.html");
  CHECK(markup_error(with_maps) == "");
  CHECK(2 * count_of(with_maps, "class=\"map\"") == count_of(section(with_maps, "rankings"), "<img "));
  CHECK(holds(with_maps, "Grad-CAM"));
}

TEST_CASE("two runs are compared in one page, and a run is not compared with itself") {
  const TemporaryFolder folder;
  const auto recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";
  const auto a = (folder / "a").string();
  const auto b = (folder / "b").string();
  for (const auto& name : {a, b}) {
    const auto ran =
        kindred({"run", recipe, "--run-dir", name, "--set", name == a ? "seed=1" : "seed=2"}, folder.path());
    REQUIRE_MESSAGE(ran.exit_code == 0, ran.err);
  }
  const auto compared = kindred({"report", a, b}, folder.path());
  REQUIRE_MESSAGE(compared.exit_code == 0, compared.err);
  const auto page = read_bytes(folder / "b/compared_with_a.html");
  CHECK(markup_error(page) == "");
  CHECK(has_row(section(page, "recipe"), "stage.model.recipe.seed", "1"));
  const auto map_of = [&](const std::string& run) {
    return results::read_evaluation(folder / (run + "/ranking/evaluation.json")).find("mAP")->value;
  };
  CHECK(has_row(section(page, "scores"), "mAP", text::fixed_text(100 * map_of("a"), 2)));
  CHECK(holds(section(page, "scores"), text::fixed_text(100 * std::abs(map_of("b") - map_of("a")), 2)));
  const auto same = kindred({"report", a, (folder / "b/../a").string()}, folder.path());
  CHECK(holds(same.err, "is the same run as"));
  const auto mapped = kindred({"report", a, b, "--maps"}, folder.path());
  CHECK(mapped.exit_code == 2);
  CHECK(holds(mapped.err, "--maps: error: draws the maps of one run"));
}

TEST_CASE("a model's features come with pictures of where it looks") {
  const TemporaryFolder folder;
  const auto recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";
  const auto run = (folder / "run").string();
  const auto trained = kindred({"train", recipe, "--run-dir", run}, folder.path());
  REQUIRE_MESSAGE(trained.exit_code == 0, trained.err);
  const auto embedded = kindred({"embed", "--weights", run + "/model/model.safetensors", "--out",
                                 (folder / "features").string(), "--maps", (folder / "maps").string()},
                                folder.path());
  REQUIRE_MESSAGE(embedded.exit_code == 0, embedded.err);
  CHECK(holds(embedded.out, "maps  activation maps"));
  const auto images = file::read_sample_list(folder / "features/query.csv");
  REQUIRE_FALSE(images.empty());
  for (const auto& image : images) CHECK(std::filesystem::exists(folder / ("maps/" + image.path + ".jpg")));
}

}  // namespace kindred::test
