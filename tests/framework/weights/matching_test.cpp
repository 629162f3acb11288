#include "weights/matching.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <torch/torch.h>

#include "kindred/core/error.h"
#include "kindred/nn/adapts_weights.h"
#include "model/model_file.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;

namespace {

const Catalog& catalog() {
  static const Catalog made = tiny_catalog();
  return made;
}

std::shared_ptr<model::Model> tiny_model(std::uint64_t seed, std::int64_t identities = 5) {
  return model::build_model(tiny_plan(catalog(), {"seed=" + std::to_string(seed)}), identities);
}

/// Seed 1's tensors, as a file of Kindred's own.
WeightsFile whole_file() {
  WeightsFile file;
  file.file = "tiny.safetensors";
  for (const auto& [name, tensor] : model::module_tensors(*tiny_model(1))) {
    file.content.tensors.emplace_back(name, tensor.detach().clone());
  }
  return file;
}

void drop(WeightsFile& file, const std::string& name) {
  std::erase_if(file.content.tensors, [&](const auto& entry) { return entry.first == name; });
}

torch::Tensor& tensor_of(WeightsFile& file, const std::string& name) {
  for (auto& entry : file.content.tensors) {
    if (entry.first == name) return entry.second;
  }
  throw std::logic_error("no tensor " + name);
}

MatchReport report_of(const WeightsFile& file, const std::vector<std::string>& allow_missing = {}) {
  return match_weights(translate(file, known_layouts(catalog())), *tiny_model(2), "", {allow_missing, {}});
}

}  // namespace

TEST_CASE("a whole file matches whole, and is copied") {
  const auto file = whole_file();
  const auto report = report_of(file);
  CHECK(report.complete());
  CHECK(report.counts_text() == "12 of 12 tensors matched, 0 of the file of no use");
  const auto model = tiny_model(2);
  copy_weights(translate(file, known_layouts(catalog())), *model, "");
  const auto expected = model::module_tensors(*tiny_model(1));
  const auto actual = model::module_tensors(*model);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(torch::equal(expected[i].second, actual[i].second));
  }
}

TEST_CASE(
    "missing, wrongly shaped and wrongly typed tensors keep a file from being complete, and are listed") {
  auto file = whole_file();
  drop(file, "backbone.first.bias");
  tensor_of(file, "head.classifier.weight") = torch::ones({7, 16});
  tensor_of(file, "head.unused") = torch::ones({3}, torch::kInt32);
  file.content.tensors.emplace_back("head.extra", torch::ones(1));
  const auto report = report_of(file);
  CHECK_FALSE(report.complete());
  CHECK(report.counts_text() ==
        "9 of 12 tensors matched, 1 missing, 1 with the wrong shape, 1 with the wrong type, 0 of the file "
        "of no use, 1 of the file without a place in the network");
  CHECK(trouble_text(report) ==
        "\n  1 missing: backbone.first.bias"
        "\n  1 wrong shape: head.classifier.weight [7, 16] instead of [5, 16]"
        "\n  1 wrong type: head.unused Int instead of Float"
        "\n  1 of the file without a place in the network: head.extra");
}

TEST_CASE("what is allowed to be missing may be so, or of another shape, and stays as it was") {
  auto file = whole_file();
  drop(file, "head.classifier.bias");
  tensor_of(file, "head.classifier.weight") = torch::ones({7, 16});
  const auto report = report_of(file, {"head.classifier.*"});
  CHECK(report.complete());
  CHECK(report.counts_text() ==
        "10 of 12 tensors matched, 2 left unchanged, as allowed, 0 of the file of no use");
  const auto model = tiny_model(2);
  copy_weights(translate(file, known_layouts(catalog())), *model, "");
  for (const auto* name : {"head.classifier.weight", "head.classifier.bias"}) {
    CHECK(torch::equal(model->named_parameters()[name], tiny_model(2)->named_parameters()[name]));
  }
  CHECK(torch::equal(model->named_parameters()["backbone.first.bias"],
                     tiny_model(1)->named_parameters()["backbone.first.bias"]));
}

