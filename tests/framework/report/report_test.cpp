#include "report/report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "made_run.h"
#include "markup_check.h"
#include "report/pictures.h"
#include "report/score_blocks.h"

namespace kindred::test {
using namespace kindred::report;  // NOLINT
namespace {

struct Written {
  ReportOutcome outcome;
  std::string page;
};

Written report_of(const TemporaryFolder& folder, const std::string& name, const ReportOptions& options = {}) {
  const auto catalog = nasty_catalog();
  Written written;
  written.outcome = write_report(folder / name, options, catalog);
  written.page = read_bytes(written.outcome.file);
  return written;
}

/// Well-formed, alone, and without anything that runs.
void check_page(const std::string& page) {
  CHECK(markup_error(page) == "");
  CHECK(page.find("://") == std::string::npos);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("<link") == std::string::npos);
  CHECK(page.find("url(") == std::string::npos);
  CHECK(count_of(page, "src=\"") == count_of(page, "src=\"data:image/jpeg;base64,"));
  CHECK(count_of(page, "<img ") == count_of(page, "alt=\""));
}

TEST_CASE("bytes are written as base64 with padding") {
  // RFC 4648, section 10.
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("a report of a whole run is one page that needs nothing else") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto [outcome, page] = report_of(folder, "run");
  CHECK(outcome.file == folder / "run/report.html");
  CHECK(outcome.bytes == page.size());
  CHECK(outcome.rankings == 2);
  CHECK(outcome.images == 5);  // two queries, three of the gallery; one cannot be read
  check_page(page);
  CHECK(contains(page, "<h1>a &lt;run&gt;</h1>"));
  CHECK(contains(page, "cpu: &lt;fast&gt; &amp; new"));
  CHECK(contains(page, "2026-11-24 15:00 UTC"));
  CHECK(contains(page, "<dt>Seed</dt><dd>7</dd>"));
  CHECK(contains(section(page, "scores"), "62.50\u00a0%"));
  CHECK(contains(section(page, "scores"), "2 of 2 queries in 4 gallery images"));
  CHECK(has_row(section(page, "cost"), "model", "4:00"));
  CHECK(contains(section(page, "cost"), ">1.5<"));  // images/s: six in four seconds
  CHECK(count_of(section(page, "training"), "<svg") >= 4);
  CHECK(contains(section(page, "training"), "mAP 50.00\u00a0%"));
  CHECK(contains(section(page, "warnings"), "&lt;slow&gt; images"));
  CHECK(contains(section(page, "recipe"), "name = &quot;a &lt;run&gt;&quot;"));
  CHECK(section(page, "labels").empty());
}

TEST_CASE("rankings are marked by class and sign, and leave out what evaluation does") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto page = report_of(folder, "run").page;
  const auto rankings = section(page, "rankings");
  // Of query 1, g/3 is its own camera's: g/2 wrong, g/1 right, unreadable wrong. Of query 2: g/3 wrong, g/2
  // right, g/1 wrong, unreadable right.
  CHECK(count_of(rankings, "<li class=\"right\"") == 3);
  CHECK(count_of(rankings, "<li class=\"wrong\"") == 4);
  CHECK(count_of(rankings, "aria-hidden=\"true\">\u2713") == 3);
  CHECK(count_of(rankings, "aria-hidden=\"true\">\u2717") == 4);
  CHECK(contains(rankings, "1 image ignored"));
  CHECK(contains(rankings, "alt=\"query query/&lt;b&gt;&amp;&quot;1&#39;.png\""));
  CHECK(
      contains(rankings, "AP 25.00\u00a0% · first correct image at rank 2 · 1 correct image in the gallery"));
  CHECK(contains(rankings, "alt=\"rank 1: g/2.png, identity 2, camera 2, wrong\""));
  CHECK(rankings.find("query/&lt;b&gt;") < rankings.find("query/2.png"));  // the worst first
  CHECK(contains(rankings, "<span class=\"missing\""));
}

