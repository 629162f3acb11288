#include "model/model_file.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <torch/cuda.h>
#include <torch/nn/modules/linear.h>
#include <torch/utils.h>

#include "file/checksum.h"
#include "kindred/core/error.h"
#include "model/random_state.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::model;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

/// A file with a model file, and its content to be spoilt.
struct Written {
  Catalog catalog = tiny_catalog();
  recipe::Plan plan = tiny_plan(catalog);
  std::shared_ptr<Model> model = build_model(plan, 5);
  TemporaryFolder folder;
  fs::path file = folder / "model.safetensors";

  Written() { write_model_file(file, *model, plan); }

  /// What reading says once the content has been changed and sealed again; without the file's name.
  template <class Change>
  std::string refusal(Change change) {
    auto content = file::read_safetensors(file);
    change(content);
    file::add_checksum(content);
    file::write_safetensors(file, content);
    const auto message =
        message_of<DataError>([&] { static_cast<void>(read_model_file(file, catalog, {})); });
    const std::string prefix = file.string() + ": error: ";
    return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
  }
};

/// Without a classifier, and as wide as the recipe says.
class PlainHead : public Head {
 public:
  struct Params {
    std::int64_t dim = 4;
  };
  static Schema<Params> schema() {
    Schema<Params> s("A linear layer.");
    s.add("dim", &Params::dim, "of the descriptor");
    return s;
  }
  PlainHead(const Params& params, const Context& context)
      : trunk_(context.backbone.trunk("all")),
        dim_(params.dim),
        layer_(register_module("layer", torch::nn::Linear(context.backbone.channels(), dim_))) {}
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"descriptor", OutputKind::feature, dim_}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    return {layer_(features.map().mean({2, 3}))};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t dim_;
  torch::nn::Linear layer_;
};

torch::Tensor& tensor(file::TensorFile& content, const std::string& name) {
  for (auto& entry : content.tensors) {
    if (entry.first == name) return entry.second;
  }
  throw std::logic_error("no tensor " + name);
}

}  // namespace

TEST_CASE("a model comes back with its recipe, in evaluation mode, and describes as before") {
  Written written;
  const auto model_file = read_model_file(written.file, written.catalog, {});
  CHECK(model_file.identities == 5);
  CHECK(recipe::make_plan(model_file.recipe, written.catalog).resolved() == written.plan.resolved());
  CHECK(!model_file.model->is_training());
  written.model->eval();
  const auto images = torch::rand({3, 3, 16, 8});
  CHECK(torch::equal(model_file.model->describe(images), written.model->describe(images)));
}

TEST_CASE("reading a model leaves LibTorch's random generators as they are, those of GPUs, too") {
  const Written written;
  std::vector<torch::Device> devices = {torch::kCPU};
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(torch::cuda::device_count()); ++i) {
    devices.emplace_back(torch::kCUDA, static_cast<torch::DeviceIndex>(i));
  }
  for (const auto& device : devices) {
    CAPTURE(device.str());
    torch::manual_seed(5);
    const auto before = random_state(device);
    static_cast<void>(read_model_file(written.file, written.catalog, {}));
    const auto after = random_state(device);
    CHECK(torch::equal(after.cpu, before.cpu));
    if (device.is_cuda()) CHECK(torch::equal(after.cuda, before.cuda));
  }
}

TEST_CASE("equal models give equal bytes") {
  const Written first;
  const Written second;
  CHECK(read_bytes(first.file) == read_bytes(second.file));
}

TEST_CASE("overrides change the recipe of a model that is read") {
  const Written written;
  const auto model_file = read_model_file(written.file, written.catalog, {"embed.batch_size=7"});
  CHECK(model_file.plan.embed.batch_size == 7);
  CHECK_THROWS_AS(static_cast<void>(read_model_file(written.file, written.catalog, {"embed.batch=7"})),
                  RecipeError);
}

TEST_CASE("missing, left over, wrongly shaped and wrongly typed tensors are all listed") {
  Written written;
  const auto message = written.refusal([](file::TensorFile& content) {
    auto& tensors = content.tensors;
    tensors.erase(
        std::remove_if(tensors.begin(), tensors.end(),
                       [](const auto& entry) { return entry.first == "backbone.norm.running_mean"; }),
        tensors.end());
    tensors.emplace_back("head.extra", torch::ones(2));
    tensor(content, "head.classifier.weight") = torch::ones({6, 16});
    tensor(content, "backbone.first.bias") = torch::ones({8}, torch::kInt32);
  });
  CHECK(message ==
        "its tensors do not match the model; the file belongs to another model, or a component has changed "
        "since it was written:"
        "\n  1 missing: backbone.norm.running_mean"
        "\n  1 unexpected: head.extra"
        "\n  1 wrong shape: head.classifier.weight [6, 16] instead of [5, 16]"
        "\n  1 wrong type: backbone.first.bias Int instead of Float");
}

