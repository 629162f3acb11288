#include "pipeline/stage_key.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fake_components.h"
#include "kindred/role/labeler.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/population.h"
#include "pipeline/data_hash.h"
#include "pipeline/key_difference.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "system/device.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

class TableLabeler final : public Labeler {
 public:
  struct Params {
    std::string table;
    std::string cache;
    std::int64_t k = 3;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Labels by a table.");
    s.add("table", &Params::table, "who is who").file();
    s.add("cache", &Params::cache, "where it keeps what it has read").affects(Affects::nothing);
    s.add("k", &Params::k, "a number");
    return s;
  }
  TableLabeler(const Params&, const Context&) {}
  [[nodiscard]] PseudoLabels label(const Retrieval&, RetrievalHost&) const override { return {}; }
};

/// A stage that reads what a test says.
class FakeStage final : public stage::Stage {
 public:
  explicit FakeStage(const std::string& called) { name = called; }
  [[nodiscard]] std::string type() const override { return "train"; }
  [[nodiscard]] Value settings() const override { return Value(); }
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override { return chosen; }
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override { return named; }
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path&) const override {
    return {"result"};
  }
  void check() const override {}
  [[nodiscard]] stage::StageResult run(const stage::StageContext&) const override { return {}; }

  std::vector<recipe::NamedFile> named;
  std::vector<const ComponentInfo*> chosen;
};

/// The stages day and night, which have run, and one that reads them.
class Reader {
 public:
  Reader() {
    for (const std::string name : {"day", "night"}) {
      folder_.write(name + "/result", "of " + name);
      pipeline_.stages.push_back(std::make_unique<FakeStage>(name));
    }
  }

  [[nodiscard]] results::StageKey key(const FakeStage& stage) {
    return key_of(
        stage, pipeline_, [this](const std::string& name) { return folder_ / name; }, hashes_);
  }
  [[nodiscard]] results::StageKey reading(std::vector<stage::StageInput> inputs) {
    FakeStage stage("reader");
    stage.inputs = std::move(inputs);
    return key(stage);
  }
  [[nodiscard]] results::StageKey naming(std::vector<recipe::NamedFile> files) {
    FakeStage stage("reader");
    stage.named = std::move(files);
    return key(stage);
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  Pipeline pipeline_;
  FileHashes hashes_{folder_ / ".file_hashes"};
};

/// What the key of a stage of type label depends on.
class LabelKeys {
 public:
  LabelKeys() {
    Catalog more;
    more.add<TableLabeler>("table");
    catalog_.merge(std::move(more), "table", "table.so");
    folder_.write("model.toml", fake_model);
  }

  const stage::Stage& stage(const std::string& labeler) {
    pipeline_ =
        make_pipeline(recipe::load_recipe(folder_.write("p.toml",
                                                        "[dataset]\ntype = \"folder\"\nroot = \"data\"\n"
                                                        "[[stage]]\nname = \"base\"\ntype = \"train\"\n"
                                                        "recipe = \"model.toml\"\n"
                                                        "[[stage]]\nname = \"features\"\ntype = \"embed\"\n"
                                                        "model = \"base\"\n"
                                                        "[[stage]]\nname = \"labels\"\ntype = \"label\"\n"
                                                        "features = \"features\"\nlabeler = { " +
                                                            labeler + " }\n"),
                                          {}),
                      catalog_);
    return *pipeline_.find("labels");
  }
  std::string settings(const std::string& labeler) { return recipe::write_recipe(stage(labeler).settings()); }

 private:
  TemporaryFolder folder_;
  Catalog catalog_ = fake_catalog();
  Pipeline pipeline_;
};

}  // namespace

TEST_CASE("a result depends on the order in which it reads stages") {
  Reader reader;
  const auto one = reader.reading({{"labels", {"day", "night"}, {}, {}}});
  CHECK(key_difference(one, reader.reading({{"labels", {"day", "night"}, {}, {}}}), false).empty());
  CHECK(key_difference(one, reader.reading({{"labels", {"night", "day"}, {}, {}}}), false) ==
        "labels: [day, night] there, [night, day] here");
}

