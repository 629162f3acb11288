#include "command/weights.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "framework/weights/small_networks.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

/// What another program might have: the network's own names, without a recipe.
struct Foreign {
  TemporaryFolder folder;
  fs::path file = folder / "foreign.safetensors";
  fs::path out = folder / "model.safetensors";
  std::shared_ptr<model::Model> model = model::build_model(small_plan("small_resnet", {"seed=99"}), 4);
  file::TensorFile content{model::module_tensors(*model), {}};

  ImportOutcome import(ImportOptions options = {}, std::vector<std::string> more = {}) {
    file::write_safetensors(file, content);
    options.file = file;
    options.out = out;
    return import_weights(small_plan("small_resnet", more), options);
  }
};

/// A head that fast-reid's files name.
class ForeignBranches : public SmallBranches {
 public:
  using SmallBranches::SmallBranches;
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "fast-reid baseline", .required = {"heads.*"}, .rules = {{"heads.*", "*"}}}};
  }
};

}  // namespace

TEST_CASE("inspecting says what a file is and lists its tensors with Kindred's names") {
  const auto text = weights_text(inspect_weights(golden_weights("resnet_legacy"), "", small_catalog()));
  CHECK(contains(text, "format   PyTorch before 1.6\n"));
  CHECK(contains(text, "tensors  38, 6376 elements, 25528 bytes\n"));
  CHECK(contains(text, "layout   torchvision: conv1.weight, layer1.0.conv1.weight in the file\n"));
  CHECK(contains(text, "\nTENSOR "));
  CHECK(contains(text, "conv1.weight"));
  CHECK(contains(text, "[8, 3, 7, 7]"));
  CHECK(contains(text, "backbone.conv1.weight"));
  const auto checkpoint = weights_text(inspect_weights(golden_weights("checkpoint"), "", small_catalog()));
  CHECK(contains(checkpoint, "tensors  7 under 'state_dict'"));
  CHECK(contains(checkpoint, "other    epoch, rank1, optimizer, scheduler\n"));
  CHECK(contains(checkpoint, "layout   not recognized"));
  CHECK(contains(checkpoint, "unused, unless it is backbone.0.weight"));
}

TEST_CASE("inspecting names what has no place, what is not read, and the prefix that is taken off") {
  const auto resnet = weights_text(inspect_weights(golden_weights("resnet"), "", small_catalog()));
  const auto fc = resnet.substr(resnet.find("\nfc.weight ") + 1);
  CHECK(fc.substr(0, fc.find('\n')).ends_with("Float  unused"));
  const auto objects = weights_text(inspect_weights(golden_weights("objects"), "", small_catalog()));
  CHECK(
      contains(objects, "not read  args (argparse.Namespace), cfg (__main__.Config), hook (posix.system): "));
  const auto parallel =
      weights_text(inspect_weights(golden_weights("se_resnet_parallel"), "", small_catalog()));
  CHECK(contains(parallel, "prefix   module. is taken off the names"));
  const auto student =
      weights_text(inspect_weights(golden_weights("teacher_student"), "student", small_catalog()));
  CHECK(contains(student, "7 under 'student'"));
}

TEST_CASE("inspecting as JSON says the same") {
  const auto json = nlohmann::json::parse(
      weights_json(inspect_weights(golden_weights("se_resnet_parallel"), "", small_catalog())));
  CHECK(json["format"] == "PyTorch");
  CHECK(json["prefix"] == "module.");
  CHECK(json["layout"] == "pretrained-models (Cadene)");
  CHECK(json["sha256"].get<std::string>().size() == 64);
  const auto& tensor = json["tensors"][0];
  CHECK(tensor["name"] == "module.layer0.conv1.weight");
  CHECK(tensor["shape"] == std::vector<int>{8, 3, 7, 7});
  CHECK(tensor["type"] == "Float");
  CHECK(tensor["kindred"] == "backbone.layer0.conv1.weight");
  CHECK(json["tensors"].back()["kindred"].is_null());
}

TEST_CASE("an imported file is a model that describes as the one it was made of") {
  Foreign foreign;
  const auto outcome = foreign.import();
  CHECK(outcome.written);
  CHECK(outcome.identities == 4);
  CHECK(contains(outcome.text, "identities: 4, as in the file"));
  const auto model_file = model::read_model_file(foreign.out, small_catalog(), {});
  foreign.model->eval();
  CHECK(torch::equal(model_file.model->describe(small_images()), foreign.model->describe(small_images())));
  const auto* start = model_file.recipe.as<Table>()->find("weights");
  REQUIRE(start != nullptr);
  CHECK(*start->as<Table>()->find("file")->as<std::string>() == foreign.file.string());
  CHECK(start->as<Table>()->find("sha256")->as<std::string>()->size() == 64);
}

TEST_CASE("an import of a model file names what its own recipe says otherwise") {
  Foreign foreign;
  ImportOptions options;
  options.file = foreign.folder / "own.safetensors";
  options.out = foreign.out;
  model::write_model_file(options.file, *foreign.model, small_plan("small_resnet"));
  const auto same = import_weights(small_plan("small_resnet"), options);
  CHECK(same.written);
  CHECK_FALSE(contains(same.text, "says otherwise"));
  const auto other = import_weights(small_plan("small_resnet", {"backbone.stem_relu=false"}), options);
  CHECK(other.written);
  CHECK(contains(other.text,
                 "\nthe recipe of its training says otherwise: backbone.stem_relu = true (here false)\n"));
}

TEST_CASE("an imported model needs neither the file it was made of nor one that its recipe names") {
  Foreign foreign;
  CHECK(foreign.import({}, {"backbone.weights='never/there.pth'"}).written);
  fs::remove(foreign.file);
  CHECK_NOTHROW(static_cast<void>(model::read_model_file(foreign.out, small_catalog(), {})));
}

