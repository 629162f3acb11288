// A network of tokens that uses cameras, and losses on several outputs.
#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "file/checksum.h"
#include "file/safetensors.h"
#include "kindred/core/error.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/network_part.h"
#include "kindred/role/loss.h"
#include "model/model.h"
#include "model/model_file.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::model;  // NOLINT
using test::tiny_plan;

namespace {

/// Patches of 4 x 4 pixels to tokens of 6 channels, with a class token, and an embedding of the camera.
class CameraPatches final : public NetworkPart {
 public:
  explicit CameraPatches(std::int64_t cameras)
      : patches_(register_module("patches", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 4).stride(4)))),
        embedding_(register_parameter(
            "cameras", torch::arange(6.0 * static_cast<double>(cameras)).reshape({cameras, 6}))) {}
  Activations propagate(const Activations& input) override {
    const auto map = patches_(input.values);
    auto tokens = map.flatten(2).transpose(1, 2);
    tokens = torch::cat({tokens.mean(1, true), tokens}, 1);
    const auto known = (input.cameras >= 0).to(torch::kFloat32).view({-1, 1, 1});
    tokens = tokens + known * embedding_.index_select(0, input.cameras.clamp_min(0)).unsqueeze(1);
    auto output = input.with(tokens);
    output.grid = TokenGrid{map.size(2), map.size(3)};
    return output;
  }

 private:
  torch::nn::Conv2d patches_;
  torch::Tensor embedding_;
};

class CameraTokens final : public ChainBackbone {
 public:
  struct Params {
    bool refuse = true;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Tokens that know their camera.");
    s.add("refuse", &Params::refuse, "unknown cameras");
    return s;
  }
  CameraTokens(const Params& params, const Context& context)
      : refuse_(params.refuse), cameras_(context.cameras) {
    assemble(1);
  }
  [[nodiscard]] std::int64_t channels() const override { return 6; }
  [[nodiscard]] FeatureForm gives() const override { return FeatureForm::tokens; }
  [[nodiscard]] SideInformation side_information() const override { return {true, false, refuse_}; }

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t /*last_stride*/) const override {
    return {{"all", [this] { return std::make_shared<CameraPatches>(cameras_); }}};
  }

 private:
  bool refuse_;
  std::int64_t cameras_;
};

/// Takes the class token alone.
class ClassTokenHead final : public Head {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("The class token."); }
  static FeatureForm takes() { return FeatureForm::tokens; }
  ClassTokenHead(const Params&, const Context& context)
      : trunk_(context.backbone.trunk("all")),
        identities_(context.identities),
        classifier_(register_module("classifier", torch::nn::Linear(6, identities_))) {}
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"first", OutputKind::feature, 6},
            {"second", OutputKind::feature, 6},
            {"logits", OutputKind::logits, identities_},
            {"descriptor", OutputKind::feature, 6}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto token = features.class_token();
    if (!is_training()) return {token};
    return {token, 2 * token, classifier_(token), token};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t identities_;
  torch::nn::Linear classifier_;
};

/// The mean of the first output, minus that of the second, plus the sum of the cameras.
class TwoOutputs final : public Loss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("A difference of two outputs."); }
  static std::vector<OutputKind> takes() { return {OutputKind::feature, OutputKind::feature}; }
  TwoOutputs(const Params&, const Context& context) : names_(context.outputs) {}
  [[nodiscard]] bool needs_cameras() const override { return true; }
  [[nodiscard]] torch::Tensor compute(const LossBatch& batch) override {
    REQUIRE(batch.outputs.size() == 2);
    REQUIRE(names_.size() == 2);
    return batch.outputs[0].mean() - batch.outputs[1].mean() + batch.cameras.sum();
  }

 private:
  std::vector<OutputInfo> names_;
};

const Catalog& side_catalog() {
  static const Catalog catalog = [] {
    auto made = test::tiny_catalog();
    Catalog scratch;
    scratch.add<CameraTokens>("camera_tokens");
    scratch.add<ClassTokenHead>("class_token");
    scratch.add<TwoOutputs>("two");
    made.merge(std::move(scratch), "side", "side.so");
    return made;
  }();
  return catalog;
}