TEST_CASE("an image that is missing is told of once, and never an error") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto [outcome, page] = report_of(folder, "run");
  REQUIRE(outcome.notes.size() == 1);
  CHECK(contains(outcome.notes[0], "1 of 6 images cannot be shown: g/unreadable.png"));
  CHECK(count_of(page, "1 of 6 images") == 1);

  SUBCASE("nor is a data set that is gone") {
    folder.write("run/pipeline.toml", "[dataset]\ntype = \"nasty\"\nroot = \"elsewhere\"\n");
    const auto moved = report_of(folder, "run");
    check_page(moved.page);
    CHECK(moved.outcome.images == 0);
    CHECK(contains(moved.outcome.notes.at(0), "6 of 6 images cannot be shown: elsewhere"));
    CHECK(contains(moved.outcome.notes.at(0), "--data"));
    ReportOptions options;
    options.data = {"here"};
    CHECK(report_of(folder, "run", options).outcome.images == 5);
  }
  SUBCASE("nor is a recipe without one, or with a component that is not there") {
    for (const auto* recipe : {"seed = 1\n", "[dataset]\ntype = \"unknown\"\n", "[["}) {
      folder.write("run/pipeline.toml", recipe);
      const auto without = report_of(folder, "run");
      check_page(without.page);
      CHECK(without.outcome.images == 0);
    }
  }
}

TEST_CASE("a place for the data that is wrong is an error, and the old page stays") {
  const TemporaryFolder folder;
  write_run(folder);
  folder.write("run/report.html", "old");
  ReportOptions options;
  options.data = {"nowhere"};
  const auto catalog = nasty_catalog();
  CHECK(contains(error_of([&] { static_cast<void>(write_report(folder / "run", options, catalog)); }),
                 "nowhere"));
  CHECK(read_bytes(folder / "run/report.html") == "old");
}

TEST_CASE("a pipeline's page compares its scores and shows labels and domains") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  const auto [outcome, page] = report_of(folder, "pipe");
  check_page(page);
  CHECK(outcome.rankings == 2);
  CHECK(contains(page, "<strong>Not finished: </strong>final."));
  const auto scores = section(page, "scores");
  CHECK(contains(scores, "found, descriptors only"));
  CHECK(contains(scores, "found, after post-processing"));
  CHECK(contains(scores, "change: by post-processing"));
  CHECK(contains(scores, "+10.00"));  // mAP from 40 to 50
  CHECK(contains(scores, "+25.00"));  // Rank-1 from 50 to 75
  CHECK_FALSE(contains(scores, "class=\"loss\""));
  const auto cost = section(page, "cost");
  CHECK(contains(cost, ">1:00<"));
  CHECK(contains(cost, ">1200<"));
  CHECK(contains(cost, ">20<"));  // images a second
  CHECK(contains(cost, ">512<"));
  CHECK(contains(cost, "60.00\u00a0%"));  // 60 of 100 seconds
  CHECK(contains(cost, ">1:40<"));
  CHECK(contains(cost, "partition, z_features"));
  CHECK(count_of(section(page, "training"), "<h3>") == 2);
  const auto labels = section(page, "labels");
  CHECK(has_row(labels, "pseudo identities", "2"));
  CHECK(has_row(labels, "images with an identity", "3"));
  CHECK(has_row(labels, "not labeled: in no &lt;cluster&gt;", "1"));
  CHECK(has_row(labels, "images per identity", "1 to 2, 1.5 on average"));
  CHECK(has_row(labels, "pairs: precision", "0.953"));
  CHECK(has_row(labels, "pairs: recall", "0.250"));
  CHECK(has_row(labels, "pairs: F1", "0.396"));
  CHECK(has_row(labels, "purity", "-"));
  CHECK(contains(labels, "<img src=\"data:image/jpeg;base64,"));
  CHECK(has_row(section(page, "domains"), "green", "3"));
  CHECK(has_row(section(page, "domains"), "&lt;violet&gt;", "1"));
  CHECK(contains(section(page, "domains"), "25.00\u00a0%"));
  CHECK(contains(section(page, "files"), "submission.json"));
}