TEST_CASE("a result depends on what it reads a stage as") {
  Reader reader;
  const auto losses = reader.reading({{"losses_from", {"day"}, {}, {}}});
  const auto both = reader.reading({{"start_from", {"day"}, {}, {}}, {"losses_from", {"day"}, {}, {}}});
  CHECK(key_difference(losses, both, true) == "start_from: not set there, [day] here");
  CHECK(key_differences(both, losses) == "\n  start_from: [day] there, not set here");
  CHECK(key_difference(reader.reading({{"start_from", {"day"}, {}, {}}, {"losses_from", {"night"}, {}, {}}}),
                       reader.reading({{"start_from", {"night"}, {}, {}}, {"losses_from", {"day"}, {}, {}}}),
                       false) == "losses_from: [night] there, [day] here");
}

TEST_CASE("of files that a parameter names the content counts and the order, not where they lie") {
  Reader reader;
  const auto& folder = reader.folder();
  const auto old = folder.write("old.csv", "1");
  const auto moved = folder.write("moved.csv", "1");
  const auto other = folder.write("other.csv", "2");
  CHECK(
      key_difference(reader.naming({{"weights.file", old}}), reader.naming({{"weights.file", moved}}), false)
          .empty());
  CHECK(key_difference(reader.naming({{"weights.file", old}}), reader.naming({{"weights.file", other}}),
                       false) == "weights.file has changed");
  const auto two = reader.naming({{"pseudo_labels.file", old}, {"pseudo_labels.file", other}});
  CHECK(key_difference(two, reader.naming({{"pseudo_labels.file", other}, {"pseudo_labels.file", old}}),
                       false) == "pseudo_labels.file has changed");
  CHECK(key_difference(two, reader.naming({{"pseudo_labels.file", old}}), false) ==
        "pseudo_labels.file (2) is no longer read");
}

TEST_CASE("of a folder that a parameter names, the names and the contents of its files count") {
  Reader reader;
  int number = 0;
  const auto key_with = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    const auto name = "tables" + std::to_string(++number);
    for (const auto& [file, content] : files) reader.folder().write(name + "/" + file, content);
    return reader.naming({{"labeler.tables", reader.folder() / name}});
  };
  const auto before = key_with({{"a", "1"}, {"b", "2"}});
  const auto difference = [&](const results::StageKey& key) { return key_difference(before, key, false); };
  CHECK(difference(key_with({{"a", "1"}, {"b", "2"}})).empty());
  const std::string changed = "labeler.tables has changed";
  CHECK(difference(key_with({{"a", "1"}, {"b", "3"}})) == changed);
  CHECK(difference(key_with({{"a", "2"}, {"b", "1"}})) == changed);
  CHECK(difference(key_with({{"a", "1"}, {"c", "2"}})) == changed);
  CHECK(difference(key_with({{"a", "1"}})) == changed);
  CHECK(difference(key_with({{"a", "1"}, {"b", "2"}, {"c", "3"}})) == changed);
}

TEST_CASE(
    "a result depends on the code of Kindred, LibTorch and the plugins, by the content of their files") {
  Reader reader;
  const auto& folder = reader.folder();
  ComponentInfo component;
  component.plugin = "mgn";
  component.file = folder.write("mgn.so", "one");
  FakeStage stage("reader");
  stage.chosen = {&component};
  const auto before = reader.key(stage);
  CHECK(before.code.size() == 3);
  CHECK(before.code.at("libtorch") == system::torch_version());
  // Of the program and of the plugin API's library beside it.
  CHECK(before.code.at("kindred").size() == 64);
  CHECK(before.code.at("kindred") != text_hash(FileHashes(folder / "memory").of("/proc/self/exe")));

  component.file = folder.write("moved.so", "one");
  CHECK(key_difference(before, reader.key(stage), false).empty());
  component.file = folder.write("built_again.so", "two");
  CHECK(key_difference(before, reader.key(stage), false) ==
        "plugin mgn has changed (--ignore-code accepts its result)");
  component.file = folder / "gone.so";
  CHECK_FALSE(key_difference(before, reader.key(stage), false).empty());
}

TEST_CASE("of two plugins of one name, the code of both counts") {
  Reader reader;
  const auto& folder = reader.folder();
  ComponentInfo first;
  first.plugin = "mine";
  first.file = folder.write("first.so", "one");
  auto second = first;
  second.file = folder.write("second.so", "two");
  FakeStage stage("reader");
  stage.chosen = {&first, &second};
  const auto before = reader.key(stage);
  stage.chosen = {&second, &first};
  CHECK(key_difference(before, reader.key(stage), false).empty());
  first.file = folder.write("first_again.so", "three");
  CHECK(key_difference(before, reader.key(stage), false) ==
        "plugin mine has changed (--ignore-code accepts its result)");
}

