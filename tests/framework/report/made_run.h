// Folders of runs made by hand: small, and with names that a page could break on.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "data_files.h"
#include "kindred/core/catalog.h"
#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"
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
    s.add("root", &Params::root, "\"here\", or nothing is found");
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

inline std::string epoch_line(int epoch, const std::string& loss, const std::string& time = "00") {
  return R"j({"time":"2026-11-24T14:)j" + time +
         R"j(:00.000Z","event":"finished","stage":"train","detail":"epoch )j" + std::to_string(epoch) +
         R"j(/4","done":5,"total":5,"unit":"batches","images_per_second":200.0,)j" +
         R"j("figures":{"learning_rate":0.001,"loss/triplet(g1)":0.5,"loss":)j" + loss + "}}\n";
}

inline const std::string scores_text_of_run =
    R"({"mAP":0.5,"mINP":0.25,"rank1":0.75,"rank5":1,"rank10":1,"map_depth":0,"score":0.625,"queries":2,)"
    R"("valid_queries":2,"gallery":4,"distractors":0,"junk":0,"cameras":"known","multi_query":false,"note":"",)"
    R"("open_set":{"area":0.9,"points":[{"wanted_false_positive_rate":0.01,"true_positive_rate":0.5,)"
    R"("distance":0.25,"similarity":0.75}]}})";

inline void write_training(const TemporaryFolder& folder, const std::string& at) {
  folder.write(at + "recipe.toml",
               "name = \"a <run>\"\nseed = 7\n\n[dataset]\ntype = \"nasty\"\nroot = \"here\"\n");
  folder.write(at + "environment.json", R"({"device": "cpu: <fast> & new", "threads": 2})");
  folder.write(
      at + "metrics.jsonl",
      epoch_line(1, "4.0", "01") + epoch_line(2, "3.0", "02") + epoch_line(3, "null", "03") +
          R"({"time":"2026-11-24T14:04:00.000Z","event":"note","text":"warning: <slow> images"})"
          "\n" +
          epoch_line(4, "1.0", "44") +
          R"({"time":"2026-11-24T14:45:00.000Z","event":"finished","stage":"evaluate","detail":"epoch 4/4",)"
          R"("figures":{"mAP":0.5,"rank1":0.75,"mINP":0.25}})"
          "\n");
  folder.write(at + "model.safetensors", "weights");
}

/// The CSV cell of a path.
inline std::string cell(std::string path) {
  for (std::size_t at = 0; (at = path.find('"', at)) != std::string::npos; at += 2) path.insert(at, 1, '"');
  return "\"" + path + "\"";
}

inline void write_descriptors(const TemporaryFolder& folder, const std::string& at) {
  const std::string header = "path,identity,camera,domain,split\n";
  folder.write(at + "query.csv", header + cell(nasty) + ",1,1,,query\nquery/2.png,2,1,,query\n");
  folder.write(at + "gallery.csv", header +
                                       "g/1.png,1,2,,gallery\ng/2.png,2,2,,gallery\ng/3.png,1,1,,gallery\n"
                                       "g/unreadable.png,2,3,,gallery\n");
}

inline void write_matches(const TemporaryFolder& folder, const std::string& at) {
  std::string matches = "query_path,rank,gallery_path,similarity,query_identity,gallery_identity\n";
  for (const auto& [query, identity] : {std::pair(cell(nasty), "1"), {std::string("query/2.png"), "2"}}) {
    matches += query + ",1,g/3.png,0.9," + identity + ",1\n" + query + ",2,g/2.png,0.8," + identity + ",2\n" +
               query + ",3,g/1.png,0.7," + identity + ",1\n" + query + ",4,g/unreadable.png,0.6," + identity +
               ",2\n";
  }
  folder.write(at + "matches.csv", matches);
}

