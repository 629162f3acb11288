#include "stage/partition.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "made_dataset.h"
#include "results/domains_file.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// "bright" when the first pixel is, else the split's name; without pixels the split's name alone.
class BrightPartitioner final : public Partitioner {
 public:
  explicit BrightPartitioner(bool pixels) : pixels_(pixels) {}
  [[nodiscard]] bool needs_pixels() const override { return pixels_; }
  [[nodiscard]] std::string domain(const Sample& sample, const cv::Mat& image) const override {
    CHECK(image.empty() == !pixels_);
    if (pixels_ && image.at<cv::Vec3b>(0, 0)[0] > 127) return "bright";
    if (sample.camera == 13) throw ComponentError("partitioner/bright", "camera 13 is unlucky");
    return split_name(sample.split);
  }

 private:
  bool pixels_;
};

/// Red of the first pixel: (37 seed + seed / 7) % 256.
MadeDataset images() {
  MadeDataset dataset;
  dataset.add("query/1.png", 1, 1, Split::query, 1);         // 37
  dataset.add("gallery/a, b.png", 1, 2, Split::gallery, 4);  // 148
  dataset.add("gallery/2.png", 2, 2, Split::gallery, 2);     // 74
  return dataset;
}

}  // namespace

TEST_CASE("the domain of every image is written, in order, and read back") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto dataset = images();
  auto samples = dataset.samples();
  const auto outcome = partition(BrightPartitioner(true), dataset, samples, folder / "domains", silent);
  CHECK(outcome.csv == folder / "domains/domains.csv");
  CHECK(read_bytes(outcome.csv) ==
        "path,split,domain\n"
        "query/1.png,query,query\n"
        "\"gallery/a, b.png\",gallery,bright\n"
        "gallery/2.png,gallery,gallery\n");
  REQUIRE(outcome.domains.size() == 3);
  CHECK(outcome.domains[0].name == "bright");
  CHECK(outcome.domains[0].images == 1);
  CHECK(outcome.domains[1].name == "gallery");

  results::DomainsFile::read(outcome.csv).give_to(samples, outcome.csv);
  CHECK(samples[0].domain == "query");
  CHECK(samples[1].domain == "bright");
}

TEST_CASE("images are not even decoded for a partitioner that does not look at them") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  MadeDataset dataset;
  dataset.add_unreadable("query/1.png", 1, 1, Split::query);
  const auto outcome = partition(BrightPartitioner(false), dataset, dataset.samples(), folder.path(), silent);
  CHECK(outcome.domains.size() == 1);
}

TEST_CASE("an image that cannot be read, or has no domain, leaves an earlier list as it was") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  folder.write("domains.csv", "earlier");
  auto dataset = images();
  const auto run = [&] {
    static_cast<void>(partition(BrightPartitioner(true), dataset, dataset.samples(), folder.path(), silent));
  };
  dataset.add("gallery/13.png", 3, 13, Split::gallery, 1);
  CHECK(error_of<ComponentError>(run) == "partitioner/bright: error: camera 13 is unlucky");
  dataset = images();
  dataset.add_unreadable("gallery/bad.png", 3, 1, Split::gallery);
  dataset.add_unreadable("gallery/worse.png", 3, 1, Split::gallery);
  CHECK(error_of(run) == "gallery/bad.png: error: is empty (0 bytes)");
  dataset = {};
  CHECK(contains(error_of(run), "is not written: there are no images"));
  CHECK(read_bytes(folder / "domains.csv") == "earlier");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("an image that would have two domains in two splits is refused before a list is written") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  MadeDataset dataset;
  dataset.add("1.png", 1, 1, Split::query, 1);
  dataset.add("1.png", 1, 1, Split::gallery, 1);
  const auto refusal = [&](const BrightPartitioner& partitioner, const std::vector<Sample>& samples) {
    return error_of(
        [&] { static_cast<void>(partition(partitioner, dataset, samples, folder.path(), silent)); });
  };
  CHECK(
      refusal(BrightPartitioner(false), dataset.samples())
          .find("1.png: error: is of the domain 'query' in the split 'query' and of 'gallery' in 'gallery', "
                "though it is one image") == 0);
  // As a frame of a tracklet it has the domain of the others.
  dataset = {};
  dataset.add("1.png", 1, 1, Split::query, 4);  // bright
  dataset.add("1.png", 1, 1, Split::gallery, 4);
  dataset.add("2.png", 1, 1, Split::gallery, 1);
  dataset.add("3.png", 1, 1, Split::gallery, 1);
  auto samples = dataset.samples();
  for (std::size_t i = 1; i < samples.size(); ++i) samples[i].tracklet = "mostly dark";
  CHECK(
      contains(refusal(BrightPartitioner(true), samples),
               "1.png: error: is of the domain 'bright' in the split 'query' and of 'gallery' in 'gallery'"));
  CHECK(files_in(folder.path()) == 0);
  samples = {samples[0], samples[1]};
  CHECK(partition(BrightPartitioner(true), dataset, samples, folder.path(), silent).domains.size() == 1);
}

TEST_CASE("all frames of a tracklet are of the domain of most of them") {
  const TemporaryFolder folder;
  progress::SilentProgress silent;
  const auto dataset = images();
  auto samples = dataset.samples();
  MadeDataset more;
  const int seeds[] = {1, 4, 4, 2, 4, 4};  // dark, bright, bright, dark, bright, bright
  for (int i = 0; i < 6; ++i) more.add("gallery/" + std::to_string(i), 1, 1, Split::gallery, seeds[i]);
  samples = more.samples();
  for (int i = 0; i < 3; ++i) samples[static_cast<std::size_t>(i)].tracklet = "mostly bright";
  for (int i = 3; i < 5; ++i) samples[static_cast<std::size_t>(i)].tracklet = "half";
  const auto outcome = partition(BrightPartitioner(true), more, samples, folder.path(), silent);
  const auto list = results::DomainsFile::read(outcome.csv).images;
  REQUIRE(list.size() == 6);
  for (int i = 0; i < 6; ++i) CHECK(list[static_cast<std::size_t>(i)].domain == "bright");
}