TEST_CASE("a training depends on the code of the data sets of its pseudo labels, too") {
  const TemporaryFolder folder;
  auto catalog = fake_catalog();
  Catalog more;
  more.add<FakeDataset>("written");
  more.add<FakeDataset>("labeled");
  more.add<TableLabeler>("table");
  catalog.merge(std::move(more), "more", "more.so");
  folder.write("model.toml", fake_model);
  folder.write("labels.toml",
               "extends = \"model.toml\"\n[[pseudo_labels]]\nfile = \"labels.csv\"\n"
               "dataset = { type = \"written\", root = \"x\" }\n");
  const auto pipeline = make_pipeline(
      recipe::load_recipe(
          folder.write("p.toml",
                       "[dataset]\ntype = \"folder\"\nroot = \"data\"\n"
                       "[[stage]]\nname = \"base\"\ntype = \"train\"\nrecipe = \"model.toml\"\n"
                       "[[stage]]\nname = \"features\"\ntype = \"embed\"\nmodel = \"base\"\n"
                       "dataset = { type = \"labeled\", root = \"y\" }\n"
                       "[[stage]]\nname = \"labels\"\ntype = \"label\"\nfeatures = \"features\"\n"
                       "labeler = { type = \"table\" }\n"
                       "[[stage]]\nname = \"again\"\ntype = \"train\"\nrecipe = \"labels.toml\"\n"
                       "labels = [\"labels\"]\n"),
          {}),
      catalog);
  const auto datasets_of = [&](const std::string& name) {
    std::vector<std::string> datasets;
    for (const auto* component : pipeline.find(name)->code()) {
      if (component->role == "dataset") datasets.push_back(component->name);
    }
    return datasets;
  };
  CHECK(datasets_of("base") == std::vector<std::string>{"folder"});
  CHECK(datasets_of("again") == std::vector<std::string>{"folder", "written", "labeled"});
}

TEST_CASE("a training depends on the code of its teachers' networks, too") {
  const TemporaryFolder folder;
  auto catalog = fake_catalog();
  Catalog more;
  more.add<TinyBackbone>("tiny");
  more.add<FakeBackbone>("unused");
  catalog.merge(std::move(more), "more", "more.so");
  const auto tiny = tiny_catalog();
  const auto plan = tiny_plan(tiny, {});
  const auto file = folder / "teacher.safetensors";
  model::write_model_file(file, *model::build_model(plan, model::any_population(3)), plan);
  folder.write("model.toml", fake_model);
  folder.write("student.toml", "extends = \"model.toml\"\n[[teacher]]\nname = \"big\"\nweights = \"" +
                                   file.string() + "\"\n");
  const auto pipeline = make_pipeline(
      recipe::load_recipe(
          folder.write("p.toml",
                       "[dataset]\ntype = \"folder\"\nroot = \"data\"\n"
                       "[[stage]]\nname = \"alone\"\ntype = \"train\"\nrecipe = \"model.toml\"\n"
                       "[[stage]]\nname = \"led\"\ntype = \"train\"\nrecipe = \"student.toml\"\n"),
          {}),
      catalog);
  const auto backbones_of = [&](const std::string& name) {
    std::vector<std::string> backbones;
    for (const auto* component : pipeline.find(name)->code()) {
      if (component->role == "backbone") backbones.push_back(component->name);
    }
    return backbones;
  };
  CHECK(backbones_of("alone") == std::vector<std::string>{"small"});
  CHECK(backbones_of("led") == std::vector<std::string>{"small", "tiny"});
}

TEST_CASE("of a stage's own component, too, files count by their content and what affects nothing does not") {
  LabelKeys keys;
  const auto files = keys.stage("type = \"table\", table = \"a.csv\"").files();
  REQUIRE(files.size() == 1);
  CHECK(files.front().key == "labeler.table");
  CHECK(files.front().path == "a.csv");
  const auto settings = keys.settings("type = \"table\", table = \"a.csv\", cache = \"x\"");
  CHECK(settings == keys.settings("type = \"table\", table = \"b.csv\", cache = \"y\""));
  CHECK(settings != keys.settings("type = \"table\", table = \"a.csv\", k = 4"));
}
