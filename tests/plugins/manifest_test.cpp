#include "manifest.h"

#include <cstddef>
#include <filesystem>
#include <string>

#include "command/convert.h"
#include "made_dataset.h"
#include "manifest_layout.h"

using namespace kindred;
using namespace kindred::manifest;
using namespace kindred::test;

namespace {

Manifest dataset(const std::filesystem::path& root) {
  return Manifest({root}, {});
}

std::string refusal(const std::string& content) {
  const PictureFolder folder;
  const auto file = folder.write("m.csv", content);
  const std::string text = error_of([&] { (void)dataset(file).samples(); });
  REQUIRE(text.starts_with(file.string() + ':'));
  return text.substr(file.string().size() + 1);
}

}  // namespace

TEST_CASE("columns may stand in any order, and rows keep theirs") {
  const PictureFolder folder;
  const auto file = folder.write("m.csv",
                                 "split,camera,path,domain,identity\n"
                                 "train,3,b.jpg,night,12\r\n"
                                 "query,,\"a, b.jpg\",,-1\n"
                                 "gallery,0,sub/c.jpg,,\n");
  const auto samples = dataset(file).samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].path == "b.jpg");
  CHECK(samples[0].identity == 12);
  CHECK(samples[0].camera == 3);
  CHECK(samples[0].domain == "night");
  CHECK(samples[0].split == Split::train);
  CHECK(samples[1].path == "a, b.jpg");
  CHECK(samples[1].identity == junk_identity);
  CHECK(samples[1].camera == unknown_camera);
  CHECK(samples[1].split == Split::query);
  CHECK(samples[2].identity == unlabeled_identity);
  CHECK(samples[2].camera == 0);
  CHECK(samples[2].split == Split::gallery);
}

TEST_CASE("identity, camera and domain may be left out") {
  const PictureFolder folder;
  const auto samples = dataset(folder.write("m.csv", "path,split\na.jpg,gallery\n")).samples();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].identity == unlabeled_identity);
  CHECK(samples[0].camera == unknown_camera);
}

TEST_CASE("what is wrong in a manifest is named with its line") {
  CHECK(contains(refusal("path,split,identiy\n"),
                 "1: error: unknown column 'identiy'; did you mean 'identity'?"));
  CHECK(contains(refusal("path,identity\na.jpg,1\n"), "1: error: there is no column 'split'"));
  CHECK(contains(refusal("path,split\na.jpg,test\n"),
                 "2: error: split 'test'; allowed are 'train', 'query' and 'gallery'"));
  CHECK(contains(refusal("path,split,identity\na.jpg,train,3\nb.jpg,train,bob\n"),
                 "3: error: column 'identity': 'bob' is not a whole number, but '3' is"));
  CHECK(contains(refusal("path,split,identity\na.jpg,train,99999999999999999999\n"),
                 "2: error: column 'identity': '99999999999999999999' is too large"));
  CHECK(contains(refusal("path,split,identity\na.jpg,train,2.5\n"),
                 "2: error: column 'identity': '2.5' is not a whole number"));
  CHECK(contains(refusal("path,split,identity\na.jpg,train,-2\n"), "2: error: identity -2"));
  CHECK(contains(refusal("path,split,camera\na.jpg,train,nan\n"),
                 "2: error: column 'camera': 'nan' stands for a missing value"));
  CHECK(contains(refusal("path,split,camera\na.jpg,train,-1\n"), "2: error: camera '-1'"));
  CHECK(contains(refusal("path,split\na.jpg,train\nb.jpg,query\na.jpg,gallery\n"),
                 "4: error: path 'a.jpg' is already listed in line 2"));
  CHECK(contains(refusal("path,split\n,train\n"), "2: error: the path is empty; name the image"));
  CHECK(contains(refusal("path,split\na\\b.jpg,train\n"),
                 "2: error: path 'a\\b.jpg': separate folders with '/'"));
  CHECK(contains(refusal("path,split\na.jpg\n"), "2: error: 1 cell; the header has 2"));
  CHECK(contains(refusal("path,split\n"), " error: lists no images"));
}

TEST_CASE("a manifest as spreadsheets and people write it is read") {
  const PictureFolder folder;
  const auto file = folder.write("m.csv",
                                 "\xEF\xBB\xBFpath;split;identity;camera;domain\r\n"
                                 "a.jpg; train; person01; c1;\r\n"
                                 "b.jpg;train;person02;c2;\"two\nlines\"\r\n"
                                 "c.jpg;gallery;-1;c2;\r\n");
  const auto samples = dataset(file).samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].identity == 1);
  CHECK(samples[0].camera == 1);
  CHECK(samples[0].split == Split::train);
  CHECK(samples[1].identity == 2);
  CHECK(samples[1].domain == "two\nlines");
  CHECK(samples[2].identity == junk_identity);
  const auto numbers = dataset(folder.write("n.csv", "path\tsplit\tidentity\na\ttrain\t2.0\nb\ttrain\t\n"));
  CHECK(numbers.recognize() == Recognition::certain);
  CHECK(numbers.samples()[0].identity == 2);
  CHECK(numbers.samples()[1].identity == unlabeled_identity);
  CHECK(dataset(folder.write("s.txt", "sep=;\r\npath;split\r\na;train\r\n")).recognize() ==
        Recognition::certain);
  const auto names = dataset(folder.write("p.csv",
                                          "path,split,identity,camera\na,query,bob,front door\n"
                                          "b,gallery,bob,back door\nc,gallery,eve,back door\n"))
                         .samples();
  CHECK(names[0].identity == names[1].identity);
  CHECK(names[0].identity != names[2].identity);
  CHECK(names[0].camera != names[1].camera);
}

