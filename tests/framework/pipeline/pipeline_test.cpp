#include "pipeline/pipeline.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <istream>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "fake_components.h"
#include "kindred/core/sample.h"
#include "kindred/role/labeler.h"
#include "kindred/role/partitioner.h"
#include "kindred/role/writer.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

struct NoParams {};

class FakePartitioner final : public Partitioner {
 public:
  using Params = NoParams;
  static Schema<Params> schema() { return Schema<Params>("One domain."); }
  FakePartitioner(const Params&, const Context&) {}
  [[nodiscard]] bool needs_pixels() const override { return false; }
  [[nodiscard]] std::string domain(const Sample&, const cv::Mat&) const override { return "day"; }
};

class FakeLabeler final : public Labeler {
 public:
  using Params = FakeParams;
  static Schema<Params> schema() { return fake_schema("Labels nobody."); }
  FakeLabeler(const Params&, const Context&) {}
  [[nodiscard]] PseudoLabels label(const Retrieval&, RetrievalHost&) const override { return {}; }
};

class FakeWriter final : public Writer {
 public:
  using Params = NoParams;
  static Schema<Params> schema() { return Schema<Params>("Writes nothing."); }
  FakeWriter(const Params&, const Context&) {}
  [[nodiscard]] std::string file_name() const override { return "nothing.txt"; }
  [[nodiscard]] std::int64_t top() const override { return 1; }
  [[nodiscard]] std::string name_of(const std::string& path) const override { return path; }
  void write(const std::vector<RankedQuery>&, std::ostream&) const override {}
  [[nodiscard]] std::vector<RankedQuery> read(std::istream&) const override { return {}; }
};

const Catalog& catalog() {
  static const Catalog made = [] {
    auto catalog = fake_catalog();
    catalog.add<FakePartitioner>("one");
    catalog.add<FakeLabeler>("nobody");
    catalog.add<FakeWriter>("nothing");
    return catalog;
  }();
  return made;
}

const char* const whole = R"(name = "trial"
[dataset]
type = "folder"
root = "data"
[[stage]]
name = "base"
type = "train"
recipe = "model.toml"
[[stage]]
name = "domains"
type = "partition"
partitioner = { type = "one" }
[[stage]]
name = "features"
type = "embed"
model = "base"
domains = "domains"
[[stage]]
name = "labels"
type = "label"
features = "features"
labeler = { type = "nobody", prob = 0.5 }
[[stage]]
name = "final"
type = "train"
labels = ["labels"]
[stage.recipe]
extends = "model.toml"
train.epochs = 75
[[stage]]
name = "final_features"
type = "embed"
model = "final"
[[stage]]
name = "ranking"
type = "rank"
features = "final_features"
[[stage]]
name = "submission"
type = "submit"
rankings = ["ranking"]
writer = { type = "nothing" }
)";

/// A pipeline beside the recipe that its stages use.
class Files {
 public:
  Files() { folder_.write("model.toml", fake_model); }

  Pipeline make(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return make_pipeline(recipe::load_recipe(folder_.write("p.toml", text), overrides), catalog());
  }
  /// What is wrong, with the file's name shortened to "p.toml".
  std::string errors(const std::string& text, const std::vector<std::string>& overrides = {}) {
    auto message = message_of<RecipeError>([&] { static_cast<void>(make(text, overrides)); });
    const auto path = folder_.path().string() + "/";
    for (auto at = message.find(path); at != std::string::npos; at = message.find(path)) {
      message.erase(at, path.size());
    }
    return message;
  }
  void write(const std::string& name, const std::string& text) { folder_.write(name, text); }
  std::string wrong(const std::string& part, const std::string& otherwise) {
    std::string text = whole;
    const auto at = text.find(part);
    REQUIRE(at != std::string::npos);
    return errors(text.replace(at, part.size(), otherwise));
  }

 private:
  TemporaryFolder folder_;
};

std::vector<std::string> names(const Pipeline& pipeline) {
  std::vector<std::string> result;
  for (const auto& stage : pipeline.stages) result.push_back(stage->name);
  return result;
}

/// "model=base domains=domains"
std::string reads(const Pipeline& pipeline, const std::string& stage) {
  REQUIRE(pipeline.find(stage) != nullptr);
  std::string text;
  for (const auto& input : pipeline.find(stage)->inputs) {
    text += (text.empty() ? "" : " ") + input.key + "=";
    for (const auto& name : input.names) text += name;
  }
  return text;
}

}  // namespace

