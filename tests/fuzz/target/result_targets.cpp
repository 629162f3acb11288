// Files that stages leave and that are read again: records, figures, curves, submissions.
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "made_evaluation.h"
#include "markup_check.h"
#include "naic_json.h"
#include "pipeline/file_hashes.h"
#include "ranking_csv.h"
#include "report/report.h"
#include "report/run_files.h"
#include "report/training_files.h"
#include "results/costs_file.h"
#include "results/environment_file.h"
#include "results/evaluation_file.h"
#include "results/labels_file.h"
#include "results/metrics_file.h"
#include "results/part_scores_file.h"
#include "results/scores_file.h"
#include "results/stage_record.h"
#include "results/tensorboard_file.h"
#include "target/targets.h"

namespace kindred::fuzz {
namespace {

namespace fs = std::filesystem;

/// Whether a file of this type can be read; what is written of it is then written again of what is read of
/// that.
template <class File>
bool comes_back(const std::string& name, const std::string& bytes) {
  return passes([&] {
    const auto file = fuzz_file(name, bytes);
    File::read(file).write(file);
    const auto first = content_of_file(file);
    File::read(file).write(file);
    require(content_of_file(file) == first, "a file that was written is read as another one");
  });
}

bool accepts_stage_record(const std::string& bytes) {
  return comes_back<results::StageRecord>("stage.json", bytes);
}

bool accepts_run_file(const std::string& bytes) {
  bool accepted = comes_back<results::CostsFile>("costs.json", bytes);
  accepted |= comes_back<results::ScoresFile>("scores.json", bytes);
  accepted |= comes_back<results::EnvironmentFile>("environment.json", bytes);
  accepted |= comes_back<results::LabelFiguresFile>("labels.json", bytes);
  return accepted;
}

/// A folder with evaluation.json and what lies beside it.
bool accepts_evaluation(const std::string& bytes) {
  const FilesOnDisk disk(split_files(bytes));
  const auto& folder = disk.folder();
  static_cast<void>(results::evaluation_files(folder));
  return passes([&] {
    auto evaluation = results::read_evaluation(folder / "evaluation.json");
    static_cast<void>(passes([&] {
      evaluation.per_query =
          results::read_query_table(folder / "per_query.csv", evaluation.per_query.columns);
    }));
    for (auto& table : evaluation.tables) {
      if (table.plot) static_cast<void>(passes([&] { results::read_curve(folder, table); }));
    }
    static_cast<void>(
        passes([&] { evaluation.parts = results::PartScoresFiles::read(folder, evaluation.figures); }));
    const auto copy = fuzz_folder() / "evaluation.json";
    results::write_evaluation_json(copy, evaluation);
    const auto first = content_of_file(copy);
    results::write_evaluation_json(copy, results::read_evaluation(copy));
    require(content_of_file(copy) == first, "an evaluation that was written is read as another one");
  });
}

bool accepts_metrics(const std::string& bytes) {
  const auto file = fuzz_file("metrics.jsonl", bytes);
  const auto metrics = results::Metrics::read(file);
  for (const auto& event : metrics.events) {
    const auto line = event.line();
    require(line.find('\n') == std::string::npos, "an event is written in several lines");
    require(results::MetricsEvent::parse(line, file, 1).line() == line,
            "an event that was written is read as another one");
  }
  // A training that goes on writes them for TensorBoard once more.
  const FilesOnDisk disk(Files{});
  results::TensorBoardFile(disk.folder()).begin(metrics);
  static_cast<void>(report::read_log_warnings(file));
  const pipeline::FileHashes hashes(file);
  return !metrics.events.empty();
}

/// A folder of a run, and the page that `kindred report` makes of it: what is damaged is a trouble there, and
/// whatever the files say is text. There are no data sets: how much one makes up is its own affair.
bool accepts_run_folder(const std::string& bytes) {
  const FilesOnDisk disk(split_files(bytes));
  if (!passes([&] { static_cast<void>(report::read_run(disk.folder())); })) return false;
  const auto file = fuzz_folder() / "report.html";
  require(passes([&] { static_cast<void>(report::write_report(disk.folder(), {.out = file}, Catalog())); }),
          "a run that can be read gives no page");
  const auto page = content_of_file(file);
  require(test::markup_error(page).empty(), "a page is not well-formed");
  require(page.find("<script") == std::string::npos, "a page runs a script");
  return true;
}

template <class Format>
bool submission_comes_back(const std::string& bytes) {
  const Format format({}, {});
  return passes([&] {
    std::istringstream in(bytes);
    const auto rankings = format.read(in);
    std::ostringstream out;
    format.write(rankings, out);
    std::istringstream again_in(out.str());
    const auto again = format.read(again_in);
    std::ostringstream again_out;
    format.write(again, again_out);
    require(again_out.str() == out.str(), "a submission that was written is read as another one");
  });
}

bool accepts_submission(const std::string& bytes) {
  const bool json = submission_comes_back<submission::NaicJson>(bytes);
  return submission_comes_back<submission::RankingCsv>(bytes) || json;
}

results::StageRecord made_record() {
  results::StageRecord record;
  record.name = "base";
  record.key = {"train", "seed = 1\n", {{"base/model.safetensors", "00ff"}}, "aa", {{"kindred", "1"}}};
  record.finished = true;
  record.ended = "2026-11-24T14:22:42Z";
  record.results = {{"model.safetensors", "12"}};
  record.key.reads = {{"model", {"base", "other"}}};
  record.cost = {1.5, 100, 2048.25};
  return record;
}

std::vector<std::string> stage_record_seeds() {
  const auto file = fuzz_folder() / "stage.json";
  made_record().write(file);
  return {content_of_file(file)};
}

std::vector<std::string> run_file_seeds() {
  std::vector<std::string> seeds;
  const auto file = fuzz_folder() / "seed.json";
  const auto add = [&](const auto& made) {
    made.write(file);
    seeds.push_back(content_of_file(file));
  };
  add(results::CostsFile{{{"base", "train", {1.5, 10, 20}}}});
  add(results::ScoresFile{{{"ranked", "descriptors", test::made_evaluation()}}});
  results::EnvironmentFile environment;
  environment.kindred = "0.9";
  environment.threads = 2;
  add(environment);
  results::LabelFiguresFile labels;
  labels.identities = 2;
  labels.left_out = {{"alone", 3}};
  labels.images_per_identity = {1, 2.5, 4};
  labels.truth = {10, 8, 3, 0.5, 0.25, std::nullopt, 1};
  add(labels);
  return seeds;
}

Files evaluation_folder() {
  const auto folder = fuzz_folder() / "seed_evaluation";
  auto evaluation = test::made_evaluation();
  evaluation.parts.figures = {evaluation.figures[0].info};
  evaluation.parts.camera_pairs = {{"1", "2", 1, {0.5}}};
  evaluation.parts.domains = {{"day", "", 1, {0.5}}, {"night", "", 1, {0.25}}};
  results::write_evaluation(folder, evaluation);
  Files files;
  for (const auto* name : {"evaluation.json", "per_query.csv", "roc.csv", "by_camera.csv", "by_domain.csv"}) {
    files[name] = content_of_file(folder / name);
  }
  return files;
}

std::vector<std::string> evaluation_seeds() {
  return {join_files(evaluation_folder())};
}

const std::string log_text =
    "{\"time\":\"2026-11-24T14:22:42.039Z\",\"event\":\"progress\",\"stage\":\"train\",\"detail\":\"epoch "
    "1/2\","
    "\"done\":1,\"total\":9,\"unit\":\"batches\",\"images_per_second\":3.5,\"figures\":{\"loss\":0.5,\"lr\":"
    "null}}\n"
    "{\"time\":\"2026-11-24T14:22:43.039Z\",\"event\":\"note\",\"text\":\"a \\\"note\\\"\"}\n"
    "{\"time\":\"2026-11-24T14:22:44.039Z\",\"event\":\"finished\",\"stage\":\"evaluate "
    "b\",\"detail\":\"epoch "
    "1/2\",\"done\":9,\"total\":9,\"unit\":\"images\",\"images_per_second\":3.5,\"figures\":{\"mAP\":0.5}}\n"
    "2026-11-24 14:22:42.039 warning: here\n";

std::vector<std::string> metrics_seeds() {
  return {log_text};
}

std::vector<std::string> run_folder_seeds() {
  const auto file = fuzz_folder() / "stage.json";
  made_record().write(file);
  Files files{{"base/stage.json", content_of_file(file)},
              {"base/recipe.toml", "name = \"a\"\nseed = 1\n"},
              {"base/metrics.jsonl", log_text},
              {"base/log.txt", log_text},
              {"pipeline.toml",
               "name = \"a\"\n[[stage]]\nname = \"base\"\ntype = \"train\"\n"
               "[[stage]]\nname = \"ranked\"\ntype = \"rank\"\nfeatures = \"base\"\n"}};
  for (const auto& [name, content] : evaluation_folder()) files["ranked/" + name] = content;
  return {join_files(files)};
}

std::vector<std::string> submission_seeds() {
  return {"{\"q.png\": [\"a.png\", \"\\u00e4 \\\"b\\\".png\"],\n\"r.png\": []}\n",
          "query,rank,gallery,similarity\nq.png,1,a.png,0.5\nq.png,2,\"b,c.png\",-1e-3\nr.png,1,a.png,\n"};
}

}  // namespace

void add_result_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"stage_record", accepts_stage_record, stage_record_seeds});
  targets.push_back({"run_file", accepts_run_file, run_file_seeds});
  targets.push_back({"evaluation", accepts_evaluation, evaluation_seeds});
  targets.push_back({"metrics", accepts_metrics, metrics_seeds});
  targets.push_back({"run_folder", accepts_run_folder, run_folder_seeds});
  targets.push_back({"submission", accepts_submission, submission_seeds});
}

}  // namespace kindred::fuzz
