// CLIP's tokenizer and text encoder, and the losses of CLIP-ReID's two stages, against the programs' own
// values.
#include <doctest/doctest.h>
#include <torch/torch.h>
#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "file/safetensors.h"
#include "golden/clip_golden.h"
#include "image_to_text.h"
#include "kindred/core/error.h"
#include "model/model.h"
#include "prompt_learning.h"
#include "prompt_template.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "tokenizer.h"
#include "training/lasting_losses.h"
#include "weights/loss_weights.h"

using namespace kindred;
using namespace kindred::test;

namespace {

namespace fs = std::filesystem;

/// OpenAI's vocabulary as far as the golden texts need it; no other merge can take part in them.
std::string vocabulary_text() {
  std::map<std::int64_t, std::string> merges;
  for (const auto& [merge, rank] : clip_golden()["tokenizer"]["merges"].items()) merges[rank] = merge;
  std::string text = "title\n";
  for (std::int64_t rank = 0; rank < clip::Tokenizer::merges; ++rank) {
    const auto found = merges.find(rank);
    text += (found == merges.end() ? "#" + std::to_string(rank) + " ~~" : found->second) + "\n";
  }
  return text;
}

fs::path write_vocabulary(const TemporaryFolder& folder) {
  const auto file = folder.path() / "vocabulary.txt";
  std::ofstream(file) << vocabulary_text();
  return file;
}

const Catalog& text_catalog() {
  static const auto made = [] {
    auto catalog = tiny_catalog();
    Catalog scratch;
    scratch.add<clip::PromptLearning>("prompt_learning");
    scratch.add<clip::ImageToText>("image_to_text");
    catalog.merge(std::move(scratch), "clip", "clip.so");
    return catalog;
  }();
  return made;
}

constexpr std::int64_t people = 5;

std::vector<model::LossTerm> terms_of(const recipe::Plan& plan) {
  return model::build_losses(plan, {{"projected", OutputKind::feature, 512}}, model::Population(people));
}

training::TrainingData data_of_people(const std::string& name) {
  training::TrainingData data;
  for (std::int64_t i = 0; i < people; ++i) {
    Sample sample;
    sample.path = name + std::to_string(i) + ".jpg";
    sample.identity = i;
    data.samples.push_back(sample);
    data.labels.push_back(i);
  }
  data.identities = people;
  return data;
}

/// A training's losses with the golden text encoder and prompts.
struct FirstStage {
  explicit FirstStage(const TemporaryFolder& folder) {
    const auto clip_path = folder.path() / "clip.safetensors";
    file::write_safetensors(clip_path, clip_file(shapes_of(clip_golden()["texts"]["tensors"])).content);
    plan = std::make_unique<recipe::Plan>(
        tiny_plan(text_catalog(), {"loss=[{type='prompt_learning',on=['projected'],depth=2,weights_file='" +
                                   clip_path.string() + "'}]"}));
    terms = terms_of(*plan);
    weights::start_losses(*plan, terms, "any", notes);
    const torch::NoGradGuard no_grad;
    auto prompts = terms.front().loss->named_parameters()["prompts"];
    prompts.copy_(clip_values("prompts.cls_ctx", prompts.sizes().vec()));
  }
  std::unique_ptr<recipe::Plan> plan;
  std::vector<model::LossTerm> terms;
  std::vector<std::string> notes;
};

const std::vector<std::int64_t> golden_labels = {0, 1, 1, 3, 0, 2};

torch::Tensor golden_features() {
  return 4 * clip_values("features.embed", {6, 512});
}

}  // namespace