TEST_CASE("while a stage has not begun the total is at least what the others took") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  folder.write("pipe/pipeline.toml",
               read_bytes(folder / "pipe/pipeline.toml") + "[[stage]]\nname = \"later\"\ntype = \"embed\"\n");
  const auto cost = section(report_of(folder, "pipe").page, "cost");
  CHECK(contains(cost, "at least 1:40"));
  CHECK_FALSE(contains(cost, "60.00\u00a0%"));
}

TEST_CASE("scores that were made in different ways are not subtracted") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  auto single = scores_of_run(0.4, 0.5);
  single.cameras_known = false;
  results::write_evaluation_json(folder / "pipe/found/evaluation_plain.json", single);
  const auto scores = section(report_of(folder, "pipe").page, "scores");
  CHECK(contains(scores, "are not comparable"));
  CHECK_FALSE(contains(scores, "+10.00"));
}

TEST_CASE("rankings of other images are no step, and what is of which test set is said") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  folder.write("pipe/pipeline.toml", read_bytes(folder / "pipe/pipeline.toml") +
                                         "[[stage]]\nname = \"elsewhere\"\ntype = \"rank\"\n");
  write_record(folder, "pipe/elsewhere", "rank", {}, {});
  auto others = scores_of_run(0.45, 0.75);
  others.images_sha256 = "of others";
  results::write_evaluation(folder / "pipe/elsewhere", others);
  const auto page = report_of(folder, "pipe").page;
  CHECK(contains(section(page, "parts"), "Of stage elsewhere."));
  const auto scores = section(page, "scores");
  CHECK(contains(scores, "change: by post-processing"));
  CHECK_FALSE(contains(scores, "to elsewhere"));
  CHECK(count_of(scores, "class=\"tiles\"") == 2);
  CHECK(contains(scores, "are not comparable"));
}

TEST_CASE("results that were made of earlier ones than there are now are said to be outdated") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto made_of = [&](const std::string& model) {
    auto trained = results::StageRecord::read(folder / "run/model/stage.json");
    trained.results = {{"model.safetensors", "new"}};
    trained.write(folder / "run/model/stage.json");
    auto features = results::StageRecord::read(folder / "run/features/stage.json");
    features.key.inputs = {{"model/model.safetensors", model}};
    features.write(folder / "run/features/stage.json");
  };
  made_of("new");
  CHECK_FALSE(contains(report_of(folder, "run").page, "Outdated"));
  made_of("old");
  CHECK(
      contains(report_of(folder, "run").page,
               "<strong>Outdated: </strong>features, ranking, made of earlier results than there are now."));
}

TEST_CASE("scores that are not of the rankings shown are said to be of others") {
  const TemporaryFolder folder;
  write_run(folder);
  CHECK_FALSE(contains(report_of(folder, "run").page, "The scores are "));
  auto scores = scores_of_run();
  scores.multi_query = true;
  results::write_evaluation(folder / "run/ranking", scores);
  CHECK(contains(section(report_of(folder, "run").page, "rankings"), "The scores are of merged queries"));
  scores.multi_query = false;
  scores.single_gallery_shot = 10;
  results::write_evaluation(folder / "run/ranking", scores);
  CHECK(contains(section(report_of(folder, "run").page, "rankings"),
                 "The scores are means over galleries with one image of each identity"));
}

TEST_CASE("what post-processing makes worse is marked and said, whatever it makes better") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  results::write_evaluation_json(folder / "pipe/found/evaluation_plain.json", scores_of_run(0.4, 0.8));
  const auto scores = section(report_of(folder, "pipe").page, "scores");
  CHECK(contains(scores, "+10.00"));                                         // mAP from 40 to 50
  CHECK(contains(scores, "<span class=\"loss\">\u25bc \u22125.00</span>"));  // Rank-1 from 80 to 75
  CHECK(count_of(scores, "class=\"loss\"") == 1);
  CHECK(contains(scores, "Steps that made figures worse:"));
  CHECK(contains(scores,
                 "<strong>found, after post-processing</strong>, by post-processing: Rank-1 by 5.00 "
                 "points</li>"));
}

