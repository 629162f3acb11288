#include "weights/initial_weights.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "file/sha256.h"
#include "framework/weights/small_networks.h"
#include "kindred/core/error.h"
#include "model/model_file.h"
#include "temporary_folder.h"
#include "training/plan_check.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<model::Model> built(const recipe::Plan& plan, std::string* notes = nullptr,
                                    std::int64_t identities = 4) {
  std::vector<std::string> said;
  auto model = build_initial_model(plan, identities, said);
  if (notes != nullptr) {
    for (const auto& note : said) *notes += note + "\n";
  }
  return model;
}

template <class E>
std::string refusal(const recipe::Plan& plan, std::int64_t identities = 4) {
  return message_of<E>([&] { static_cast<void>(built(plan, nullptr, identities)); });
}

recipe::Plan with_backbone(const std::string& file, const std::string& backbone = "small_resnet",
                           std::vector<std::string> more = {}) {
  more.push_back("backbone.weights=" + Value(file).to_toml());
  return small_plan(backbone, more);
}

/// A model of another seed, written as training writes it.
struct Trained {
  TemporaryFolder folder;
  fs::path file = folder / "trained.safetensors";
  std::shared_ptr<model::Model> model = model::build_model(small_plan("small_resnet", {"seed=99"}), 4);
  Trained() { model::write_model_file(file, *model, small_plan("small_resnet", {"seed=99"})); }
};

recipe::Plan with_network(const fs::path& file, std::vector<std::string> more = {}) {
  more.push_back("weights.file=" + Value(file.string()).to_toml());
  return small_plan("small_resnet", more);
}