TEST_CASE("of many tensors that do not fit, ten are listed and all are counted") {
  Written written;
  const auto message = written.refusal([](file::TensorFile& content) {
    for (int i = 0; i < 13; ++i) content.tensors.emplace_back("extra" + std::to_string(i), torch::ones(1));
  });
  CHECK(message.find("\n  13 unexpected: extra0, extra1, extra10") != std::string::npos);
  CHECK(message.substr(message.size() - 5) == ", ...");
}

TEST_CASE("weights of half precision are converted") {
  Written written;
  written.refusal([](file::TensorFile& content) {
    auto& bias = tensor(content, "backbone.first.bias");
    bias = bias.to(torch::kFloat16);
  });
  const auto model_file = read_model_file(written.file, written.catalog, {});
  const auto expected = written.model->named_parameters()["backbone.first.bias"].to(torch::kFloat16);
  CHECK(torch::equal(model_file.model->named_parameters()["backbone.first.bias"],
                     expected.to(torch::kFloat32)));
}

TEST_CASE("a tensor with NaN, an infinite number or one that is too large is refused by name") {
  const std::string refused =
      "its tensor 'head.classifier.weight' contains a number that is not finite (NaN, infinite, or too large "
      "for 32 bits): it is damaged, or of a training that went wrong; use another file";
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 1e300}) {
    CAPTURE(bad);
    Written written;
    CHECK(written.refusal([&](file::TensorFile& content) {
      auto& weight = tensor(content, "head.classifier.weight");
      weight = weight.to(torch::kFloat64);
      weight[4][15] = bad;
    }) == refused);
  }
  Written written;
  CHECK(written.refusal([](file::TensorFile& content) {
    tensor(content, "head.classifier.weight")[4][15] = std::numeric_limits<float>::max();
  }) == "");
}

TEST_CASE("a number of identities that is none is refused") {
  Written written;
  CHECK(written.refusal([](file::TensorFile& content) { content.metadata["kindred.identities"] = "5x"; }) ==
        "is damaged: its 'kindred.identities' is '5x'");
  CHECK(written.refusal([](file::TensorFile& content) { content.metadata["kindred.identities"] = "0"; }) ==
        "is damaged: its 'kindred.identities' is '0'");
}

TEST_CASE(
    "a number of identities, or a recipe, that asks for a far larger network is refused before it is built") {
  Written written;
  CHECK(written.refusal([](file::TensorFile& content) {
    content.metadata["kindred.identities"] = "10000000000";
  }) == "its recipe, or its 'kindred.identities' of 10000000000, would need a network that is far larger "
        "than its "
        "tensors, which hold 1,513 numbers: they do not belong together; use another file");
  // Of some more than the file has: all tensors are compared.
  CHECK(written.refusal([](file::TensorFile& content) { content.metadata["kindred.identities"] = "6"; })
            .find("head.classifier.weight [5, 16] instead of [6, 16]") != std::string::npos);
}

TEST_CASE(
    "a head without a classifier is of any number of identities, and its width is compared with its "
    "tensors") {
  Catalog catalog = tiny_catalog();
  {
    Catalog scratch;
    scratch.add<PlainHead>("plain");
    catalog.merge(std::move(scratch), "plain", "plain.so");
  }
  const auto plan = tiny_plan(catalog, {"head={type='plain'}", "loss=[{type='centers',on=['descriptor']}]"});
  const TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  write_model_file(file, *build_model(plan, 5), plan);
  const auto change = [&](const std::string& key, const std::string& from, const std::string& to) {
    auto content = file::read_safetensors(file);
    auto& text = content.metadata.at(key);
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    file::add_checksum(content);
    file::write_safetensors(file, content);
  };
  change("kindred.identities", "5", "10000000000");
  CHECK(read_model_file(file, catalog, {}).identities == 10'000'000'000);
  change("kindred.recipe", "dim = 4\n", "dim = 10000000000\n");
  CHECK(message_of<DataError>([&] { static_cast<void>(read_model_file(file, catalog, {})); })
            .find("its recipe, or its 'kindred.identities' of 10000000000, would need a network that is far "
                  "larger") != std::string::npos);
}

TEST_CASE("weights of another program are refused as such") {
  Written written;
  CHECK(written.refusal([](file::TensorFile& content) { content.metadata.clear(); }) ==
        "is a safetensors file, not a model file of Kindred; import it first: kindred weights import " +
            written.file.string() + " --recipe RECIPE --out model.safetensors");
}

TEST_CASE("a flipped bit is found") {
  const Written written;
  auto bytes = read_bytes(written.file);
  bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 2);
  write_bytes(written.file, bytes);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_model_file(written.file, written.catalog, {})),
                       doctest::Contains("model.safetensors: error: is damaged: its checksum is"), DataError);
}