TEST_CASE("a loss of which no digit is shown is none") {
  // What mAP loses Rank-1 gains, so their mean, which is a figure too, stays.
  CHECK(losses_text(scores_of_run(0.5002, 0.75), scores_of_run(0.5001, 0.7501)) == "mAP by 0.01 points");
  // 50.01 and 50.00
  CHECK(losses_text(scores_of_run(0.500051, 0.75), scores_of_run(0.500049, 0.750002)) == "");
}

TEST_CASE("each ranking is compared with the one before it, descriptors with descriptors") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  folder.write("pipe/pipeline.toml",
               read_bytes(folder / "pipe/pipeline.toml") + "[[stage]]\nname = \"again\"\ntype = \"rank\"\n");
  write_matches(folder, "pipe/again/");
  results::write_evaluation(folder / "pipe/again", scores_of_run(0.45, 0.9));
  results::write_evaluation_json(folder / "pipe/again/evaluation_plain.json", scores_of_run(0.6, 0.7));
  write_record(folder, "pipe/again", "rank", {}, {});
  const auto scores = section(report_of(folder, "pipe").page, "scores");
  CHECK(contains(scores, "change: from found to again"));
  CHECK(contains(scores, "+20.00"));              // mAP by descriptors, from 40 to 60
  CHECK(contains(scores, "\u25bc \u221215.00"));  // by post-processing, from 60 to 45
  CHECK(count_of(scores, "change: by post-processing") == 2);
}

TEST_CASE("scores by pair of cameras and by domain are tables, with the number of queries") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto page = report_of(folder, "run").page;
  check_page(page);
  const auto parts = section(page, "parts");
  CHECK(contains(parts, "mAP by cameras, in %"));
  CHECK(contains(parts, "Rank-1 by cameras, in %"));
  CHECK(contains(parts, "data-label=\"gallery 3\""));
  CHECK(contains(parts, "title=\"1 query\" style=\"--share:12%\">12.50</span>"));
  CHECK(contains(parts, "&lt;day&gt;"));
  CHECK(contains(parts, ">75.00</span>"));
}

TEST_CASE("of many cameras the worst pairs are listed") {
  const TemporaryFolder folder;
  write_run(folder);
  auto scores = scores_of_run();
  scores.parts.camera_pairs.clear();
  for (int camera = 0; camera < 40; ++camera) {
    scores.parts.camera_pairs.push_back(
        {std::to_string(camera), std::to_string(camera + 1), 30, {1 - 0.01 * camera, 0.5}});
  }
  results::write_evaluation(folder / "run/ranking", scores);
  const auto parts = section(report_of(folder, "run").page, "parts");
  CHECK(contains(parts, "The 30 worst of 40 pairs of cameras, by mAP"));
  CHECK(contains(parts, ">61.00</span>"));
  CHECK_FALSE(contains(parts, ">95.00</span>"));
}

TEST_CASE("every image can be enlarged, and every cell says its column where tables become lists") {
  const TemporaryFolder folder;
  write_run(folder);
  const auto page = report_of(folder, "run").page;
  CHECK(count_of(page, "<details class=\"zoom\"><summary><img ") == count_of(page, "<img "));
  CHECK(contains(section(page, "cost"), "<td class=\"figures\" data-label=\"Peak memory, MiB\">"));
}

TEST_CASE("activation maps need the model of the ranked features") {
  const TemporaryFolder folder;
  write_run(folder);
  ReportOptions options;
  options.maps = true;
  const auto refusal = [&] {
    const auto catalog = nasty_catalog();
    return error_of([&] { static_cast<void>(write_report(folder / "run", options, catalog)); });
  };
  CHECK(contains(refusal(), "model.safetensors"));  // there, but no model
  std::filesystem::remove(folder / "run/model/model.safetensors");
  CHECK(contains(refusal(), "the model of the features is not there any more"));
  std::filesystem::remove(folder / "run/features/query.csv");
  std::filesystem::remove_all(folder / "run/ranking");
  CHECK(contains(refusal(), "has no rankings yet"));
}