recipe::Plan side_plan(const std::vector<std::string>& more = {}) {
  std::vector<std::string> overrides = {"backbone={type='camera_tokens'}", "head={type='class_token'}",
                                        "loss=[{type='entropy',on=['logits']}]"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return tiny_plan(side_catalog(), overrides);
}

Population with_cameras(std::vector<Camera> cameras) {
  Population population(5);
  population.cameras = std::move(cameras);
  return population;
}

template <class E, class F>
std::string message_of_side(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a network sees the cameras that it declares, and a model file knows their numbers") {
  const auto plan = side_plan();
  const auto model = build_model(plan, with_cameras({3, 8}));
  model->eval();
  Activations images(torch::rand({2, 3, 8, 8}));
  images.cameras = torch::tensor({0, 1}, torch::kInt64);
  const auto rows = model->forward(images).back();
  images.cameras = torch::tensor({1, -1}, torch::kInt64);
  const auto others = model->forward(images).back();
  const auto six = torch::full({6}, 6.0);
  CHECK(torch::allclose(others[0] - rows[0], six, 1e-4, 1e-4));  // camera 3 -> 8
  CHECK(torch::allclose(rows[1] - others[1], torch::arange(6.0).to(torch::kFloat) + 6, 1e-4,
                        1e-4));  // 8 -> unknown

  const test::TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  write_model_file(file, *model, plan);
  const auto read = read_model_file(file, side_catalog(), {});
  CHECK((read.model->population().cameras == std::vector<Camera>{3, 8}));
  CHECK(torch::equal(read.model->forward(images).back(), others));
  CHECK_THROWS_AS(read.model->require_known({Sample{"x.png", 1, 4, ""}}), DataError);
  CHECK_NOTHROW(read.model->require_known({Sample{"x.png", 1, 8, ""}}));
}

TEST_CASE(
    "a model of several data sets knows whose its cameras are, and takes images for nobody's by itself") {
  const auto plan = side_plan({"dataset=[{type='tiny', name='market'}, {type='tiny', name='msmt'}]"});
  const std::vector<Camera> cameras{{"market", 3}, {"market", 8}, {"msmt", 3}};
  const auto model = build_model(plan, with_cameras(cameras));
  const test::TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  write_model_file(file, *model, plan);
  CHECK(file::read_safetensors(file).metadata.at("kindred.cameras") == "market/3 market/8 msmt/3");
  const auto places = [&](const Model& read) {
    const std::vector<Sample> samples{{"x.png", 1, 3, ""}, {"x.png", 1, 8, ""}, {"msmt/x.png", 1, 3, ""}};
    return camera_places(samples, {0, 1, 2}, read.population());
  };
  const auto read = read_model_file(file, side_catalog(), {});
  CHECK((read.model->population().cameras == cameras));
  CHECK(torch::equal(places(*read.model), torch::full({3}, -1, torch::kInt64)));
  CHECK(message_of_side<DataError>([&] {
          read.model->require_known({Sample{"x.png", 1, 3, ""}});
        }).find("say of which of these data sets they are") != std::string::npos);
  // As in a run, whose images are called by their data sets.
  read.model->find_datasets_in_paths();
  CHECK(torch::equal(places(*read.model), torch::tensor({-1, -1, 2}, torch::kInt64)));
  // As a user says that images are of one of them.
  const auto market = read_model_file(file, side_catalog(), {"dataset.msmt.enabled=false"});
  CHECK(torch::equal(places(*market.model), torch::tensor({0, 1, 0}, torch::kInt64)));
  const auto msmt = read_model_file(file, side_catalog(), {"dataset.market.enabled=false"});
  CHECK(torch::equal(places(*msmt.model), torch::tensor({2, -1, 2}, torch::kInt64)));
}

TEST_CASE("numbers of cameras that are not what was written are a damaged file") {
  const auto plan = side_plan();
  const test::TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  for (const std::string text : {"", "3 3", "8 3", "3,8", "3 ", " 3", "x", "-1", "/3", "a/", "a/-1", "a/b/3",
                                 "a/8 a/3", "a/3 8", "3 a/8", "a/3 b/1 a/8"}) {
    CAPTURE(text);
    write_model_file(file, *build_model(plan, with_cameras({3, 8})), plan);
    auto content = file::read_safetensors(file);
    content.metadata["kindred.cameras"] = text;
    content.metadata.erase("kindred.crc32");
    file::add_checksum(content);
    file::write_safetensors(file, content);
    CHECK(message_of_side<DataError>([&] { static_cast<void>(read_model_file(file, side_catalog(), {})); }) ==
          file.string() + ": error: is damaged: its 'kindred.cameras' is '" + text + "'");
  }
}

TEST_CASE("a network that uses cameras is refused for training images without, at its place in the recipe") {
  const auto message =
      message_of_side<RecipeError>([] { static_cast<void>(build_model(side_plan(), Population(5))); });
  CHECK(message.find("backbone 'camera_tokens': uses the cameras of the images, but the training images have "
                     "none; use a data set that names them (a manifest has a column 'camera'), or switch the "
                     "use of cameras off") != std::string::npos);
}

TEST_CASE("a head that needs tokens is refused on a backbone that gives a map; one for maps takes both") {
  const auto message = message_of_side<RecipeError>(
      [] { static_cast<void>(build_model(side_plan({"backbone={type='tiny'}"}), Population(5))); });
  CHECK(message.find("head 'class_token': works on the tokens of a transformer, but backbone 'tiny' gives a "
                     "map; choose a backbone that gives tokens, or a head for maps") != std::string::npos);
  const auto pooled = build_model(side_plan({"head={type='tiny'}"}), Population(with_cameras({1})));
  pooled->eval();
  Activations images(torch::rand({2, 3, 8, 8}));
  images.cameras = torch::zeros({2}, torch::kInt64);
  CHECK(pooled->forward(images).back().sizes().vec() == std::vector<std::int64_t>{2, 6});
}

TEST_CASE("a loss takes as many outputs together as it declares, and the cameras of the batch") {
  const auto plan = side_plan({"loss=[{type='two',on=['first','second','descriptor','first*'],weight=3}]"});
  const auto model = build_model(plan, with_cameras({1, 2}));
  CHECK(message_of_side<RecipeError>([&] {
          static_cast<void>(build_losses(plan, model->outputs(), model->population()));
        }).find("takes 2 outputs together, but is on 3; name a multiple of 2") != std::string::npos);

  const auto even = side_plan({"loss=[{type='two',on=['first','second'],weight=3}]"});
  const auto terms = build_losses(even, model->outputs(), model->population());
  REQUIRE(terms.size() == 1);
  CHECK(terms[0].name == "two(first,second)");
  CHECK(terms[0].outputs == std::vector<std::size_t>{0, 1});
  CHECK(terms[0].weight == 3);
  const std::vector<torch::Tensor> outputs = {torch::full({2, 6}, 5.0), torch::full({2, 6}, 2.0),
                                              torch::zeros({2, 5}), torch::zeros({2, 6})};
  const LossBatch batch{outputs, torch::tensor({0, 1}, torch::kInt64), torch::tensor({1, 0}, torch::kInt64)};
  CHECK(terms[0].value(batch).item<float>() == doctest::Approx(5 - 2 + 1));

  const auto wrong = side_plan({"loss=[{type='two',on=['first','logits']}]"});
  CHECK(message_of_side<RecipeError>(
            [&] { static_cast<void>(build_losses(wrong, model->outputs(), model->population())); })
            .find("takes features where it is given 'logits'; the features are 'first', 'second' and "
                  "'descriptor'") != std::string::npos);
  CHECK(message_of_side<RecipeError>([&] {
          static_cast<void>(build_losses(even, model->outputs(), Population(5)));
        }).find("compares cameras, but the training images have none") != std::string::npos);
}
