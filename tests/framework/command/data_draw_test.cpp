#include <algorithm>
#include <set>

#include "command/draw.h"
#include "made_dataset.h"
#include "manifest.h"
#include "market1501.h"
#include "naic.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::manifest;
using namespace kindred::market1501;
using namespace kindred::naic;
using namespace kindred::test;

namespace {

MadeDataset example() {
  MadeDataset data;
  data.add("x1", 3, 1, Split::train);
  data.add("x2", 3, 1, Split::train);
  data.add("x3", 12345, 12, Split::train);
  data.add("x4", 7, 2, Split::query, 500, "violet");
  data.add("x5", 7, 3, Split::gallery, 501, "origin");
  data.add("x6", 0, 3, Split::gallery);
  data.add("x7", junk_identity, 3, Split::gallery);
  return data;
}

/// What is said of each sample, in no order.
std::multiset<std::string> keys(const std::vector<Sample>& samples) {
  std::multiset<std::string> result;
  for (const Sample& s : samples) {
    result.insert(std::to_string(s.identity) + " c" + std::to_string(s.camera) + ' ' + split_name(s.split) +
                  ' ' + s.domain);
  }
  return result;
}

/// The samples as a layout without domains keeps them.
std::vector<Sample> without_domains(std::vector<Sample> samples) {
  for (Sample& sample : samples) sample.domain.clear();
  return samples;
}

std::vector<std::string> files_below(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the market layout is read back by market1501 with labels and cameras") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "deep/market";
  write_dataset(example(), out, {});
  CHECK(files_below(out) ==
        Names{"bounding_box_test/-1_c3s1_000001_00.jpg", "bounding_box_test/0000_c3s1_000001_00.jpg",
              "bounding_box_test/0007_c3s1_000001_00.jpg", "bounding_box_train/0003_c1s1_000001_00.jpg",
              "bounding_box_train/0003_c1s1_000002_00.jpg", "bounding_box_train/12345_c12s1_000001_00.jpg",
              "query/0007_c2s1_000001_00.jpg"});
  const Market1501 market({out}, {});
  CHECK(keys(market.samples()) == keys(without_domains(example().samples())));
  CHECK(market.recognize() == Recognition::certain);
  CHECK(market.image(market.samples().at(0)).size() == cv::Size(16, 32));
}

TEST_CASE("the naic layout is read back by naic, and its answers by manifest") {
  const TemporaryFolder folder;
  const auto out = folder.path() / "naic";
  WriteOptions options;
  options.layout = Layout::naic;
  write_dataset(example(), out, options);
  CHECK(files_below(out) == Names{"answers.csv", "gallery_a/000000001.png", "gallery_a/000000002.png",
                                  "gallery_a/000000003.png", "query_a/000000001.png",
                                  "train/image/000000001.png", "train/image/000000002.png",
                                  "train/image/000000003.png", "train/label/train_list.txt"});
  CHECK(read_bytes(out / "train/label/train_list.txt") ==
        "train/000000001.png 3\ntrain/000000002.png 3\ntrain/000000003.png 12345\n");
  const Naic naic({out, "", {}}, {});
  CHECK(naic.recognize() == Recognition::certain);
  const auto samples = naic.samples();
  REQUIRE(samples.size() == 7);
  CHECK(samples[2].identity == 12345);
  CHECK(samples[3].identity == unlabelled_identity);
  CHECK(equal_pixels(naic.image(samples[3]), picture(500)));

  const Manifest answers({out / "answers.csv"}, {});
  auto test = example().samples();
  test.erase(test.begin(), test.begin() + 3);
  CHECK(keys(answers.samples()) == keys(test));
  CHECK(equal_pixels(answers.image(answers.samples().at(0)), picture(500)));
}

TEST_CASE("an unlabelled test set has no answers") {
  MadeDataset data;
  data.add("q", unlabelled_identity, unknown_camera, Split::query);
  data.add("g", unlabelled_identity, unknown_camera, Split::gallery);
  const TemporaryFolder folder;
  WriteOptions options;
  options.layout = Layout::naic;
  write_dataset(data, folder.path() / "out", options);
  CHECK(files_below(folder.path() / "out") == Names{"gallery_a/000000001.png", "query_a/000000001.png"});
}

TEST_CASE("the manifest layout keeps everything that is known") {
  MadeDataset data = example();
  data.add("x8", unlabelled_identity, unknown_camera, Split::gallery, 502, "a, \"b\"");
  const TemporaryFolder folder;
  WriteOptions options;
  options.layout = Layout::manifest;
  write_dataset(data, folder.path() / "out", options);
  const Manifest manifest({folder.path() / "out"}, {});
  const auto samples = manifest.samples();
  REQUIRE(samples.size() == data.samples().size());
  CHECK(keys(samples) == keys(data.samples()));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK(equal_pixels(manifest.image(samples[i]), data.image(data.samples()[i])));
  }
}