TEST_CASE("a run without truth shows rankings without marks") {
  const TemporaryFolder folder;
  folder.write("run/pipeline.toml", "[dataset]\ntype = \"nasty\"\n");
  write_record(folder, "run/ranking", "rank", {}, {});
  write_matches(folder, "run/ranking", /*labeled=*/false);
  const auto [outcome, page] = report_of(folder, "run");
  check_page(page);
  CHECK(outcome.rankings == 2);
  CHECK(contains(section(page, "scores"), "No scores"));
  CHECK(count_of(page, "class=\"mark\"") == 0);
  CHECK(count_of(page, "class=\"key") == 0);
  CHECK(count_of(page, "<li class=\"unknown\"") == 8);
}

TEST_CASE("whatever metrics a run has, their figures, tables and curves are shown") {
  const TemporaryFolder folder;
  write_run(folder);
  auto scores = scores_of_run();
  scores.figures.push_back(
      made_figure("mean_rank", "Mean <rank>", 12.3456, Prominence::headline, FigureKind::number));
  scores.per_query.columns[0].label = "Care";
  results::write_evaluation(folder / "run/ranking", scores);
  const auto page = report_of(folder, "run").page;
  check_page(page);
  CHECK(contains(section(page, "scores"), "Mean &lt;rank&gt;"));
  CHECK(contains(section(page, "scores"), "12.35"));
  CHECK_FALSE(contains(section(page, "scores"), "AUC"));  // a detail
  const auto rankings = section(page, "rankings");
  CHECK(contains(rankings, "distance below"));
  CHECK(contains(rankings, "the &lt;curve&gt;."));
  CHECK(contains(rankings, "Worst queries, by Care"));
  CHECK(contains(rankings, "Care of the queries"));
}

TEST_CASE("figures and rows with too little behind them are marked, with the reason") {
  const TemporaryFolder folder;
  write_run(folder);
  auto scores = scores_of_run();
  CHECK_FALSE(contains(report_of(folder, "run").page, "Caution"));
  scores.figures[1].caution = "from <2> queries";
  scores.tables[0].cautions = {"from 16 negative pairs; 100000 are needed", ""};
  results::write_evaluation(folder / "run/ranking", scores);
  const auto page = report_of(folder, "run").page;
  check_page(page);
  CHECK(contains(section(page, "scores"), "75.00\u00a0% ?"));
  CHECK(contains(section(page, "scores"), "? Rank-1: from &lt;2&gt; queries."));
  CHECK(contains(section(page, "rankings"), "Caution"));
  CHECK(contains(section(page, "rankings"), "from 16 negative pairs; 100000 are needed"));
}

TEST_CASE("how many rankings are shown can be chosen") {
  const TemporaryFolder folder;
  write_run(folder);
  ReportOptions options;
  options.sheet = {1, 0, 0};
  options.out = folder / "out/page.html";
  const auto [outcome, page] = report_of(folder, "run", options);
  CHECK(outcome.file == folder / "out/page.html");
  CHECK(outcome.rankings == 1);
  CHECK(contains(section(page, "rankings"), "<b>") == false);
  CHECK_FALSE(contains(section(page, "rankings"), "Best queries"));
  CHECK_FALSE(std::filesystem::exists(folder / "run/report.html"));
}

