// Folders of runs, written as stages write them: small, and with names that a page could break on.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data_files.h"
#include "file/sample_list.h"
#include "kindred/core/catalog.h"
#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"
#include "made_evaluation.h"
#include "results/costs_file.h"
#include "results/domains_file.h"
#include "results/environment_file.h"
#include "results/evaluation_file.h"
#include "results/labels_file.h"
#include "results/matches_file.h"
#include "results/metrics_file.h"
#include "results/stage_record.h"
#include "temporary_folder.h"

namespace kindred::test {

inline const std::string nasty = "query/<b>&\"1'.png";

/// Two queries, one of them with a nasty name, and four gallery images, one of which cannot be read.
class NastyDataset final : public Dataset {
 public:
  struct Params {
    std::string root = "here";
  };
  static Schema<Params> schema() {
    Schema<Params> s("Pictures with names that a page could break on.");
    s.add("root", &Params::root, "\"here\", or nothing is found").location();
    return s;
  }
  NastyDataset(const Params& params, const Context&) : params_(params) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    if (params_.root != "here") throw DataError(params_.root, "does not exist");
    std::vector<Sample> samples;
    for (const auto& path : {nasty, std::string("query/2.png")})
      samples.push_back({path, 1, 1, "", Split::query});
    for (const auto* path : {"g/1.png", "g/2.png", "g/3.png", "g/unreadable.png"}) {
      samples.push_back({path, 1, 2, "", Split::gallery});
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    if (sample.path == "g/unreadable.png") throw DataError(sample.path, "is truncated");
    return picture(static_cast<int>(sample.path.size()));
  }