TEST_CASE("another type is not allowed even where a tensor may be missing") {
  auto file = whole_file();
  tensor_of(file, "head.unused") = torch::ones({3}, torch::kInt32);
  CHECK_FALSE(report_of(file, {"head.unused"}).complete());
}

TEST_CASE("counters of batch norms that an old file lacks are set to 0, and said") {
  auto file = whole_file();
  drop(file, "backbone.norm.num_batches_tracked");
  const auto report = report_of(file);
  CHECK(report.complete());
  CHECK(report.counts_text() ==
        "11 of 12 tensors matched, 1 not in the file, set to 0 (counters of batch norms), 0 of the file "
        "of no use");
  const auto model = tiny_model(2);
  model->named_buffers()["backbone.norm.num_batches_tracked"].fill_(9);
  copy_weights(translate(file, known_layouts(catalog())), *model, "");
  CHECK(model->named_buffers()["backbone.norm.num_batches_tracked"].item<std::int64_t>() == 0);
}

TEST_CASE("floating-point types are converted") {
  auto file = whole_file();
  for (auto type : {torch::kFloat16, torch::kBFloat16, torch::kFloat64}) {
    tensor_of(file, "head.unused") = torch::tensor({0.5, 1.5, -2.0}).to(type);
    CHECK(report_of(file).complete());
    const auto model = tiny_model(2);
    copy_weights(translate(file, known_layouts(catalog())), *model, "");
    CHECK(torch::equal(model->named_parameters()["head.unused"], torch::tensor({0.5F, 1.5F, -2.0F})));
  }
}

TEST_CASE("of the backbone alone, all other tensors of a file are of no use") {
  auto file = whole_file();
  const auto model = tiny_model(2);
  const auto backbone = model->named_children()["backbone"];
  const auto weights = translate(file, known_layouts(catalog()));
  const auto report = match_weights(weights, *backbone, backbone_prefix, {});
  CHECK(report.complete());
  CHECK(report.count(TensorState::matched) == 9);
  CHECK(report.count(TensorState::dropped) == 3);
  copy_weights(weights, *backbone, backbone_prefix);
  CHECK(torch::equal(model->named_parameters()["backbone.first.weight"],
                     tiny_model(1)->named_parameters()["backbone.first.weight"]));
  CHECK(torch::equal(model->named_parameters()["head.classifier.weight"],
                     tiny_model(2)->named_parameters()["head.classifier.weight"]));
}

TEST_CASE("a pattern that no tensor has is a mistake, and the nearest name is told") {
  const auto file = whole_file();
  CHECK(useless_pattern({{"head.classifier.*", "*bias"}, {"*.weight"}}, *tiny_model(1), file).empty());
  CHECK(useless_pattern({{"head.clasifier.bias"}, {}}, *tiny_model(1), file) ==
        "allow_missing: the network has no tensor 'head.clasifier.bias' that could match; did you mean "
        "'head.classifier.bias'?");
  CHECK(useless_pattern({{}, {"head.clasifier.bias"}}, *tiny_model(1), file) ==
        "allow_unused: the file has no tensor 'head.clasifier.bias' that could match; did you mean "
        "'head.classifier.bias'?");
}

TEST_CASE("of many tensors ten are listed and all are counted") {
  WeightsFile file;
  file.content.tensors = {{"head.extra", torch::ones(1)}};
  const auto text = trouble_text(report_of(file));
  CHECK(text.find("\n  11 missing: ") == 0);
  CHECK(text.find(", ...\n  1 of the file without a place in the network: head.extra") != std::string::npos);
}