TEST_CASE("format and size can be chosen") {
  const TemporaryFolder folder;
  WriteOptions options;
  options.format = "png";
  options.height = 64;
  options.width = 24;
  write_dataset(example(), folder.path() / "out", options);
  const cv::Mat image = read_image(folder.path() / "out/query/0007_c2s1_000001_00.png");
  CHECK(image.size() == cv::Size(24, 64));
  options.format = "gif";
  CHECK(contains(error_of([&] { write_dataset(example(), folder.path() / "gif", options); }),
                 "is not an image format"));
}

TEST_CASE("what a layout's names cannot hold is refused, and nothing is left behind") {
  const auto refusal = [](const MadeDataset& data, Layout layout) {
    const TemporaryFolder folder;
    WriteOptions options;
    options.layout = layout;
    const std::string text = error_of([&] { write_dataset(data, folder.path() / "out", options); });
    CHECK(std::filesystem::is_empty(folder.path()));
    return text;
  };
  MadeDataset unlabelled = example();
  unlabelled.add("nobody", unlabelled_identity, 1, Split::train);
  CHECK(contains(refusal(unlabelled, Layout::market), "nobody: error: is unlabeled"));
  CHECK(contains(refusal(unlabelled, Layout::naic), "nobody: error: has no identity"));
  MadeDataset nowhere = example();
  nowhere.add("nowhere", 1, unknown_camera, Split::train);
  CHECK(contains(refusal(nowhere, Layout::market), "nowhere: error: has no camera"));
  MadeDataset half;
  half.add("q", 1, 1, Split::query);
  CHECK(contains(refusal(half, Layout::naic), "the data set has no gallery"));
  MadeDataset damaged = example();
  damaged.add_unreadable("bad", 3, 1, Split::train);
  CHECK(contains(refusal(damaged, Layout::market), "bad: error: is empty"));
}

TEST_CASE("only an empty folder is written to") {
  const TemporaryFolder folder;
  const auto keep = folder.write("out/keep.txt", "mine");
  CHECK(contains(error_of([&] { write_dataset(example(), folder.path() / "out", {}); }),
                 "out: error: already exists"));
  CHECK(read_bytes(keep) == "mine");
  CHECK(contains(error_of([&] { write_dataset(example(), keep, {}); }), "already exists"));

  std::filesystem::create_directory(folder.path() / "empty");
  write_dataset(example(), folder.path() / "empty/", {});
  CHECK(files_below(folder.path() / "empty").size() == 7);
}

TEST_CASE("a partial folder of a stopped run is not written to, and not taken for a data set") {
  const TemporaryFolder folder;
  folder.write("out.partial/query/0001_c1s1_000001_00.jpg", "");
  CHECK(contains(error_of([&] { write_dataset(example(), folder.path() / "out", {}); }),
                 "out.partial: error: already exists: an earlier command was stopped"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "out"));
  CHECK(std::filesystem::exists(folder.path() / "out.partial/query"));
}

TEST_CASE("layouts are known by name") {
  for (const std::string& name : layout_names()) CHECK_NOTHROW((void)layout_of(name));
  CHECK(layout_of("naic") == Layout::naic);
  CHECK(contains(error_of<RecipeError>([] { (void)layout_of("coco"); }),
                 "'coco' is not a layout; allowed are 'market', 'naic' and 'manifest'"));
}