TEST_CASE("texts have the tokens that OpenAI's tokenizer gives them") {
  const TemporaryFolder folder;
  const auto plain = write_vocabulary(folder);
  const auto packed = folder.path() / "vocabulary.txt.gz";
  const auto text = vocabulary_text();
  auto* out = gzopen(packed.c_str(), "wb");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  REQUIRE(gzclose(out) == Z_OK);
  for (const auto& file : {plain, packed}) {
    const clip::Tokenizer tokenizer(file);
    for (const auto& entry : clip_golden()["tokenizer"]["texts"]) {
      const auto given = entry[0].get<std::string>();
      CAPTURE(given);
      CHECK(tokenizer.encode(given) == entry[1].get<std::vector<std::int64_t>>());
    }
  }
  CHECK(clip::Tokenizer::start == 49406);
  CHECK(clip::Tokenizer::end == 49407);
}

TEST_CASE("CLIP-ReID's prompts need no vocabulary, and have the tokens that it would give") {
  const TemporaryFolder folder;
  const auto vocabulary = write_vocabulary(folder);
  for (const std::string text : {"A photo of a X X X X person.", "A photo of a X X X X vehicle."}) {
    const clip::PromptTemplate known(text, "", 77);
    const clip::PromptTemplate encoded(text, vocabulary, 77);
    CHECK(known.tokens == encoded.tokens);
    CHECK(known.places == std::vector<std::int64_t>{5, 6, 7, 8});
    CHECK(encoded.places == known.places);
  }
  CHECK(clip::PromptTemplate("X's X", vocabulary, 77).places == std::vector<std::int64_t>{1, 3});
  CHECK_THROWS_WITH_AS(clip::PromptTemplate("A X.", "", 77), doctest::Contains("needs a vocabulary"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(clip::PromptTemplate("X a a", vocabulary, 4), doctest::Contains("has 5 tokens"),
                       std::invalid_argument);
}

TEST_CASE("a text that another tokenizer might read otherwise is refused") {
  const TemporaryFolder folder;
  const clip::Tokenizer tokenizer(write_vocabulary(folder));
  for (const std::string text : {"caf\xC3\xA9", "a &amp; b", "<|endoftext|>", "a\x01"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(static_cast<void>(tokenizer.encode(text)), std::invalid_argument);
  }
  CHECK(tokenizer.encode(" \t\n").empty());
}

TEST_CASE("a file that is no vocabulary is refused, whatever is wrong with it") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "vocabulary.txt";
  CHECK_THROWS_WITH_AS(clip::Tokenizer{file}, doctest::Contains("cannot be opened"), DataError);
  std::ofstream(file) << "title\na b\n";
  CHECK_THROWS_WITH_AS(clip::Tokenizer{file}, doctest::Contains("has 1 merges instead of at least 48894"),
                       DataError);
  std::ofstream(file) << "title\na b\nabc\n";
  CHECK_THROWS_WITH_AS(clip::Tokenizer{file},
                       doctest::Contains("vocabulary.txt:3: error: must have two parts"), DataError);
  const auto text = vocabulary_text();
  auto* out = gzopen(file.c_str(), "wb");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0);
  REQUIRE(gzclose(out) == Z_OK);
  fs::resize_file(file, fs::file_size(file) / 2);
  CHECK_THROWS_AS(clip::Tokenizer{file}, DataError);
}

TEST_CASE("learned prompts give CLIP-ReID's text features, loss and gradients") {
  const TemporaryFolder folder;
  FirstStage stage(folder);
  const auto& golden = clip_golden()["texts"];
  auto& loss = dynamic_cast<clip::PromptLearning&>(*stage.terms.front().loss);
  const auto lasting = loss.lasting_tensors();
  REQUIRE(lasting.size() == 1);
  CHECK(lasting[0].first == "text_features");
  CHECK(clip_difference(lasting[0].second, golden["features"]) < 1e-4);

  const auto features = golden_features().requires_grad_();
  const auto value = stage.terms.front().value({{features}, torch::tensor(golden_labels), {}});
  CHECK(value.item<double>() == doctest::Approx(golden["first_loss"].get<double>()).epsilon(1e-4));
  value.backward();
  CHECK(clip_difference(loss.named_parameters()["prompts"].grad(), golden["prompt_gradient"]) < 1e-4);
  CHECK(clip_difference(features.grad(), golden["feature_gradient"]) < 1e-4);
  CHECK(loss.named_parameters()["prompts"].grad()[4].abs().max().item<double>() == 0);  // not in the batch
  for (const auto& parameter : loss.named_parameters()) {
    CAPTURE(parameter.key());
    CHECK(parameter.value().requires_grad() == (parameter.key() == "prompts"));
  }
  REQUIRE(stage.notes.size() == 1);
  CHECK(stage.notes[0].find("left unchanged: loss.prompt_learning(projected).prompts") != std::string::npos);
}

TEST_CASE("the second stage's loss reads the text features of the first, and has CLIP-ReID's value") {
  const TemporaryFolder folder;
  FirstStage stage(folder);
  const auto data = data_of_people("a");
  const auto file = folder.path() / training::losses_name;
  training::write_lasting_losses(file, stage.terms, data);
  const auto plan = tiny_plan(text_catalog(), {"loss=[{type='image_to_text',on=['projected'],weights_file='" +
                                               file.string() + "'}]"});
  const auto terms = terms_of(plan);
  const LossBatch batch{{golden_features().requires_grad_()}, torch::tensor(golden_labels), {}};
  CHECK_THROWS_WITH_AS(static_cast<void>(terms.front().loss->compute(batch)),
                       doctest::Contains("has no text features"), ComponentError);
  std::vector<std::string> notes;
  weights::start_losses(plan, terms, training::classes_of(data), notes);
  CHECK(terms.front().value(batch).item<double>() ==
        doctest::Approx(clip_golden()["texts"]["second_loss"].get<double>()).epsilon(1e-4));
  CHECK(terms.front().loss->parameters().empty());

  SUBCASE("text features of other people are refused") {
    CHECK_THROWS_WITH_AS(weights::start_losses(plan, terms, training::classes_of(data_of_people("b")), notes),
                         doctest::Contains("belongs to a training with other identities (5 identities"),
                         DataError);
  }
  SUBCASE("a file without them is refused") {
    file::write_safetensors(file, {{{"others", torch::ones({5, 512})}}, {}});
    CHECK_THROWS_WITH_AS(weights::start_losses(plan, terms, "", notes),
                         doctest::Contains("do not match loss 'image_to_text'"), DataError);
  }
  SUBCASE("features made by anything else will do") {
    file::write_safetensors(file, {{{"text_features", torch::zeros({5, 512})}}, {}});
    weights::start_losses(plan, terms, "any", notes);
    CHECK(terms.front().value(batch).item<double>() == doctest::Approx(std::log(5.0)));
  }
}

TEST_CASE("a recipe says where such losses have their tensors from, and other losses have none") {
  CHECK_THROWS_WITH_AS(
      tiny_plan(text_catalog(), {"loss=[{type='image_to_text',on=['projected']}]"}),
      doctest::Contains("loss 'image_to_text': has tensors that come from a file; set weights_file"),
      RecipeError);
  CHECK_THROWS_WITH_AS(
      tiny_plan(text_catalog(), {"loss=[{type='entropy',on=['logits'],weights_file='a.pt'}]"}),
      doctest::Contains("loss 'entropy': has no tensors that a file could give"), RecipeError);
}

TEST_CASE("a prompt without a word to learn, or a feature of another length, is refused") {
  const TemporaryFolder folder;
  const auto vocabulary = write_vocabulary(folder);
  Loss::Context context{.dim = 512, .identities = 3};
  CHECK_THROWS_WITH_AS(
      clip::PromptLearning({.depth = 1, .prompt = "A photo of a person.", .vocabulary = vocabulary}, context),
      doctest::Contains("has no word 'X'"), ComponentError);
  context.dim = 768;
  CHECK_THROWS_WITH_AS(clip::PromptLearning({.depth = 1, .vocabulary = vocabulary}, context),
                       doctest::Contains("512 numbers, but the output has 768"), ComponentError);
}