 private:
  Params params_;
};

inline Catalog nasty_catalog() {
  Catalog scratch;
  scratch.add<NastyDataset>("nasty");
  Catalog catalog;
  catalog.merge(std::move(scratch), "nasty", "nasty.so");
  return catalog;
}

/// The end of an epoch of four, at 14:MINUTE.
inline results::MetricsEvent epoch_event(int epoch, double loss, const std::string& minute = "00") {
  results::MetricsEvent event;
  event.time = "2026-11-24T14:" + minute + ":00.000Z";
  event.kind = results::MetricsEvent::Kind::finished;
  event.progress.stage = "train";
  event.progress.detail = "epoch " + std::to_string(epoch) + "/4";
  event.progress.done = event.progress.total = 5;
  event.progress.unit = "batches";
  event.progress.images_per_second = 200;
  event.progress.figures = {{"learning_rate", 0.001}, {"loss/triplet(g1)", 0.5}, {"loss", loss}};
  return event;
}

inline std::string lines(const std::vector<results::MetricsEvent>& events) {
  std::string text;
  for (const auto& event : events) text += event.line() + "\n";
  return text;
}

inline void write_training(const TemporaryFolder& folder, const std::string& at) {
  folder.write(at + "recipe.toml",
               "name = \"a <run>\"\nseed = 7\n\n[dataset]\ntype = \"nasty\"\nroot = \"here\"\n");
  results::EnvironmentFile environment;
  environment.kindred = "1.2.3";
  environment.device = "cpu: <fast> & new";
  environment.threads = 2;
  environment.write(folder / (at + "environment.json"));
  auto evaluation = epoch_event(4, 0, "45");
  evaluation.progress.stage = "evaluate";
  evaluation.progress.figures = {{"mAP", 0.5}, {"rank1", 0.75}, {"mINP", 0.25}};
  results::MetricsEvent note;
  note.time = "2026-11-24T14:04:00.000Z";
  note.kind = results::MetricsEvent::Kind::note;
  note.text = "warning: <slow> images";
  folder.write(at + "metrics.jsonl",
               lines({epoch_event(1, 4, "01"), epoch_event(2, 3, "02"), epoch_event(3, std::nan(""), "03"),
                      note, epoch_event(4, 1, "44"), evaluation}));
  folder.write(at + "model.safetensors", "weights");
}

inline void write_descriptors(const TemporaryFolder& folder, const std::string& at) {
  file::write_sample_list(folder / (at + "query.csv"),
                          {{nasty, 1, 1, "", Split::query}, {"query/2.png", 2, 1, "", Split::query}});
  file::write_sample_list(folder / (at + "gallery.csv"), {{"g/1.png", 1, 2, "", Split::gallery},
                                                          {"g/2.png", 2, 2, "", Split::gallery},
                                                          {"g/3.png", 1, 1, "", Split::gallery},
                                                          {"g/unreadable.png", 2, 3, "", Split::gallery}});
}

/// @param labeled whether the list says who is on the images
inline void write_matches(const TemporaryFolder& folder, const std::string& at, bool labeled = true) {
  const auto known = [&](std::int64_t identity) { return labeled ? std::optional(identity) : std::nullopt; };
  results::MatchesFiles matches;
  matches.queries = 2;
  matches.labeled = labeled;
  matches.matches_of = [&](std::int64_t query) {
    return results::QueryMatches{query == 0 ? nasty : "query/2.png",
                                 known(query + 1),
                                 {{"g/3.png", 0.9F, known(1)},
                                  {"g/2.png", 0.8F, known(2)},
                                  {"g/1.png", 0.7F, known(1)},
                                  {"g/unreadable.png", 0.6F, known(2)}}};
  };
  matches.write(folder / at);
}

/// Of both queries the second is the better one.
inline results::Evaluation scores_of_run(double mean_ap = 0.5, double rank1 = 0.75) {
  auto scores = made_evaluation(mean_ap, rank1);
  scores.valid_queries = 2;
  scores.junk = 0;
  scores.parts.figures = {scores.figures[0].info, scores.figures[1].info};
  scores.parts.camera_pairs = {{"1", "2", 2, {mean_ap, rank1}}, {"1", "3", 1, {0.125, 0}}};
  scores.parts.domains = {{"<day>", "", 1, {0.25, 0}}, {"night", "", 1, {0.75, 1}}};
  scores.per_query.queries = {{nasty, 1, 1, 1}, {"query/2.png", 2, 1, 2}};
  scores.per_query.columns[0].values = {0.25, 0.75};
  scores.per_query.columns[1].values = {2, 1};
  return scores;
}

inline void write_scores_of_run(const TemporaryFolder& folder, const std::string& at) {
  results::write_evaluation(folder / at, scores_of_run());
}

/// stage.json of a stage, or started.json of one that has not ended.
inline void write_record(const TemporaryFolder& folder, const std::string& at, const std::string& type,
                         const std::map<std::string, std::vector<std::string>>& inputs,
                         const results::StageCost& cost, bool finished = true) {
  results::StageRecord stage;
  stage.name = (folder / at).filename();
  stage.key.type = type;
  stage.finished = finished;
  if (finished) stage.ended = "2026-11-24T15:00:00Z";
  stage.key.reads = inputs;
  stage.cost = cost;
  results::write_stage_record(folder / at, stage);
}

/// As `kindred run` leaves a plain recipe.
inline void write_run(const TemporaryFolder& folder, const std::string& at = "run/") {
  folder.write(at + "pipeline.toml",
               "name = \"a <run>\"\nseed = 7\n\n[dataset]\ntype = \"nasty\"\nroot = \"here\"\n\n"
               "[[stage]]\nname = \"model\"\ntype = \"train\"\n[[stage]]\nname = \"features\"\ntype = "
               "\"embed\"\n[[stage]]\nname = \"ranking\"\ntype = \"rank\"\n");
  write_training(folder, at + "model/");
  write_record(folder, at + "model", "train", {}, {240, 1200, 512});
  write_descriptors(folder, at + "features/");
  write_record(folder, at + "features", "embed", {{"model", {"model"}}}, {4, 6, 300});
  write_matches(folder, at + "ranking/");
  write_scores_of_run(folder, at + "ranking/");
  write_record(folder, at + "ranking", "rank", {{"features", {"features"}}}, {0.5, 2, 310});
  folder.write(at + "log.txt",
               "2026-11-24 14:04:00.000 info: warning: <slow> images\n"
               "2026-11-24 14:04:01.000 info: train, epoch 4/4\n"
               "2026-11-24 14:04:02.000 warning: the disk\n  is nearly full\n");
}

/// Three images of "green" and one of "<violet>".
inline void write_domains(const TemporaryFolder& folder, const std::string& at) {
  results::DomainsFile{{{nasty, Split::query, "green"},
                        {"query/2.png", Split::query, "<violet>"},
                        {"g/1.png", Split::gallery, "green"},
                        {"g/2.png", Split::gallery, "green"}}}
      .write(folder / (at + "domains.csv"));
}

/// Two identities of three of four images.
inline void write_labels(const TemporaryFolder& folder, const std::string& at) {
  results::LabelsFile labels;
  labels.samples = {{nasty, 0, 1, "", Split::query},
                    {"query/2.png", 1, 1, "", Split::query},
                    {"g/1.png", 0, 2, "", Split::gallery}};
  labels.write(folder / (at + "labels.csv"));
  results::LabelFiguresFile figures;
  figures.identities = 2;
  figures.images = 3;
  figures.all_images = 4;
  figures.left_out = {{"in no <cluster>", 1}};
  figures.images_per_identity = results::LabelFiguresFile::Sizes{1, 1.5, 2};
  figures.truth = results::LabelFiguresFile::Truth{4, 3, 2, 0.9531, 0.25, 0.396, std::nullopt};
  figures.write(folder / (at + "labels.json"));
  write_image(folder / (at + "labels.png"), picture(3, 60, 40));
}

/// A pipeline whose last stage has not ended. What costs.json says follows from the stages' records.
inline void write_pipeline(const TemporaryFolder& folder) {
  folder.write(
      "pipe/pipeline.toml",
      "name = \"two rounds\"\n[dataset]\ntype = \"nasty\"\n"
      "[[stage]]\nname = \"base\"\ntype = \"train\"\n[[stage]]\nname = \"z_features\"\ntype = \"embed\"\n"
      "[[stage]]\nname = \"found\"\ntype = \"rank\"\n[[stage]]\ntype = \"partition\"\n"
      "[[stage]]\nname = \"labels\"\ntype = \"label\"\n[[stage]]\nname = \"submission\"\ntype = \"submit\"\n"
      "[[stage]]\nname = \"final\"\ntype = \"train\"\n");
  results::CostsFile costs;
  const auto record = [&](const std::string& name, const std::string& type,
                          const std::map<std::string, std::vector<std::string>>& inputs,
                          const results::StageCost& cost, bool finished = true) {
    write_record(folder, "pipe/" + name, type, inputs, cost, finished);
    if (finished) costs.stages.push_back({name, type, cost});
  };
  write_training(folder, "pipe/base/");
  record("base", "train", {}, {60, 1200, 512});
  write_descriptors(folder, "pipe/z_features/");
  record("z_features", "embed", {{"model", {"base"}}}, {4, 6, 300});
  write_matches(folder, "pipe/found/");
  write_scores_of_run(folder, "pipe/found/");
  results::write_evaluation_json(folder / "pipe/found/evaluation_plain.json", scores_of_run(0.4, 0.5));
  record("found", "rank", {{"features", {"z_features"}}, {"others", {"z_features"}}}, {0.5, 2, 310});
  write_domains(folder, "pipe/partition/");
  record("partition", "partition", {}, {0.25, 4, 200});
  write_labels(folder, "pipe/labels/");
  record("labels", "label", {{"domains", {"partition"}}, {"features", {"z_features"}}}, {5, 4, 320});
  folder.write("pipe/submission/submission.json", "{}");
  record("submission", "submit", {{"ranking", {"found"}}}, {0.25, 0, 200});
  folder.write("pipe/final/metrics.jsonl", lines({epoch_event(1, 4)}));
  record("final", "train", {{"labels", {"labels"}}}, {30, 0, 400}, /*finished=*/false);
  costs.write(folder / "pipe/costs.json");
}

}  // namespace kindred::test