TEST_CASE("a recipe whose component is not there says so, and where the recipe lies") {
  Written written;
  auto content = file::read_safetensors(written.file);
  auto& recipe = content.metadata["kindred.recipe"];
  recipe.replace(recipe.find("[head]\ntype = \"tiny\""), 20, "[head]\ntype = \"gone\"");
  file::add_checksum(content);
  file::write_safetensors(written.file, content);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_model_file(written.file, written.catalog, {})),
                       doctest::Contains(("recipe in " + written.file.string()).c_str()), RecipeError);
}

TEST_CASE(
    "what only the training used need not be there, and what inference needs is named with its plugin") {
  Written written;
  Catalog inference;
  {
    Catalog scratch;
    scratch.add<TinyBackbone>("tiny");
    scratch.add<TinyHead>("tiny");
    inference.merge(std::move(scratch), "tiny", "tiny.so");
  }
  const auto model_file = read_model_file(written.file, inference, {"embed.batch_size=7"});
  CHECK(model_file.plan.embed.batch_size == 7);
  CHECK(model_file.plan.augmentations.empty());
  CHECK(model_file.notes.empty());

  Catalog without_head;
  {
    Catalog scratch;
    scratch.add<TinyBackbone>("tiny");
    without_head.merge(std::move(scratch), "tiny", "tiny.so");
  }
  CHECK(
      message_of<PluginError>([&] { static_cast<void>(read_model_file(written.file, without_head, {})); }) ==
      written.file.string() +
          ": error: needs what no loaded plugin offers: head 'tiny' of plugin 'tiny'. Give the folder of "
          "the plugin with --plugin-dir DIR; `kindred list` shows what is loaded");
  CHECK(message_of<RecipeError>(
            [&] { static_cast<void>(read_model_file(written.file, inference, {"loss.entropy.weight=2"})); })
            .find("--set loss.entropy.weight=2: error: a trained model does not use 'loss' any more; it uses "
                  "'augmentation', 'backbone'") == 0);
  CHECK(message_of<RecipeError>([&] {
          static_cast<void>(read_model_file(written.file, inference, {"train.epochs=2"}));
        }).find("--set train.epochs=2: error: a trained model does not use 'train.epochs' any more") == 0);
  CHECK(read_model_file(written.file, inference, {"train.precision=bf16"}).plan.train.precision ==
        system::Precision::bf16);
}

TEST_CASE("overrides of data that are not read are refused, but not which data set the images are of") {
  const auto refusal_of = [](const std::string& text) {
    return message_of<RecipeError>([&] { require_no_data_overrides({"embed.batch_size=7", text}, "look"); });
  };
  CHECK(refusal_of("dataset.gallery_seed=3") == "--set dataset.gallery_seed=3: error: has no effect: look");
  for (const std::string useless :
       {"dataset.market.root=\"a\"", "dataset={type=\"folder\"}", "folds.fold=2"}) {
    CHECK(refusal_of(useless).starts_with("--set " + useless + ": error: has no effect"));
  }
  CHECK_NOTHROW(require_no_data_overrides({"dataset.market.enabled=false", "loader.workers=1"}, "look"));
}

TEST_CASE("another version of a plugin is noted") {
  const auto versioned = [](const std::string& version) {
    Catalog whole = tiny_catalog();
    Catalog scratch;
    scratch.add<TinyHead>("versioned");
    whole.merge(std::move(scratch), "heads", "heads.so", version);
    return whole;
  };
  const auto old = versioned("1.0.0");
  const auto plan = tiny_plan(old, {"head.type='versioned'"});
  const TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  write_model_file(file, *build_model(plan, 5), plan);
  CHECK(read_model_file(file, old, {}).notes.empty());
  const auto notes = read_model_file(file, versioned("1.1.0"), {}).notes;
  REQUIRE(notes.size() == 1);
  CHECK(notes[0] == "warning: " + file.string() +
                        " was trained with plugin 'heads' 1.0.0, and is used with plugin 'heads' 1.1.0: "
                        "descriptors may differ");
}

TEST_CASE("a damaged list of needs is refused") {
  Written written;
  CHECK(written.refusal([](file::TensorFile& content) { content.metadata["kindred.inference"] = "x = 1"; }) ==
        "is damaged: its 'kindred.inference' lists no components");
}