TEST_CASE("a pipeline's stages are read with their inputs, and their recipes with what they extend") {
  const auto pipeline = Files().make(whole);
  CHECK(pipeline.name == "trial");
  CHECK(names(pipeline) == std::vector<std::string>{"base", "domains", "features", "labels", "final",
                                                    "final_features", "ranking", "submission"});
  CHECK(reads(pipeline, "features") == "model=base domains=domains");
  CHECK(reads(pipeline, "final") == "labels=labels");
  const auto recipe = recipe::write_recipe(pipeline.find("final")->settings());
  CHECK(recipe.find("epochs = 75") != std::string::npos);
  CHECK(recipe::write_recipe(pipeline.find("base")->settings()).find("epochs = 60") != std::string::npos);
}

TEST_CASE("a training that labels are added to reads the labeled images, whose pixels decide its result") {
  const auto pipeline = Files().make(whole);
  const auto reads_pixels_of = [&](const std::string& stage) {
    std::set<std::string> splits;
    for (const auto& images : pipeline.find(stage)->data()) {
      for (const auto split : images.splits) {
        if (images.pixels) splits.insert(split_name(split));
      }
    }
    return splits;
  };
  CHECK(reads_pixels_of("base") == std::set<std::string>{"train"});
  CHECK(reads_pixels_of("labels").empty());
  CHECK(reads_pixels_of("final") == std::set<std::string>{"train", "query", "gallery"});
}