TEST_CASE("a file that does not fit is listed tensor by tensor, and nothing is written") {
  Foreign foreign;
  std::erase_if(foreign.content.tensors,
                [](const auto& entry) { return entry.first == "backbone.conv1.weight"; });
  foreign.content.tensors.emplace_back("head.extra", torch::ones(1));
  const auto outcome = foreign.import();
  CHECK_FALSE(outcome.written);
  CHECK_FALSE(fs::exists(foreign.out));
  CHECK(contains(outcome.text, "\nmissing   backbone.conv1.weight"));
  CHECK(contains(outcome.text, "\nno place  head.extra"));
  CHECK(contains(outcome.text,
                 "1 missing, 0 of the file of no use, 1 of the file without a place in the network"));
  CHECK(contains(outcome.text, "nothing was written"));
  CHECK(contains(outcome.text, "if they are of no use: --allow-unused 'PATTERN'"));
  CHECK_FALSE(foreign.import({.allowed = {.missing = {"backbone.conv1.*"}}}).written);
  const auto allowed = foreign.import({.allowed = {.missing = {"backbone.conv1.*"}, .unused = {"head.ex*"}}});
  CHECK(allowed.written);
  CHECK(contains(allowed.text, "of no use       head.extra             allowed to be unused"));
  CHECK(contains(allowed.text, "left unchanged  backbone.conv1.weight"));
}

TEST_CASE("a classifier of other identities is left out, in a line that says so") {
  Foreign foreign;
  const auto outcome = foreign.import({.identities = 6});
  CHECK(outcome.written);
  CHECK(contains(outcome.text,
                 "\nthe file is not of these identities: head.classifier* starts from random numbers\n"));
  const auto model_file = model::read_model_file(foreign.out, small_catalog(), {});
  CHECK(model_file.model->named_parameters()["head.classifier.weight"].size(0) == 6);
  foreign.model->eval();
  CHECK(torch::equal(model_file.model->describe(small_images()), foreign.model->describe(small_images())));
  const auto* start = model_file.recipe.as<Table>()->find("weights")->as<Table>();
  CHECK(start->find("allow_missing")->to_toml() == "[\"head.classifier*\"]");
}

TEST_CASE("a file without a classifier needs to be told of how many identities it is") {
  Foreign foreign;
  std::erase_if(foreign.content.tensors,
                [](const auto& entry) { return entry.first.starts_with("head.classifier"); });
  const auto message = message_of<Error>([&] { static_cast<void>(foreign.import()); });
  CHECK(contains(message, "give --identities N"));
  CHECK(foreign.import({.identities = 2}).written);
}

TEST_CASE("an import sets what the file's program demands, shows it, and writes it into the model") {
  TemporaryFolder folder;
  const auto source =
      model::build_model(small_plan("small_resnet", {"seed=99", "backbone.stem_pooling='rounded_up'"}), 4);
  file::TensorFile content;
  for (const auto& [name, tensor] : model::module_tensors(*source)) {
    content.tensors.emplace_back(name.starts_with("head.") ? "heads." + name.substr(5) : name, tensor);
  }
  const auto file = folder / "foreign.safetensors";
  file::write_safetensors(file, content);
  Catalog catalog = tiny_catalog();
  Catalog scratch;
  scratch.add<SmallResnet>("small_resnet");
  scratch.add<ForeignBranches>("small_branches");
  catalog.merge(std::move(scratch), "small", "small.so");
  const auto import = [&](const std::vector<std::string>& more) {
    std::vector<std::string> overrides = {"backbone={type='small_resnet'}", "head={type='small_branches'}",
                                          "loss=[{type='entropy',on=['logits']}]"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    const auto plan = recipe::make_plan(recipe::parse_recipe(tiny_recipe, "tiny.toml", overrides), catalog);
    return import_weights(plan, {.file = file, .out = folder / "model.safetensors"});
  };
  const auto outcome = import({});
  CHECK(outcome.written);
  CHECK(contains(outcome.text, "\nlayout: fast-reid baseline: 'heads."));
  CHECK(contains(outcome.text, " are there\n"));
  CHECK(contains(outcome.text, "\nneeds: backbone.stem_pooling = \"rounded_up\" (set)\n"));
  const auto model_file = model::read_model_file(folder / "model.safetensors", catalog, {});
  source->eval();
  CHECK(torch::equal(model_file.model->describe(small_images()), source->describe(small_images())));
  CHECK(contains(import({"backbone.stem_pooling='rounded_up'"}).text,
                 "\nneeds: backbone.stem_pooling = \"rounded_up\"\n"));
  const auto message =
      message_of<RecipeError>([&] { static_cast<void>(import({"backbone.stem_pooling='padded'"})); });
  CHECK(contains(message, "--set backbone.stem_pooling='padded': error: the weights "));
  CHECK(contains(message, "need backbone.stem_pooling = \"rounded_up\", but the recipe says \"padded\""));
}

TEST_CASE("a backbone's file is told to be one") {
  Foreign foreign;
  const auto outcome = import_weights(
      small_plan("small_resnet"), {.file = golden_weights("resnet"), .out = foreign.out, .identities = 3});
  CHECK(contains(outcome.text,
                 "nothing was written: the file contains only a backbone; to train with it, set in the "
                 "recipe: [backbone] weights = \""));
}

TEST_CASE("a pattern that no tensor has is refused") {
  Foreign foreign;
  const auto message =
      message_of<Error>([&] { static_cast<void>(foreign.import({.allowed = {.missing = {"head.fc.*"}}})); });
  CHECK(contains(message, "allow_missing: the network has no tensor 'head.fc.*'"));
}