TEST_CASE("a layout that makes nothing of a tensor is an error that names both, once") {
  auto layouts = known_layouts(catalog());
  FileLayout layout{
      WeightsLayout{.name = "strange", .required = {"old"}, .rules = {{"old", "head.strange"}}}};
  layout.rules.front().convert = [](const torch::Tensor&) { return torch::Tensor(); };
  WeightsFile file;
  file.file = "old.pth";
  file.content.tensors.emplace_back("old", torch::ones({2, 3}));
  CHECK(
      message_of<DataError>([&] { static_cast<void>(translate(file, {layout})); }) ==
      "old.pth: error: its tensor 'old' [2, 3] cannot be made 'head.strange' of: the layout makes nothing of "
      "it");
}

TEST_CASE("what wraps the names of a file is taken off by what then fits the network") {
  const auto model = tiny_model(2);
  struct Wrapped {
    std::string wrapper;
    std::string prefix;
    std::string layout = "Kindred";
  };
  // What a compiler puts in is taken off anywhere, and "model." is what Kindred's checkpoints have.
  for (const auto& wrapped :
       {Wrapped{"module.", "module."}, Wrapped{"module.module.", "module.module."}, Wrapped{"_orig_mod.", ""},
        Wrapped{"model.", "", "Kindred checkpoint"}, Wrapped{"model._orig_mod.", "", "Kindred checkpoint"},
        Wrapped{"backbone.", "backbone."}, Wrapped{"module.model.net.", "module.model.net."},
        Wrapped{"encoder.student.", "encoder.student."}}) {
    const auto& wrapper = wrapped.wrapper;
    const auto& prefix = wrapped.prefix;
    CAPTURE(wrapper);
    auto file = whole_file();
    for (auto& [name, tensor] : file.content.tensors) name.insert(0, wrapper);
    // What stands beside the wrapped names has no place.
    file.content.tensors.emplace_back("criterion.centers", torch::ones({5, 16}));
    const auto weights = translate_for(file, known_layouts(catalog()), *model, "");
    CHECK(weights.prefix == prefix);
    const auto report = match_weights(weights, *model, "", {});
    const bool checkpoint = wrapped.layout == "Kindred checkpoint";
    CHECK(report.counts_text() == (checkpoint ? "12 of 12 tensors matched, 1 of the file of no use"
                                              : "12 of 12 tensors matched, 0 of the file of no use, 1 of the "
                                                "file without a place in the network"));
    CHECK(report.layout_text().starts_with(
        wrapped.layout + (prefix.empty() ? "" : ", without the prefix '" + prefix + "'") + ": '"));
    CHECK(report.rows.back().name == "criterion.centers");
    CHECK(report.rows.front().source == wrapper + report.rows.front().name);
  }
}

TEST_CASE("what a compiler puts within names is taken off, too") {
  auto file = whole_file();
  for (auto& [name, tensor] : file.content.tensors) name.insert(name.find('.') + 1, "_orig_mod.");
  const auto model = tiny_model(2);
  CHECK(match_weights(translate_for(file, known_layouts(catalog()), *model, ""), *model, "", {}).complete());
}

TEST_CASE("nothing is taken off that the network has itself") {
  const auto file = whole_file();
  const auto model = tiny_model(2);
  CHECK(translate_for(file, known_layouts(catalog()), *model, "").prefix.empty());
  CHECK(translate(file, known_layouts(catalog())).prefix.empty());
  // The names of a backbone, wrapped in the word that Kindred has for it.
  auto backbone = whole_file();
  std::erase_if(backbone.content.tensors, [](const auto& entry) { return entry.first.starts_with("head."); });
  const auto part = model->named_children()["backbone"];
  const auto weights = translate_for(backbone, known_layouts(catalog()), *part, backbone_prefix);
  CHECK(match_weights(weights, *part, backbone_prefix, {}).complete());
}

