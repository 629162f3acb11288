// What the stages of a pipeline leave behind stands in its report.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "program.h"
#include "progress/progress.h"
#include "results/costs_file.h"
#include "results/domains_file.h"
#include "results/labels_file.h"
#include "results/scores_file.h"
#include "temporary_folder.h"
#include "test_paths.h"
#include "text/number_text.h"

namespace kindred::test {
namespace {

/// The text of a section of the page.
std::string section(const std::string& page, const std::string& id) {
  const auto from = page.find("<section id=\"" + id + "\"");
  return from == std::string::npos ? "" : page.substr(from, page.find("</section>", from) - from);
}

/// The beginning of a table's row: its name and first figure.
std::string row(const std::string& name, const std::string& figure) {
  return "<th scope=\"row\" class=\"words\">" + name + "</th><td class=\"figures\">" + figure + "</td>";
}

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
    CHECK(holds(section(page, "domains"), row(domain.name, std::to_string(domain.images))));
    CHECK(holds(section(page, "domains"), text::percent_text(static_cast<double>(domain.images) /
                                                             static_cast<double>(domains.images.size()))));
  }

  const auto labels = section(page, "labels");
  const auto figures = results::LabelFiguresFile::read(run / "labels/labels.json");
  REQUIRE(figures.truth);
  const auto& truth = *figures.truth;
  REQUIRE(truth.precision.value() > 0);
  CHECK(holds(labels, row("pseudo identities", std::to_string(figures.identities))));
  CHECK(holds(labels, row("images with an identity", std::to_string(figures.images))));
  CHECK(holds(labels, row("pairs: precision", text::fixed_text(truth.precision.value(), 3))));
  CHECK(holds(labels, row("pairs: recall", text::fixed_text(truth.recall.value(), 3))));
  CHECK(holds(labels, row("pairs: F1", text::fixed_text(truth.f1.value(), 3))));
  CHECK(holds(labels, row("purity", text::fixed_text(truth.purity.value(), 3))));
  CHECK(holds(labels, "Images per identity"));
  CHECK(holds(labels, "<img src=\"data:image/jpeg;base64,"));

  const auto scores = results::ScoresFile::read(run / "scores.json").rankings;
  REQUIRE(scores.size() == 3);
  const auto mean_ap = [&](std::size_t i) {
    return text::fixed_text(100 * scores[i].scores.find("mAP")->value, 2);
  };
  CHECK(scores[0].stage == "base_ranking");
  CHECK(holds(section(page, "scores"), row("base_ranking", mean_ap(0))));
  CHECK(holds(section(page, "scores"), row("ranking, descriptors only", mean_ap(1))));
  CHECK(holds(section(page, "scores"), row("ranking, after post-processing", mean_ap(2))));

  const auto costs = results::CostsFile::read(run / "costs.json");
  REQUIRE(costs.stages.size() == 9);
  for (const auto& stage : costs.stages) {
    CAPTURE(stage.name);
    CHECK(stage.cost.seconds > 0);
    CHECK(holds(section(page, "cost"), row(stage.name, time_text(stage.cost.seconds))));
  }
  CHECK(holds(section(page, "cost"), row("total", time_text(costs.total().seconds))));
}

}  // namespace kindred::test
