// Training that starts from files of weights.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "file/sha256.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "stage/train.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> never{false};

class NotingSink : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override { notes += text + "\n"; }
  std::string notes;
};

/// A model of no training, of another seed than the recipe's.
struct Start {
  Catalog catalog = tiny_catalog();
  TemporaryFolder folder;
  fs::path file = folder / "start.safetensors";
  NotingSink sink;

  Start() { write("100"); }

  void write(const std::string& seed) const {
    const auto plan = tiny_plan(catalog, {"seed=" + seed});
    model::write_model_file(file, *model::build_model(plan, 5), plan);
  }
  [[nodiscard]] recipe::Plan plan(const std::string& key, std::vector<std::string> more = {}) const {
    more.push_back(key + "=" + Value(file.string()).to_toml());
    return tiny_plan(catalog, more);
  }
  TrainOutcome train(const recipe::Plan& plan, const std::string& run) {
    return stage::train(plan, folder / run, sink, never);
  }
  [[nodiscard]] torch::Tensor tensor(const fs::path& model, const std::string& name) const {
    return *file::read_safetensors(model).find(name);
  }
};

}  // namespace

TEST_CASE("no epoch of training gives the file's tensors back: the backbone's alone, or all") {
  Start start;
  const auto backbone = start.train(start.plan("backbone.weights", {"train.epochs=0"}), "backbone").model;
  const auto network = start.train(start.plan("weights.file", {"train.epochs=0"}), "network").model;
  const auto random = start.train(tiny_plan(start.catalog, {"train.epochs=0"}), "random").model;
  const std::string first = "backbone.first.weight";
  const std::string classifier = "head.classifier.weight";
  CHECK(torch::equal(start.tensor(backbone, first), start.tensor(start.file, first)));
  CHECK(torch::equal(start.tensor(backbone, classifier), start.tensor(random, classifier)));
  CHECK(torch::equal(start.tensor(network, first), start.tensor(start.file, first)));
  CHECK(torch::equal(start.tensor(network, classifier), start.tensor(start.file, classifier)));
}

TEST_CASE("the log of a training says what was loaded, and the resolved recipe what the file was") {
  Start start;
  static_cast<void>(start.train(start.plan("backbone.weights", {"train.epochs=1"}), "run"));
  const auto note = "weights of the backbone from " + start.file.string() + " (layout: Kindred: 'backbone.";
  CHECK(start.sink.notes.find(note) != std::string::npos);
  CHECK(start.sink.notes.find(" are there): 9 of 9 tensors matched") != std::string::npos);
  CHECK(read_bytes(start.folder / "run/log.txt").find(note) != std::string::npos);
  CHECK(read_bytes(start.folder / "run/recipe.toml")
            .find("weights_sha256 = \"" + file::sha256_of_file(start.file)) != std::string::npos);
}

TEST_CASE("a run does not go on with another file under the same name, nor without it") {
  Start start;
  const auto plan = start.plan("backbone.weights", {"train.epochs=1"});
  static_cast<void>(start.train(plan, "run"));
  CHECK(start.train(plan, "run").was_done);
  start.write("101");
  const auto message = message_of<DataError>([&] { static_cast<void>(start.train(plan, "run")); });
  CHECK(message.find("belongs to another recipe") != std::string::npos);
  CHECK(message.find("backbone.weights_sha256") != std::string::npos);
  const auto without = tiny_plan(start.catalog, {"train.epochs=1"});
  CHECK_THROWS_AS(static_cast<void>(start.train(without, "run")), DataError);
}

TEST_CASE("a run does not go on when the file for the whole network is another or left out") {
  Start start;
  const auto plan = start.plan("weights.file", {"train.epochs=1"});
  static_cast<void>(start.train(plan, "run"));
  const auto without = tiny_plan(start.catalog, {"train.epochs=1"});
  const auto message = message_of<DataError>([&] { static_cast<void>(start.train(without, "run")); });
  CHECK(message.find("weights.sha256") != std::string::npos);
}

TEST_CASE("the same file elsewhere is the same run") {
  Start start;
  static_cast<void>(start.train(start.plan("backbone.weights", {"train.epochs=1"}), "run"));
  fs::rename(start.file, start.folder / "moved.safetensors");
  start.file = start.folder / "moved.safetensors";
  CHECK(start.train(start.plan("backbone.weights", {"train.epochs=1"}), "run").was_done);
}

TEST_CASE("a trained model is used without the file that its training started from") {
  Start start;
  const auto model = start.train(start.plan("backbone.weights", {"train.epochs=1"}), "run").model;
  fs::remove(start.file);
  const auto model_file = model::read_model_file(model, start.catalog, {});
  CHECK(model_file.model->describe(torch::rand({2, 3, 16, 8})).size(1) == 16);
  // The resolved recipe of a training that has ended says all that is needed to know it again.
  const auto resolved = recipe::make_plan(
      recipe::parse_recipe(read_bytes(start.folder / "run/recipe.toml"), "frozen", {}), start.catalog);
  CHECK(start.train(resolved, "run").was_done);
}