TEST_CASE(
    "of a teacher and a student in one file the teacher is taken, of MoCo's what it trains, and of other "
    "twins neither") {
  const auto file_of = [](const std::vector<std::string>& keys) {
    WeightsFile file;
    for (const auto& key : keys) {
      for (const auto& [name, tensor] : whole_file().content.tensors) {
        file.content.tensors.emplace_back(key + name, tensor);
      }
    }
    return file;
  };
  const auto model = tiny_model(2);
  const auto weights = translate_for(file_of({"student.", "teacher."}), known_layouts(catalog()), *model, "");
  CHECK(weights.prefix == "teacher.");
  const auto report = match_weights(weights, *model, "", {});
  CHECK(report.complete());
  CHECK(report.rows.back().name == "student.*");
  CHECK(report.rows.back().detail == "12 tensors of another network than 'teacher.', which --key would take");
  struct Moco {
    std::string taken;
    std::string other;
    std::vector<std::string> pretraining;
  };
  for (const auto& moco :
       {Moco{"module.base_encoder.", "module.momentum_encoder.", {"module.predictor.0.weight"}},
        Moco{"module.encoder_q.", "module.encoder_k.", {"module.queue", "module.queue_ptr"}}}) {
    CAPTURE(moco.taken);
    auto file = file_of({moco.other, moco.taken});
    for (const auto& name : moco.pretraining) file.content.tensors.emplace_back(name, torch::ones({2}));
    const auto both = translate_for(file, known_layouts(catalog()), *model, "");
    CHECK(both.prefix == moco.taken);
    const auto matched = match_weights(both, *model, "", {});
    CHECK(matched.complete());
    CHECK(matched.count(TensorState::unused) == 0);
    CHECK(std::any_of(matched.rows.begin(), matched.rows.end(),
                      [&](const TensorRow& row) { return row.name == moco.other + "*"; }));
  }
  const auto others = translate_for(file_of({"one.", "two."}), known_layouts(catalog()), *model, "");
  CHECK(match_weights(others, *model, "", {}).count(TensorState::matched) == 0);
}

namespace {

/// Fits vectors to its own four places by repeating their first number. Of one number it can do nothing, and
/// of three it makes what does not fit.
class Stretching : public torch::nn::Module, public AdaptsWeights {
 public:
  Stretching() { register_parameter("row", torch::zeros({4})); }
  [[nodiscard]] torch::Tensor adapted(const std::string& name, const torch::Tensor& source) const override {
    if (name != "row" || source.dim() != 1 || source.numel() < 2) return {};
    return source.narrow(0, 0, 1).repeat({source.numel() == 3 ? 5 : 4});
  }
};

WeightsFile stretching_file(const torch::Tensor& row) {
  WeightsFile file;
  file.file = "stretching.pth";
  file.content.tensors = {{"inner.row", row}};
  return file;
}

}  // namespace

TEST_CASE("a tensor of another shape is made to fit by the module that it is for, and the report says so") {
  torch::nn::Module network;
  network.register_module("inner", std::make_shared<Stretching>());
  const auto weights_of = [](const torch::Tensor& row) { return translate(stretching_file(row), {}); };
  const auto weights = weights_of(torch::tensor({2.0F, 7.0F}));
  const auto report = match_weights(weights, network, backbone_prefix, {});
  CHECK(report.complete());
  REQUIRE(report.rows.size() == 1);
  CHECK(report.rows[0].state == TensorState::adapted);
  CHECK(report.rows[0].detail == "[2] to [4]");
  CHECK(report.counts_text() == "0 of 1 tensors matched, 1 adapted, 0 of the file of no use");
  copy_weights(weights, network, backbone_prefix);
  CHECK(torch::equal(network.parameters()[0], torch::full({4}, 2.0F)));

  CHECK(match_weights(weights_of(torch::ones({1})), network, backbone_prefix, {}).rows[0].state ==
        TensorState::wrong_shape);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(match_weights(weights_of(torch::ones({3})), network, backbone_prefix, {})),
      doctest::Contains("adapted weights [3] to [5]; they must be [4]"), Error);
}