bool same_tensors(const model::Model& a, const model::Model& b, const std::string& prefix = "") {
  const auto of_a = model::module_tensors(a);
  const auto of_b = model::module_tensors(b);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    if (of_a[i].first.rfind(prefix, 0) == 0 && !torch::equal(of_a[i].second, of_b[i].second)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("untouched files of PyTorch, of both formats, give the outputs that PyTorch gives") {
  for (const std::string network : {"resnet", "se_resnet"}) {
    const std::string stem = network == "resnet" ? "resnet" : "se_resnet_parallel";
    for (const std::string format : {"", "_legacy"}) {
      const auto model = built(with_backbone(golden_weights(stem + format), "small_" + network));
      model->eval();
      const auto expected = pytorch_map(network);
      const auto actual = model->forward(small_images()).at(0).view_as(expected);
      CHECK((actual - expected).abs().max().item<double>() < 1e-4);
      CHECK(expected.abs().max().item<double>() > 0.5);
    }
  }
}

TEST_CASE("with the stems of fast-reid and of reid-strong-baseline the outputs are theirs") {
  for (const auto& [network, option] : {std::pair("resnet_as_fast_reid", "backbone.stem_pooling=rounded_up"),
                                        std::pair("resnet_as_strong_baseline", "backbone.stem_relu=false")}) {
    const auto model = built(with_backbone(golden_weights("resnet"), "small_resnet", {option}));
    model->eval();
    const auto expected = pytorch_map(network);
    const auto actual = model->forward(small_images()).at(0).view_as(expected);
    CHECK((actual - expected).abs().max().item<double>() < 1e-4);
    CHECK((expected - pytorch_map("resnet")).abs().max().item<double>() > 1e-2);
  }
}

TEST_CASE("a head copies the backbone after its weights were loaded") {
  const auto model = built(with_backbone(golden_weights("resnet")));
  const auto file = read_weights_file(golden_weights("resnet"));
  const std::string tensor = "layer2.0.downsample.0.weight";
  for (const auto* branch : {"head.first.", "head.second."}) {
    CHECK(torch::equal(model->named_parameters()[branch + tensor], *file.content.find(tensor)));
  }
}

TEST_CASE("the note says what was loaded and what was of no use") {
  std::string notes;
  static_cast<void>(built(with_backbone(golden_weights("resnet")), &notes));
  CHECK(notes ==
        "weights of the backbone from " + golden_weights("resnet") +
            " (layout: torchvision: 'conv1.weight' and 'layer1.0.conv1.weight' are there): 36 of 36 tensors "
            "matched, 2 of the file of no use"
            "\n  unused: fc.weight (known to be of no use)\n  unused: fc.bias (known to be of no use)\n");
  notes.clear();
  static_cast<void>(built(with_backbone(golden_weights("se_resnet_parallel"), "small_se_resnet"), &notes));
  CHECK(notes.find("9 not in the file, set to 0 (counters of batch norms)") != std::string::npos);
  notes.clear();
  static_cast<void>(built(small_plan("small_resnet"), &notes));
  CHECK(notes.empty());
}

TEST_CASE("a file of another backbone is refused whole, with what is missing") {
  const auto message = refusal<DataError>(with_backbone(golden_weights("se_resnet_parallel")));
  CHECK(message.find(
            "se_resnet_parallel.pth: error: its tensors (layout: pretrained-models (Cadene), without "
            "the prefix 'module.': 'layer0.conv1.weight' and 'layer1.0.conv1.weight' are there) do not match "
            "the backbone:\n  ") != std::string::npos);
  CHECK(message.find("missing: backbone.conv1.weight") != std::string::npos);
  CHECK(message.find("`kindred weights inspect ") != std::string::npos);
}

TEST_CASE("a tensor with NaN or an infinite number is refused by the file's name, unless it is of no use") {
  const TemporaryFolder folder;
  const auto file = folder / "bad.safetensors";
  const auto with_bad = [&](const fs::path& from, const std::string& name, float bad) {
    auto content = read_weights_file(from).content;
    content.metadata.clear();  // the checksum is of the file as it was
    for (auto& [own, tensor] : content.tensors) {
      if (own != name) continue;
      tensor = tensor.contiguous().clone();
      tensor.view(-1)[3] = bad;
    }
    file::write_safetensors(file, content);
    return file.string();
  };
  const auto refused = [&](const std::string& name) {
    return file.string() + ": error: its tensor '" + name + "' contains a number that is not finite";
  };
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float inf = std::numeric_limits<float>::infinity();
  const auto resnet = golden_weights("resnet");
  CHECK(refusal<DataError>(with_backbone(with_bad(resnet, "conv1.weight", nan)))
            .starts_with(refused("conv1.weight")));
  CHECK(refusal<DataError>(with_backbone(with_bad(resnet, "layer1.0.bn1.running_var", inf)))
            .starts_with(refused("layer1.0.bn1.running_var")));
  CHECK(refusal<DataError>(with_backbone(with_bad(resnet, "fc.weight", nan))).empty());
  const Trained trained;
  const auto whole = with_bad(trained.file, "head.classifier.weight", -inf);
  CHECK(refusal<DataError>(with_network(whole)).starts_with(refused("head.classifier.weight")));
}

TEST_CASE("weights of the head do not depend on a file for the backbone") {
  const auto with = built(with_backbone(golden_weights("resnet")));
  const auto without = built(small_plan("small_resnet"));
  CHECK(same_tensors(*with, *without, "head.classifier."));
  CHECK_FALSE(same_tensors(*with, *without, "head.first."));
}

TEST_CASE("a trained model is what another training starts from, head and all") {
  const Trained trained;
  CHECK(same_tensors(*built(with_network(trained.file)), *trained.model));
}

TEST_CASE("what the recipe of a model file says otherwise of the network is named, as no tensor tells it") {
  const Trained trained;
  const auto said = [](const recipe::Plan& plan) {
    std::string notes;
    static_cast<void>(built(plan, &notes));
    return notes;
  };
  const std::string relu =
      "the recipe of its training says otherwise: backbone.stem_relu = true (here false)\n";
  CHECK(said(with_network(trained.file)).find("says otherwise") == std::string::npos);
  CHECK(said(with_network(trained.file, {"backbone.stem_relu=false"})).find(relu) != std::string::npos);
  const std::vector<std::string> both = {"backbone.stem_relu=false", "backbone.stem_pooling='rounded_up'"};
  CHECK(said(with_network(trained.file, both))
            .find("backbone.stem_pooling = \"padded\" (here \"rounded_up\"), backbone.stem_relu = true (here "
                  "false)\n") != std::string::npos);
}

TEST_CASE("with other identities the classifier starts from random numbers, in a line that says so") {
  const Trained trained;
  std::string notes;
  const auto model = built(with_network(trained.file), &notes, 6);
  CHECK(notes.find("left unchanged: head.classifier.weight ([4, 16] instead of [6, 16])") !=
        std::string::npos);
  CHECK(
      notes.find("\n  the file is not of these identities: head.classifier* starts from random numbers\n") !=
      std::string::npos);
  CHECK(torch::equal(
      model->named_parameters()["head.classifier.weight"],
      model::build_model(small_plan("small_resnet"), 6)->named_parameters()["head.classifier.weight"]));
  CHECK(torch::equal(model->named_parameters()["backbone.conv1.weight"],
                     trained.model->named_parameters()["backbone.conv1.weight"]));
  CHECK(notes.find("classifiers are taken") == std::string::npos);
  notes.clear();
  static_cast<void>(built(with_network(trained.file), &notes));
  CHECK(notes.find("not of these identities") == std::string::npos);
}

TEST_CASE("that the classifier of as many identities is taken is said, as they may be other people") {
  const Trained trained;
  std::string notes;
  const auto model = built(with_network(trained.file), &notes);
  CHECK(torch::equal(model->named_parameters()["head.classifier.weight"],
                     trained.model->named_parameters()["head.classifier.weight"]));
  CHECK(notes.find("\n  its classifiers are taken, too: it has as many identities as the training images") !=
        std::string::npos);
}

TEST_CASE("a tensor of the file without a place in the network is an error, unless it is named") {
  const TemporaryFolder folder;
  auto content = read_weights_file(golden_weights("resnet")).content;
  content.tensors.emplace_back("NL_2.0.theta.weight", torch::ones({1, 8, 1, 1}));
  const auto file = (folder / "more.safetensors").string();
  file::write_safetensors(file, content);
  const auto message = refusal<DataError>(with_backbone(file));
  CHECK(message.find("\n  1 of the file without a place in the network: NL_2.0.theta.weight") !=
        std::string::npos);
  CHECK(message.find("name it in [backbone] weights_allow_unused") != std::string::npos);
  std::string notes;
  static_cast<void>(
      built(with_backbone(file, "small_resnet", {"backbone.weights_allow_unused=['NL_*']"}), &notes));
  CHECK(notes.find("unused: NL_2.0.theta.weight (allowed to be unused)") != std::string::npos);
  CHECK(refusal<RecipeError>(with_backbone(file, "small_resnet", {"backbone.weights_allow_unused=['SE_*']"}))
            .find("[backbone]: weights_allow_unused: the file has no tensor 'SE_*'") != std::string::npos);

  const Trained trained;
  auto whole = read_weights_file(trained.file).content;
  whole.metadata.clear();  // the checksum is of the file as it was
  whole.tensors.emplace_back("head.gate", torch::ones(2));
  file::write_safetensors(file, whole);
  CHECK(refusal<DataError>(with_network(file)).find("name it in [weights] allow_unused") !=
        std::string::npos);
  CHECK_NOTHROW(static_cast<void>(built(with_network(file, {"weights.allow_unused=['head.gate']"}))));
}

TEST_CASE("what the layout of a file demands is set in the plan, in its network and in its identity") {
  const TemporaryFolder folder;
  file::TensorFile content;
  for (const auto& [name, tensor] : read_weights_file(golden_weights("resnet")).content.tensors) {
    if (!name.starts_with("fc.")) content.tensors.emplace_back("backbone." + name, tensor);
  }
  content.tensors.emplace_back("heads.unknown.weight", torch::ones(2));
  const auto file = (folder / "fast_reid.safetensors").string();
  file::write_safetensors(file, content);
  const auto asked = with_backbone(file);
  const auto plan = settled(asked);
  const auto says = [](const recipe::Plan& given) {
    return given.resolved().as<Table>()->find("backbone")->as<Table>()->find("stem_pooling")->to_toml();
  };
  CHECK(says(asked) == "\"padded\"");
  CHECK(says(plan) == "\"rounded_up\"");
  CHECK(says(settled(plan)) == "\"rounded_up\"");
  CHECK_FALSE(plan.identity() == asked.identity());

  std::string notes;
  const auto model = built(asked, &notes);
  CHECK(notes.find("\n  it needs: backbone.stem_pooling = \"rounded_up\" (set)") != std::string::npos);
  model->eval();
  const auto expected = pytorch_map("resnet_as_fast_reid");
  CHECK((model->forward(small_images()).at(0).view_as(expected) - expected).abs().max().item<double>() <
        1e-4);
  CHECK(notes.find("unused: heads.unknown.weight (not of this part of the network)") != std::string::npos);
  CHECK(refusal<RecipeError>(with_backbone(file, "small_resnet", {"backbone.stem_pooling='padded'"}))
            .find("need backbone.stem_pooling = \"rounded_up\", but the recipe says \"padded\"") !=
        std::string::npos);
}

TEST_CASE("a backbone's file for the whole network is told to be one") {
  CHECK(refusal<DataError>(with_network(golden_weights("resnet")))
            .find("do not match the network:\n  32 missing: ") != std::string::npos);
  CHECK(refusal<DataError>(with_network(golden_weights("resnet")))
            .find("\nit contains only a backbone: use [backbone] weights\n") != std::string::npos);
}

TEST_CASE("a pattern that no tensor has is an error at its table") {
  const Trained trained;
  const auto plan = with_network(trained.file, {"weights.allow_missing=['head.fc.*']"});
  CHECK(refusal<RecipeError>(plan).find("[weights]: allow_missing: the network has no tensor 'head.fc.*'") !=
        std::string::npos);
}

TEST_CASE("another file than the recipe's SHA-256 says is refused") {
  const auto file = golden_weights("resnet");
  const auto right = file::sha256_of_file(file);
  auto wrong = right;
  wrong[0] = wrong[0] == 'a' ? 'b' : 'a';
  CHECK(
      refusal<DataError>(with_backbone(file, "small_resnet", {"backbone.weights_sha256=" + right})).empty());
  const auto message =
      refusal<DataError>(with_backbone(file, "small_resnet", {"backbone.weights_sha256=" + wrong}));
  CHECK(message.find("is not the file of the recipe: its SHA-256 is " + right + ", but the recipe expects " +
                     wrong) != std::string::npos);
}

TEST_CASE("the identity of a plan is that of the files' content, not of their place") {
  const TemporaryFolder folder;
  fs::copy_file(golden_weights("resnet"), folder / "copy.pth");
  const auto one = settled(with_backbone(golden_weights("resnet")));
  const auto same = settled(with_backbone((folder / "copy.pth").string()));
  const auto other = settled(with_backbone(golden_weights("resnet_legacy")));
  const auto none = settled(small_plan("small_resnet"));
  CHECK(one.identity() == same.identity());
  CHECK_FALSE(one.identity() == other.identity());
  CHECK_FALSE(one.identity() == none.identity());
  CHECK(one.backbone_start.weights_sha256 == file::sha256_of_file(golden_weights("resnet")));

  const Trained trained;
  const auto whole = settled(with_network(trained.file));
  CHECK(whole.weights.sha256 == file::sha256_of_file(trained.file));
  CHECK_FALSE(whole.identity() == none.identity());
}

TEST_CASE("the resolved recipe names the file and its SHA-256, and is read as the same plan") {
  const auto plan = settled(with_backbone(golden_weights("resnet")));
  const auto again = recipe::make_plan(
      recipe::parse_recipe(recipe::write_recipe(plan.resolved()), "frozen", {}), small_catalog());
  CHECK(again.resolved() == plan.resolved());
  CHECK(again.backbone_start.weights == golden_weights("resnet"));
  CHECK(again.backbone_start.weights_sha256 == plan.backbone_start.weights_sha256);
}

TEST_CASE("a file that is not there is an error at the table that names it") {
  const auto message = message_of<RecipeError>([] { static_cast<void>(settled(with_backbone("none.pth"))); });
  CHECK(message.find("[backbone] weights: none.pth: error: does not exist") != std::string::npos);
}

TEST_CASE("what a recipe says of weights is checked") {
  const auto error = [](const std::vector<std::string>& more) {
    return message_of<RecipeError>([&] { static_cast<void>(small_plan("small_resnet", more)); });
  };
  CHECK(error({"backbone.weights=5"}).find("weights = 5 must be text") != std::string::npos);
  CHECK(error({"backbone.weights_sha256=" + std::string(64, 'a')}).find("weights_sha256 needs weights") !=
        std::string::npos);
  CHECK(error({"backbone.weights=x", "backbone.weights_sha256=abc"}).find("64 hexadecimal digits") !=
        std::string::npos);
  CHECK(error({"weights.allow_missing=['a']"}).find("allow_missing needs file") != std::string::npos);
  CHECK(error({"weights.key=a"}).find("--set weights.key=a: error: [weights]: key needs file") !=
        std::string::npos);
  CHECK(error({"backbone.weights_key=a"}).find("weights_key needs weights") != std::string::npos);
  CHECK(error({"weights.file=x", "backbone.weights=y"}).find("remove one of them") != std::string::npos);
  CHECK(error({"backbone.weight=x"}).find("did you mean") != std::string::npos);
}

TEST_CASE("how many identities a file is of is told by its classifier") {
  const Trained trained;
  const auto plan = small_plan("small_resnet");
  const auto known = known_layouts(plan);
  CHECK(identities_of(plan, translate(read_weights_file(trained.file), known), trained.file) == 4);
  CHECK(identities_of(plan, translate(read_weights_file(golden_weights("resnet")), known), "x") ==
        std::nullopt);
  auto file = read_weights_file(trained.file);
  for (auto& [name, tensor] : file.content.tensors) {
    if (name == "head.classifier.bias") tensor = torch::ones({5});
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(identities_of(plan, translate(file, known), "x")),
                       doctest::Contains("its classifiers have different numbers of identities"), DataError);
}

TEST_CASE("a file of a classifier that it does not hold is refused before a network is built for it") {
  const Trained trained;
  auto content = file::read_safetensors(trained.file);
  content.metadata.clear();  // the checksum is of the file as it was
  std::erase_if(content.tensors,
                [](const auto& entry) { return entry.first.starts_with("head.classifier"); });
  content.tensors.emplace_back("head.classifier.weight", torch::empty({10'000'000'000, 0}));
  const TemporaryFolder folder;
  const auto file = folder / "rows.safetensors";
  file::write_safetensors(file, content);
  const auto refused =
      file.string() + ": error: its classifier of 10,000,000,000 identities would need a network";
  const auto plan = small_plan("small_resnet");
  const auto of_two = model::build_model(plan, 2);
  CHECK(message_of<DataError>([&] {
          const auto weights = translate_for_plan(read_weights_file(file), plan);
          static_cast<void>(build_for_identities_of(plan, *of_two, weights, file));
        }).starts_with(refused));
  CHECK(message_of<DataError>([&] {
          static_cast<void>(training::check_plan(with_network(file)));
        }).starts_with(refused));
}

TEST_CASE("checking a recipe says whether its files of weights are there, and finds those that do not fit") {
  CHECK(training::check_plan(with_backbone(golden_weights("resnet")))
            .find(golden_weights("resnet") + " (matches)\n") != std::string::npos);
  CHECK(training::check_plan(with_backbone("none.pth")).find("none.pth (does not exist)\n") !=
        std::string::npos);
  CHECK_THROWS_AS(
      static_cast<void>(training::check_plan(with_backbone(golden_weights("se_resnet_parallel")))),
      DataError);
  const Trained trained;
  const auto text = training::check_plan(with_network(trained.file));
  CHECK(text.find("for 4 identities") != std::string::npos);
  CHECK(text.find("trained.safetensors (matches)\n") != std::string::npos);
}

TEST_CASE("of a file with several networks the key chooses the one that is loaded") {
  const TemporaryFolder folder;
  const auto teacher = model::build_model(small_plan("small_resnet", {"seed=7"}), 4);
  const auto student = model::build_model(small_plan("small_resnet", {"seed=8"}), 4);
  file::TensorFile content;
  for (const auto& [key, model] : {std::pair{"teacher.", teacher}, std::pair{"student.", student}}) {
    for (const auto& [name, tensor] : model::module_tensors(*model))
      content.tensors.emplace_back(key + name, tensor);
  }
  const auto file = (folder / "both.safetensors").string();
  file::write_safetensors(file, content);
  std::string notes;
  CHECK(same_tensors(*built(with_network(file), &notes), *teacher));
  CHECK(notes.find("without the prefix 'teacher.'") != std::string::npos);
  CHECK(notes.find("unused: student.* (") != std::string::npos);
  CHECK(notes.find(" tensors of another network than 'teacher.', which --key would take)") !=
        std::string::npos);
  CHECK(same_tensors(*built(with_network(file, {"weights.key=student"})), *student));
  CHECK_FALSE(with_network(file, {"weights.key=student"}).identity() ==
              with_network(file, {"weights.key=teacher"}).identity());
}

TEST_CASE("of a file with several backbones the key chooses the one that is loaded") {
  const TemporaryFolder folder;
  file::TensorFile content;
  for (const auto& [name, tensor] : read_weights_file(golden_weights("resnet")).content.tensors) {
    content.tensors.emplace_back("teacher." + name, tensor);
    content.tensors.emplace_back("student." + name, tensor + 1);
  }
  const auto file = (folder / "both.safetensors").string();
  file::write_safetensors(file, content);
  const auto first = [&](const std::string& key) {
    return built(with_backbone(file, "small_resnet", {"backbone.weights_key=" + key}))
        ->named_parameters()["backbone.conv1.weight"];
  };
  CHECK(torch::equal(first("student"), first("teacher") + 1));
  CHECK(torch::equal(built(with_backbone(file))->named_parameters()["backbone.conv1.weight"],
                     first("teacher")));
}

TEST_CASE("only classifiers are suggested to be left out, and nothing where more than they do not fit") {
  const Trained trained;
  const auto plan = small_plan("small_resnet");
  const auto file = read_weights_file(trained.file);
  const auto report = [&](WeightsFile given, std::int64_t identities) {
    const auto model = model::build_model(plan, identities);
    return match_weights(translate_for_plan(given, plan), *model, "", {});
  };
  CHECK(patterns_for_other_identities(plan, report(file, 6)) == std::vector<std::string>{"head.classifier*"});
  CHECK(patterns_for_other_identities(plan, report(file, 4)).empty());
  auto without_more = file;
  std::erase_if(without_more.content.tensors,
                [](const auto& entry) { return entry.first == "backbone.conv1.weight"; });
  CHECK(patterns_for_other_identities(plan, report(without_more, 6)).empty());
  auto without_classifier = file;
  std::erase_if(without_classifier.content.tensors,
                [](const auto& entry) { return entry.first.starts_with("head.classifier"); });
  CHECK(patterns_for_other_identities(plan, report(without_classifier, 4)) ==
        std::vector<std::string>{"head.classifier*"});
}