TEST_CASE("stages may be written in any order and run behind what they read") {
  std::string text =
      "[dataset]\ntype = \"folder\"\nroot = \"data\"\n"
      "[[stage]]\nname = \"b\"\ntype = \"embed\"\nmodel = \"a\"\n"
      "[[stage]]\nname = \"a\"\ntype = \"train\"\nrecipe = \"model.toml\"\n";
  CHECK(names(Files().make(text)) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("overrides reach into a stage and into its recipe") {
  const auto pipeline = Files().make(
      whole,
      {"stage.final.recipe.train.epochs=3", "stage.labels.labeler.size=4", "stage.submission.enabled=false"});
  CHECK(recipe::write_recipe(pipeline.find("final")->settings()).find("epochs = 3") != std::string::npos);
  CHECK(recipe::write_recipe(pipeline.find("labels")->settings()).find("size = 4") != std::string::npos);
  CHECK(pipeline.find("submission") == nullptr);
}

TEST_CASE(
    "what the pipeline says of the machine stands in for the same keys of a recipe, not for the others") {
  const auto pipeline = Files().make(
      whole, {"machine.device='cpu'", "stage.final.recipe.machine={device = 'cuda:7', threads = 3}"});
  const auto& of_final = pipeline.find("final")->model_plan()->machine;
  CHECK(of_final.device == "cpu");
  CHECK(of_final.threads == 3);
  const auto& of_base = pipeline.find("base")->model_plan()->machine;
  CHECK(of_base.device == "cpu");
  CHECK(of_base.threads == 0);
}

TEST_CASE("features are extracted as the recipe of their model says now, but for what their stage changes") {
  const auto settings = [](const std::vector<std::string>& overrides) {
    return recipe::write_recipe(Files().make(whole, overrides).find("final_features")->settings());
  };
  const auto as_it_is = settings({});
  CHECK(as_it_is.find("flip_test = false") != std::string::npos);
  CHECK(settings({"stage.final.recipe.embed.flip_test=true"}).find("flip_test = true") != std::string::npos);
  CHECK(settings({"stage.final.recipe.loader.skip_bad_images=true"}).find("skip_bad_images = true") !=
        std::string::npos);
  CHECK(settings({"stage.final.recipe.embed.flip_test=true", "stage.final_features.embed.flip_test=false"}) ==
        as_it_is);
  // Another model's, and what affects no features.
  CHECK(settings({"stage.features.embed.flip_test=true", "stage.final.recipe.loader.workers=3",
                  "stage.final.recipe.train.epochs=7"}) == as_it_is);
}

TEST_CASE("an input that is no stage, or is of another type, is an error with what would do") {
  Files files;
  CHECK(files.wrong("model = \"base\"", "model = \"bass\"") ==
        "p.toml:16:9: error: stage 'features': model = 'bass' is not a stage of this pipeline; did you mean "
        "'base'?");
  CHECK(files.wrong("model = \"final\"", "model = \"ranking\"") ==
        "p.toml:33:9: error: stage 'final_features': model = 'ranking' is a stage of type rank; it must have "
        "type train, such as 'base' and 'final'");
}

TEST_CASE("stages that wait for each other are an error that names the circle") {
  CHECK(Files().wrong("model = \"base\"", "model = \"final\"") ==
        "p.toml:13:1: error: stages depend on each other in a cycle: features reads final reads labels reads "
        "features");
}

TEST_CASE("what is wrong with stages and their recipes comes at once, each with its place") {
  Files files;
  CHECK(files.wrong("type = \"rank\"", "type = \"rnk\"") ==
        "p.toml:36:8: error: [[stage]]: type = \"rnk\" is not 'train', 'embed', 'partition', 'label', 'rank' "
        "or "
        "'submit'; did you mean 'rank'?");
  CHECK(files.wrong("epochs = 75", "epochs = -1\ntrain.epoch = 3") ==
        "p.toml:29:16: error: [train]: epochs = -1 is outside [0, 1000000]\n"
        "p.toml:30:7: error: [train] has no parameter 'epoch'; did you mean 'epochs'?");
  CHECK(files.wrong("prob = 0.5", "prob = 3") ==
        "p.toml:22:37: error: labeler 'nobody': prob = 3 is outside "
        "[0, 1]");
  CHECK(files.wrong("name = \"ranking\"", "name = \"labels\"")
            .find("p.toml:35:8: error: two stages have the name 'labels'; give each its own name") !=
        std::string::npos);
  CHECK(files.wrong("name = \"ranking\"", "name = \"../ranking\"").find("letters, digits, '_' and '-'") !=
        std::string::npos);
  CHECK(files.wrong("recipe = \"model.toml\"", "") ==
        "p.toml:5:1: error: stage 'base' needs a recipe: the name of a file, or a table [stage.recipe], "
        "which may have 'extends'");
  files.write("other.toml", "[[stage]]\nname = \"a\"\ntype = \"rank\"\n");
  CHECK(files.wrong("recipe = \"model.toml\"", "recipe = \"other.toml\"") ==
        "p.toml:8:10: error: stage 'base' needs a recipe of one model, and this is one of several stages "
        "(other.toml); run that as a pipeline of its own");
  CHECK(files.wrong("labels = [\"labels\"]", "labels = [\"labels\", \"labels\"]")
            .find("error: stage 'final': labels names 'labels' twice") != std::string::npos);
  CHECK(files.wrong("recipe = \"model.toml\"", "recipe = \"modle.toml\"")
            .find("cannot read the extended recipe "
                  "'modle.toml'") != std::string::npos);
  CHECK(files.wrong("name = \"trial\"", "seed = 3") ==
        "p.toml:1:1: error: a pipeline has no key 'seed'; it has 'name', 'keep_training', 'dataset', "
        "'machine', 'stage' and 'repeat'; keys of a model belong in [stage.recipe]");
  CHECK(files.wrong("name = \"trial\"", "extend = \"base.toml\"") ==
        "p.toml:1:1: error: a pipeline has no key 'extend'; did you mean 'extends'?");
}

TEST_CASE("what is wrong with the data of all stages is said once") {
  Files files;
  const auto message = files.wrong("root = \"data\"", "root = \"data\"\nrot = 3");
  const std::string once = "p.toml:5:1: error: dataset 'folder' has no parameter 'rot'; did you mean 'root'?";
  CHECK(message == once);
}

TEST_CASE("a pipeline without stages is an error") {
  Files files;
  const std::string nothing = "the pipeline has no enabled stage, so there is nothing to do";
  CHECK(files.errors("stage = []\n") == "p.toml:1:9: error: " + nothing);
  CHECK(files.errors("[[stage]]\nname = \"a\"\ntype = \"rank\"\nfeatures = \"b\"\nenabled = false\n")
            .find(nothing) != std::string::npos);
  CHECK(files.errors("stage = 3\n") ==
        "p.toml:1:9: error: 'stage' must be a list of tables, [[stage]], not a whole number");
}

TEST_CASE("a pipeline without data says where to give it") {
  Files files;
  std::string text = whole;
  const std::string dataset = "[dataset]\ntype = \"folder\"\nroot = \"data\"\n";
  text.erase(text.find(dataset), dataset.size());
  CHECK(files.errors(text).find("stage 'domains' has no data; add a table [dataset] to the pipeline, or "
                                "[stage.dataset] to the stage") != std::string::npos);
}

TEST_CASE("a training may start from another stage's model, unless its recipe names other weights") {
  Files files;
  const std::string start = "labels = [\"labels\"]\nstart_from = \"base\"\n";
  std::string text = whole;
  text.replace(text.find("labels = [\"labels\"]\n"), std::string("labels = [\"labels\"]\n").size(), start);
  CHECK(reads(files.make(text, {"stage.final.recipe.weights.allow_missing=['head.*']"}), "final") ==
        "labels=labels start_from=base");
  CHECK(files.errors(text, {"stage.final.recipe.weights.file=other.safetensors"}) ==
        "p.toml:27:14: error: stage 'final': both start_from and the recipe set the initial weights; remove "
        "one of them");
}

TEST_CASE("what reads a stage, directly or not, depends on it") {
  const auto pipeline = Files().make(whole);
  CHECK(pipeline.dependents("final") ==
        std::vector<std::string>{"final", "final_features", "ranking", "submission"});
  CHECK(pipeline.dependents("submission") == std::vector<std::string>{"submission"});
}

TEST_CASE("repeated stages read their own round, what feeds them reads the round before, the rest the last") {
  const std::string repeat =
      "[repeat]\nrounds = 3\nstages = [\"labels\", \"final\", \"final_features\"]\n"
      "feed = { features = \"final_features\" }\n";
  const auto pipeline = Files().make(std::string(whole) + repeat);
  CHECK(names(pipeline) == std::vector<std::string>{"base", "domains", "features", "labels", "final",
                                                    "final_features", "labels.2", "final.2",
                                                    "final_features.2", "labels.3", "final.3",
                                                    "final_features.3", "ranking", "submission"});
  CHECK(reads(pipeline, "labels") == "features=features");
  CHECK(reads(pipeline, "labels.2") == "features=final_features");
  CHECK(reads(pipeline, "final.2") == "labels=labels.2");
  CHECK(reads(pipeline, "labels.3") == "features=final_features.2");
  CHECK(reads(pipeline, "ranking") == "features=final_features.3");
}

TEST_CASE("what is wrong with the repetition is an error") {
  Files files;
  const auto repeated = [&](const std::string& table) { return files.errors(whole + table); };
  CHECK(repeated("[repeat]\nrounds = 0\nstages = [\"labels\"]\n").find("rounds = 0 is outside [1, 99]") !=
        std::string::npos);
  CHECK(repeated("[repeat]\nrounds = 2\nstages = []\n").find("[repeat]: stages = [] repeats nothing") !=
        std::string::npos);
  CHECK(repeated("[repeat]\nrounds = 2\nstages = [\"label\"]\n").find("there is no stage 'label'") !=
        std::string::npos);
  CHECK(repeated("[repeat]\nrounds = 2\nstages = [\"labels\"]\nfeed = { labels = \"labels\" }\n")
            .find("'labels' must be a stage that is not repeated") != std::string::npos);
  CHECK(repeated("[repeat]\nrounds = 2\nstages = [\"labels\"]\nfeed = { features = \"final_features\" }\n")
            .find("is not one of the repeated stages, 'labels'") != std::string::npos);
  CHECK(
      repeated("[repeat]\nrounds = 2\nstages = [\"labels\", \"labels\"]\nfeed = { features = \"labels\" }\n")
          .find("[repeat]: stages names 'labels' twice") != std::string::npos);
  // A round that reads nothing of the one before it makes the same.
  for (const std::string feed : {"", "feed = {}\n"}) {
    CHECK(repeated("[repeat]\nrounds = 2\nstages = [\"labels\", \"final\"]\n" + feed)
              .find("[repeat]: each round would make the same again") != std::string::npos);
  }
  CHECK(files.errors("stage = [3]\n[repeat]\nrounds = 2\nstages = [\"\"]\nfeed = { a = \"\" }\n")
            .find("[repeat]") != std::string::npos);
  CHECK(repeated("[repeat]\nrounds = 2\nstages = [\"labels\", \"final\"]\nfeed = { domains = \"final\" }\n")
            .find("[repeat]: feed: no repeated stage reads 'domains'") != std::string::npos);
  const auto once = Files().make(std::string(whole) + "[repeat]\nrounds = 1\nstages = [\"labels\"]\n");
  CHECK(names(once) == names(Files().make(whole)));
}

TEST_CASE("every type of stage and every role of its components is described") {
  std::vector<std::string> keys;
  for (const auto& table : pipeline_layout()) {
    keys.push_back(table.key);
    for (const auto& inner : table.inner) keys.push_back(inner.key);
  }
  CHECK(keys == std::vector<std::string>{"stage", "stage.train", "stage.embed", "stage.partition",
                                         "stage.label", "stage.rank", "stage.submit", "repeat", "partitioner",
                                         "labeler", "writer"});
}