TEST_CASE("a training that has just begun, and damaged files, still give a page") {
  const TemporaryFolder folder;
  SUBCASE("a recipe alone") {
    folder.write("run/pipeline.toml", "seed = 1\n");
  }
  SUBCASE("empty metrics") {
    write_record(folder, "run/model", "train", {}, {}, /*finished=*/false);
    folder.write("run/model/metrics.jsonl", "");
  }
  SUBCASE("times that are none") {
    for (const auto* time : {"", "Z", "9-1-1T1:1Z", "2026-11-24T14:22:42.039"}) {
      auto event = epoch_event(1, 4);
      event.time = time;
      folder.write("run/pipeline.toml", "seed = 1\n");
      write_record(folder, "run/model", "train", {}, {}, /*finished=*/false);
      folder.write("run/model/metrics.jsonl", lines({event}));
      const auto page = report_of(folder, "run").page;
      CHECK(contains(page, event.time));
      CHECK_FALSE(contains(page, " UTC"));
    }
  }
  SUBCASE("a pipeline that has not begun") {
    folder.write("run/pipeline.toml", "[[stage]]\ntype = \"train\"\n");
  }
  SUBCASE("an empty pipeline") {
    folder.write("run/pipeline.toml", "");
  }
  SUBCASE("all files damaged") {
    write_run(folder);
    for (const auto* file : {"model/recipe.toml", "model/environment.json", "model/metrics.jsonl",
                             "ranking/evaluation.json", "ranking/per_query.csv", "ranking/by_camera.csv",
                             "ranking/roc.csv", "ranking/matches.csv", "features/query.csv", "costs.json"}) {
      folder.write(std::string("run/") + file, "\xff<\"&");
    }
    const auto page = report_of(folder, "run").page;
    CHECK(count_of(page, "Not shown: ") >= 6);
  }
  SUBCASE("all files of a pipeline damaged") {
    write_pipeline(folder);
    std::filesystem::rename(folder / "pipe", folder / "run");
    for (const auto* file : {"base/stage.json", "partition/domains.csv", "labels/labels.json",
                             "labels/labels.csv", "labels/labels.png", "found/evaluation_plain.json"}) {
      folder.write(std::string("run/") + file, "\xff<\"&");
    }
    const auto page = report_of(folder, "run").page;
    CHECK(count_of(page, "Not shown: ") == 6);
  }
  check_page(report_of(folder, "run").page);
}

TEST_CASE("the same run gives the same page") {
  const TemporaryFolder folder;
  write_pipeline(folder);
  const auto first = report_of(folder, "pipe").page;
  CHECK(report_of(folder, "pipe").page == first);
}

TEST_CASE("the page is the same whatever path names the run, also when the run has moved") {
  const TemporaryFolder folder;
  write_run(folder);
  folder.write("run/ranking/per_query.csv", "path\n\"open");  // a trouble with a path in it
  const auto first = report_of(folder, "run").page;
  CHECK(contains(first, "ranking/per_query.csv"));
  CHECK_FALSE(contains(first, folder.path().string()));
  CHECK(report_of(folder, "run/").page == first);
  CHECK(report_of(folder, "run/../run/.").page == first);
  std::filesystem::create_directory_symlink(folder / "run", folder / "link");
  CHECK(report_of(folder, "link").page == first);
  std::filesystem::create_directory(folder / "moved");
  std::filesystem::rename(folder / "run", folder / "moved/run");
  CHECK(report_of(folder, "moved/run").page == first);
}

/// The picture that an address holds.
cv::Mat decoded(const std::string& address, const TemporaryFolder& folder) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char digit : address.substr(address.find(',') + 1)) {
    if (digit == '=') break;
    bits = bits << 6U | static_cast<unsigned>(digits.find(digit));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255U);
  }
  return read_image(folder.write("decoded.jpg", bytes));
}

TEST_CASE("large pictures become small ones of the same shape and colors, small ones stay") {
  const TemporaryFolder folder;
  const auto original = picture(1, 51, 120);
  const auto small = decoded(jpeg_address(original, 192, 128), folder);
  CHECK(small.size() == original.size());
  CHECK(cv::norm(small, original, cv::NORM_L1) / (3.0 * 51 * 120) < 4);
  CHECK(decoded(jpeg_address(picture(1, 400, 1000), 192, 128), folder).size() == cv::Size(51, 128));
  CHECK(decoded(jpeg_address(picture(1, 400, 100), 192, 128), folder).size() == cv::Size(192, 48));
  CHECK(decoded(jpeg_address(picture(1, 4000, 2), 192, 128), folder).size() == cv::Size(192, 1));
}

}  // namespace
}  // namespace kindred::test
