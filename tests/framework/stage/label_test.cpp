#include "stage/label.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data_files.h"
#include "results/labels_file.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// The descriptor says the identity: the number of its largest element; the last means none.
class LargestElement final : public Labeler {
 public:
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost& host) const override {
    CHECK((images.descriptors.norm(2, 1) - 1).abs().max().item<float>() < 1e-6F);
    seen_queries = images.queries;
    seen_images = images.descriptors.size(0);
    host.progress("look", 1, 1);
    PseudoLabels labels;
    const auto largest = images.descriptors.argmax(1);
    std::int64_t none = 0;
    for (std::int64_t i = 0; i < images.descriptors.size(0); ++i) {
      const auto at = largest[i].item<std::int64_t>();
      const bool last = at + 1 == images.descriptors.size(1);
      labels.identities.push_back(last ? unlabeled_identity : at);
      none += last ? 1 : 0;
    }
    if (none > 0) labels.left_out.push_back({"of the last kind", none});
    return labels;
  }
  mutable std::int64_t seen_queries = 0;
  mutable std::int64_t seen_images = 0;
};

class Notes final : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& text) override { all.push_back(text); }
  std::vector<std::string> all;
};

/// Descriptors that say which identity the labeler gives, of any length.
torch::Tensor kinds(const std::vector<std::int64_t>& numbers) {
  auto rows = torch::full({static_cast<std::int64_t>(numbers.size()), 4}, 0.1F);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    rows[static_cast<std::int64_t>(i)][numbers[i]] = 2 + static_cast<float>(i);
  }
  return rows;
}

constexpr std::int64_t none = 3;

ranking::SearchInput input() {
  ranking::SearchInput result;
  result.descriptors = kinds({0, 1, none, 0, 1, 1, none});
  result.query = {{"q0", 7, 1, "day", Split::query}, {"q1", 8, 2, "night", Split::query}};
  result.gallery = {{"g0", 0, 1, "day", Split::gallery},
                    {"g1", 7, 3, "day", Split::gallery},
                    {"g2", 8, 3, "night", Split::gallery},
                    {"g3", 7, unknown_camera, "night", Split::train},
                    {"g4", junk_identity, 3, "night", Split::gallery}};
  result.query_file = "features/query.npy";
  result.gallery_file = "features/gallery.npy";
  return result;
}

}  // namespace

TEST_CASE("labels are written in the input's order, with figures, and read back") {
  const TemporaryFolder folder;
  Notes notes;
  const auto outcome = label(LargestElement(), input(), {}, folder / "labels", torch::kCPU, notes);
  CHECK(outcome.identities == 2);
  CHECK(outcome.images == 5);
  CHECK(read_bytes(outcome.csv) ==
        "path,identity,camera,domain,split\n"
        "q0,0,1,day,query\n"
        "q1,1,2,night,query\n"
        "g1,0,3,day,gallery\n"
        "g2,1,3,night,gallery\n"
        "g3,1,,night,gallery\n");
  const auto labels = results::LabelsFile::read(outcome.csv).samples;
  REQUIRE(labels.size() == 5);
  CHECK(labels[4].path == "g3");
  CHECK(labels[4].identity == 1);
  CHECK(labels[4].split == Split::gallery);
  CHECK(labels[4].camera == unknown_camera);

  const auto figures = results::LabelFiguresFile::read(outcome.json);
  CHECK(figures.identities == 2);
  CHECK(figures.images == 5);
  CHECK(figures.all_images == 7);
  REQUIRE(figures.left_out.size() == 1);
  CHECK(figures.left_out[0].reason == "of the last kind");
  CHECK(figures.left_out[0].images == 2);
  REQUIRE(figures.images_per_identity);
  CHECK(figures.images_per_identity->minimum == 2);
  CHECK(figures.images_per_identity->mean == 2.5);
  CHECK(figures.images_per_identity->maximum == 3);
  // Pairs: q0 g1 right, q1 g2 right, q1 g3 and g2 g3 wrong; q0 g3 and g1 g3 are missed. Junk is not judged.
  REQUIRE(figures.truth);
  CHECK(figures.truth->images == 6);
  CHECK(figures.truth->labeled == 5);
  CHECK(figures.truth->persons == 2);
  CHECK(figures.truth->precision == 0.5);
  CHECK(figures.truth->recall == 0.5);
  CHECK(figures.truth->f1 == 0.5);
  CHECK(figures.truth->purity == 0.8);
  CHECK(outcome.text ==
        "2 pseudo identities of 5 of 7 images, 2 to 3 images each, 2.5 on average\nimages without a label:\n "
        " 2  of the last kind\ncompared with the true identities: pairs with precision 0.500, recall 0.500, "
        "F1 0.500; purity 0.800; 2 people on the labeled images\n");
  REQUIRE(notes.all.size() == 1);
  CHECK(notes.all[0] + "\n" == outcome.text);
}