TEST_CASE("a folder stands for its manifest.csv") {
  const PictureFolder folder;
  CHECK(contains(error_of([&] { (void)dataset(folder.path()).samples(); }),
                 "manifest.csv: error: does not exist"));
  folder.write("manifest.csv", "path,split\na.jpg,train\n");
  CHECK(dataset(folder.path()).samples().size() == 1);
}

TEST_CASE("paths are relative to the manifest's folder, or absolute") {
  const PictureFolder folder;
  folder.write_picture("images/x.png", 6);
  const auto elsewhere = folder.write_picture("elsewhere/y.png", 7);
  folder.write("lists/manifest.csv", "path,split\n../images/x.png,train\n" + elsewhere.string() + ",train\n");
  const auto manifest = dataset(folder.path() / "lists");
  const auto samples = manifest.samples();
  CHECK(equal_pixels(manifest.image(samples.at(0)), picture(6)));
  CHECK(equal_pixels(manifest.image(samples.at(1)), picture(7)));
}

TEST_CASE("a manifest is recognized by its header, and by its ending as one that may be wrong") {
  const PictureFolder folder;
  CHECK(dataset(folder.path()).recognize() == Recognition::no);
  CHECK(dataset(folder.path() / "none.csv").recognize() == Recognition::no);
  folder.write("manifest.csv", "\xEF\xBB\xBFsplit,path\r\n");
  CHECK(dataset(folder.path()).recognize() == Recognition::certain);
  CHECK(dataset(folder.write("list.txt", "path,split\n")).recognize() == Recognition::certain);
  CHECK(dataset(folder.write("other.csv", "a,b\n")).recognize() == Recognition::likely);
  CHECK(dataset(folder.write("damaged.csv", "\"path,split\n")).recognize() == Recognition::likely);
  CHECK(dataset(folder.write("x.jpg", std::string("\xFF\xD8\0", 3))).recognize() == Recognition::no);
  CHECK(dataset(folder.write("empty.txt", "")).recognize() == Recognition::no);
}

TEST_CASE("a data set written in the layout is recognized and read back with all that is known") {
  auto data = mixed_dataset();
  data.add("x8", unlabeled_identity, unknown_camera, Split::gallery, 502, "a, \"b\"");
  const TemporaryFolder folder;
  command::convert_dataset(data, ManifestLayout({}, {}), {.out = folder / "out", .layout = "manifest"});
  const auto manifest = dataset(folder / "out");
  CHECK(manifest.recognize() == Recognition::certain);
  const auto samples = manifest.samples();
  REQUIRE(samples.size() == data.samples().size());
  CHECK(samples.front().path == "train/000001.png");
  CHECK(facts_of(samples) == facts_of(data.samples()));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK(equal_pixels(manifest.image(samples[i]), data.image(data.samples()[i])));
  }
}

TEST_CASE("clothes are a column that may be left out and that may have empty cells and names") {
  const PictureFolder folder;
  const auto samples =
      dataset(folder.write("m.csv", "path,split,identity,clothes\na.jpg,query,1,0\nb.jpg,gallery,1,\n"))
          .samples();
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].clothes == 0);
  CHECK(samples[1].clothes == unknown_clothes);
  const auto named =
      dataset(folder.write("m.csv", "path,split,identity,clothes\na.jpg,query,1,red\nb.jpg,gallery,1,blue\n"))
          .samples();
  CHECK(named[0].clothes >= 0);
  CHECK(named[0].clothes != named[1].clothes);
  CHECK(contains(refusal("path,split,clothes\na.jpg,query,-1\n"),
                 "2: error: clothes '-1'; allowed are numbers from 0, names"));
}

TEST_CASE("tracklets and views are columns that may be left out and that may have empty cells") {
  const PictureFolder folder;
  const auto samples = dataset(folder.write("m.csv",
                                            "path,split,tracklet,view\n"
                                            "1.jpg,train,walk 1,0\n"
                                            "2.jpg,train,walk 1,\n"
                                            "3.jpg,train,,7\n"))
                           .samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].tracklet == "walk 1");
  CHECK(samples[0].view == 0);
  CHECK(samples[1].tracklet == "walk 1");
  CHECK(samples[1].view == unknown_view);
  CHECK(samples[2].tracklet.empty());
  CHECK(samples[2].view == 7);
  CHECK(contains(refusal("path,split,view\n1.jpg,train,-2\n"),
                 "2: error: view '-2'; allowed are numbers from 0, names, or an empty cell if the view is "
                 "unknown"));
}

TEST_CASE("a written manifest keeps tracklets, and the order of their frames") {
  MadeDataset data;
  data.add_frame("a", "z", 1, 1, Split::gallery);
  data.add("single", 2, 1, Split::gallery);
  data.add_frame("a", "b", 1, 1, Split::gallery);
  data.add_frame("a", "m", 1, 1, Split::gallery);
  const TemporaryFolder folder;
  command::convert_dataset(data, ManifestLayout({}, {}), {.out = folder / "copy", .layout = "manifest"},
                           nullptr);
  const auto copy = dataset(folder / "copy");
  const auto samples = copy.samples();
  REQUIRE(samples.size() == 4);
  const auto original = data.samples();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(samples[i].tracklet == original[i].tracklet);
    CHECK(equal_pixels(copy.image(samples[i]), data.image(original[i])));
  }
  CHECK(samples[2].path < samples[3].path);  // b, m, z
  CHECK(samples[3].path < samples[0].path);
}