inline void write_scores_of_run(const TemporaryFolder& folder, const std::string& at) {
  folder.write(at + "evaluation.json", scores_text_of_run);
  folder.write(at + "per_query.csv", "path,identity,camera,ap,inp,first_rank,matches\n" + cell(nasty) +
                                         ",1,1,0.25,0.5,2,1\nquery/2.png,2,1,0.75,0.5,1,2\n");
  folder.write(at + "roc.csv",
               "distance,false_positive_rate,true_positive_rate\n0.1,0,0.1\n0.2,0.01,0.5\n0.4,1,1\n");
}

/// As `kindred run` leaves it.
inline void write_run(const TemporaryFolder& folder, const std::string& at = "run/") {
  write_training(folder, at);
  write_descriptors(folder, at + "features/");
  write_matches(folder, at + "rankings/");
  write_scores_of_run(folder, at);
  folder.write(at + "log.txt",
               "2026-11-24 14:04:00.000 info: warning: <slow> images\n"
               "2026-11-24 14:04:01.000 info: train, epoch 4/4\n"
               "2026-11-24 14:04:02.000 warning: the disk\n  is nearly full\n");
}

/// A pipeline whose last stage has not ended.
inline void write_pipeline(const TemporaryFolder& folder) {
  folder.write(
      "pipe/pipeline.toml",
      "name = \"two rounds\"\n[dataset]\ntype = \"nasty\"\n"
      "[[stage]]\nname = \"base\"\ntype = \"train\"\n[[stage]]\nname = \"z_features\"\ntype = \"embed\"\n"
      "[[stage]]\nname = \"found\"\ntype = \"rank\"\n[[stage]]\ntype = \"partition\"\n"
      "[[stage]]\nname = \"labels\"\ntype = \"label\"\n[[stage]]\nname = \"submission\"\ntype = \"submit\"\n"
      "[[stage]]\nname = \"final\"\ntype = \"train\"\n");
  const auto done = [&](const std::string& name, const std::string& type, const std::string& inputs,
                        const std::string& cost) {
    folder.write("pipe/" + name + "/stage.json", R"({"name":")" + name + R"(","type":")" + type +
                                                     R"(","inputs":)" + inputs + R"(,"cost":)" + cost +
                                                     R"(,"finished":"2026-11-24T15:00:00Z"})");
  };
  write_training(folder, "pipe/base/");
  done("base", "train", "{}", R"({"seconds":60,"images":1200,"images_per_second":20,"peak_memory_mib":512})");
  write_descriptors(folder, "pipe/z_features/");
  done("z_features", "embed", R"({"model":["base"]})", R"({"seconds":4})");
  write_matches(folder, "pipe/found/");
  write_scores_of_run(folder, "pipe/found/");
  folder.write("pipe/found/evaluation_plain.json", R"({"mAP":0.4,"rank1":0.5,"score":0.45,"valid_queries":2,)"
                                                   R"("map_depth":0,"cameras":"known"})");
  done("found", "rank", R"({"features":["z_features"],"others":["z_features"]})", R"({"seconds":0.5})");
  folder.write("pipe/partition/partition.json",
               R"({"domains":[{"name":"green","images":3},{"name":"<violet>","images":1}]})");
  done("partition", "partition", R"({"features":["z_features"]})", "{}");
  folder.write(
      "pipe/labels/labels.json",
      R"({"identities":2,"images":3,"left_out":[{"reason":"in no <cluster>","images":1}],"precision":0.953})");
  folder.write("pipe/labels/labels.csv",
               "path,identity,camera,domain,split\na,0,,,train\nb,0,,,train\nc,1,,,train\nd,,,,train\n");
  write_image(folder / "pipe/labels/labels.png", picture(3, 60, 40));
  done("labels", "label", R"({"features":["z_features"],"domains":["partition"]})", "{}");
  folder.write("pipe/submission/submission.json", "{}");
  done("submission", "submit", R"({"ranking":"found"})", "{}");
  folder.write("pipe/costs.json",
               R"({"stages":[{"stage":"labels","seconds":5},{"stage":"base","seconds":1}],)"
               R"("total":{"seconds":6}})");
  folder.write("pipe/final/metrics.jsonl", epoch_line(1, "4.0"));
}

}  // namespace kindred::test