TEST_CASE("an image that is both query and gallery is labeled once, as a query") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const LargestElement labeler;
  auto twice = input();
  twice.gallery[1].path = "q0";
  const auto outcome = label(labeler, twice, {}, folder.path(), torch::kCPU, silent);
  CHECK(labeler.seen_queries == 2);
  CHECK(labeler.seen_images == 6);
  CHECK(results::LabelFiguresFile::read(outcome.json).all_images == 6);
  const auto labels = results::LabelsFile::read(outcome.csv).samples;
  REQUIRE(labels.size() == 4);
  CHECK(labels[0].path == "q0");
  CHECK(labels[0].split == Split::query);
  CHECK(labels[2].path == "g2");

  twice.gallery = {twice.query[1], twice.query[0]};
  twice.descriptors = kinds({0, 1, none, 0});
  CHECK(label(labeler, twice, {}, folder.path(), torch::kCPU, silent).images == 2);
  CHECK(labeler.seen_images == 2);
}

TEST_CASE("images of some domains alone are labeled and judged") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const LargestElement labeler;
  const auto outcome = label(labeler, input(), {"day"}, folder.path(), torch::kCPU, silent);
  CHECK(labeler.seen_queries == 1);
  CHECK(labeler.seen_images == 3);
  CHECK(read_bytes(outcome.csv) ==
        "path,identity,camera,domain,split\n"
        "q0,0,1,day,query\n"
        "g1,0,3,day,gallery\n");
  const auto figures = results::LabelFiguresFile::read(outcome.json);
  CHECK(figures.all_images == 3);
  REQUIRE(figures.truth);
  CHECK(figures.truth->images == 3);
  CHECK(figures.truth->recall == 1);
  CHECK(label(labeler, input(), {"night", "day"}, folder.path(), torch::kCPU, silent).images == 5);

  CHECK(error_of<Error>([&] {
          static_cast<void>(label(labeler, input(), {"day", "dusk"}, folder.path(), torch::kCPU, silent));
        }) == "label: error: no image has the domain 'dusk'; the domains are 'day' and 'night'");
  auto without = input();
  for (auto* side : {&without.query, &without.gallery}) {
    for (auto& sample : *side) sample.domain.clear();
  }
  CHECK(contains(error_of<Error>([&] {
                   static_cast<void>(label(labeler, without, {"day"}, folder.path(), torch::kCPU, silent));
                 }),
                 "the images have no domains; run the stage 'partition' first"));
}

TEST_CASE("without known persons nothing is said of them") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  auto unlabeled = input();
  for (auto* side : {&unlabeled.query, &unlabeled.gallery}) {
    for (auto& sample : *side) sample.identity = unlabeled_identity;
  }
  const auto outcome = label(LargestElement(), unlabeled, {}, folder.path(), torch::kCPU, silent);
  CHECK_FALSE(results::LabelFiguresFile::read(outcome.json).truth);
  CHECK_FALSE(contains(outcome.text, "true identities"));
}

TEST_CASE("when no image gets an identity, that is said") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  auto nobody = input();
  nobody.descriptors = kinds({none, none, none, none, none, none, none});
  const auto outcome = label(LargestElement(), nobody, {}, folder.path(), torch::kCPU, silent);
  CHECK(outcome.identities == 0);
  CHECK(contains(outcome.text, "no pseudo identities: none of 7 images was labeled"));
  CHECK(results::LabelsFile::read(outcome.csv).samples.empty());
  CHECK_FALSE(results::LabelFiguresFile::read(outcome.json).images_per_identity);
}

TEST_CASE("an image that a side has twice is refused, and nothing is written") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto refusal = [&](const ranking::SearchInput& twice) {
    return message_of<DataError>([&] {
      static_cast<void>(label(LargestElement(), twice, {}, folder / "labels", torch::kCPU, silent));
    });
  };
  auto queries = input();
  queries.query[1].path = "q0";
  CHECK(refusal(queries).find("features/query.npy: error: rows 0 and 1 (from 0) have the same name 'q0'") ==
        0);
  auto gallery = input();
  gallery.gallery[4].path = "g1";
  CHECK(refusal(gallery).find("features/gallery.npy: error: rows 1 and 4 (from 0) have the same name 'g1'") ==
        0);
  CHECK_FALSE(std::filesystem::exists(folder / "labels"));
}

TEST_CASE("a descriptor without a direction is an error that names file and row") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  auto broken = input();
  broken.descriptors[3].zero_();
  CHECK(contains(error_of([&] {
                   static_cast<void>(label(LargestElement(), broken, {}, folder.path(), torch::kCPU, silent));
                 }),
                 "features/gallery.npy: error: row 1 (from 0) has length 0"));
  CHECK(files_in(folder.path()) == 0);
}
