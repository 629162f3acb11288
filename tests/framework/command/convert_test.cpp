#include "command/convert.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "file/folder_beside.h"
#include "made_dataset.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::test;

namespace {

using Names = std::vector<std::string>;

/// Gives out what it is told to, whatever the samples are.
class FixedLayout final : public Layout {
 public:
  explicit FixedLayout(Names images, std::vector<ListFile> lists = {})
      : files_{std::move(images), std::move(lists)} {}
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>&, const std::string&) const override {
    return files_;
  }

 private:
  LayoutFiles files_;
};

/// images/PATH.png of each sample, none of which may be junk.
class FlatLayout final : public Layout {
 public:
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>& samples,
                                  const std::string& ending) const override {
    LayoutFiles files;
    for (const auto& sample : samples) {
      if (sample.identity == junk_identity) throw DataError(sample.path, "is junk");
      files.images.push_back("images/" + sample.path + "." + ending);
    }
    files.lists.push_back({"lists/count.txt", std::to_string(samples.size())});
    return files;
  }
};

MadeDataset two() {
  MadeDataset data;
  data.add("a", 1, 1, Split::train, 7);
  data.add("b", 2, 1, Split::query, 8);
  return data;
}

ConvertOptions to(const std::filesystem::path& out, std::string ending = "") {
  ConvertOptions options;
  options.out = out;
  options.layout = "flat";
  options.ending = std::move(ending);
  return options;
}

}  // namespace

TEST_CASE("images and lists are written where the layout says, and nothing else") {
  const TemporaryFolder folder;
  const auto out = folder / "deep/out";
  convert_dataset(two(), FlatLayout(), to(out));
  CHECK(files_below(folder.path()) ==
        Names{"deep/out/images/a.png", "deep/out/images/b.png", "deep/out/lists/count.txt"});
  CHECK(equal_pixels(read_image(out / "images/a.png"), picture(7)));
  CHECK(equal_pixels(read_image(out / "images/b.png"), picture(8)));
  CHECK(read_bytes(out / "lists/count.txt") == "2");
}

TEST_CASE("the format and the size of the images can be chosen") {
  const TemporaryFolder folder;
  auto smaller = to(folder / "smaller");
  smaller.height = 20;
  smaller.width = 12;
  convert_dataset(two(), FlatLayout(), smaller);
  CHECK(read_image(folder / "smaller/images/b.png").size() == cv::Size(12, 20));
  convert_dataset(two(), FlatLayout(), to(folder / "out", "bmp"));
  CHECK(equal_pixels(read_image(folder / "out/images/a.bmp"), picture(7)));
  CHECK(contains(error_of([&] { convert_dataset(two(), FlatLayout(), to(folder / "gif", "gif")); }),
                 "is not an image format"));
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("what a layout refuses and an image that cannot be read leave nothing behind") {
  const auto refusal = [](const MadeDataset& data) {
    const TemporaryFolder folder;
    const auto text = error_of([&] { convert_dataset(data, FlatLayout(), to(folder / "out")); });
    CHECK(std::filesystem::is_empty(folder.path()));
    return text;
  };
  auto junk = two();
  junk.add("c", junk_identity, 1, Split::gallery);
  CHECK(contains(refusal(junk), "c: error: is junk"));
  auto damaged = two();
  damaged.add_unreadable("bad", 3, 1, Split::train);
  CHECK(contains(refusal(damaged), "bad: error: is empty"));
}

TEST_CASE("files that are not one for each image, in the folder and of the format are the layout's mistake") {
  const auto refusal = [](const FixedLayout& layout) {
    const TemporaryFolder folder;
    const auto text = error_of<ComponentError>([&] { convert_dataset(two(), layout, to(folder / "out")); });
    CHECK(std::filesystem::is_empty(folder.path()));
    return text;
  };
  CHECK(refusal(FixedLayout({"a.png"})) == "layout/flat: error: has 1 files for 2 images");
  CHECK(refusal(FixedLayout({"a.png", "a.png"})) == "layout/flat: error: has two files 'a.png'");
  CHECK(refusal(FixedLayout({"a.png", "b.jpg"})) == "layout/flat: error: 'b.jpg' does not end in '.png'");
  for (const std::string name : {"../b.png", "/b.png", "x/../../b.png", "./b.png"}) {
    CHECK(refusal(FixedLayout({"a.png", name})) ==
          "layout/flat: error: '" + name + "' is not a file in the data set's folder");
  }
  CHECK(refusal(FixedLayout({"a.png", "b.png"}, {{"b.png", ""}})) ==
        "layout/flat: error: has two files 'b.png'");
  CHECK(refusal(FixedLayout({"a.png", "b.png"}, {{"lists/", ""}})) ==
        "layout/flat: error: 'lists/' is not a file in the data set's folder");
}

TEST_CASE("only an empty folder is written to") {
  const TemporaryFolder folder;
  const auto keep = folder.write("out/keep.txt", "mine");
  CHECK(contains(error_of([&] { convert_dataset(two(), FlatLayout(), to(folder / "out")); }),
                 "out: error: already exists"));
  CHECK(read_bytes(keep) == "mine");
  CHECK(contains(error_of([&] { convert_dataset(two(), FlatLayout(), to(keep)); }), "already exists"));

  std::filesystem::create_directory(folder / "empty");
  convert_dataset(two(), FlatLayout(), to(folder / "empty/"));
  CHECK(files_below(folder / "empty").size() == 3);
}

TEST_CASE("a link to an empty folder is written to, and stays a link") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "disk/empty");
  std::filesystem::create_directory_symlink("disk/empty", folder / "out");
  convert_dataset(two(), FlatLayout(), to(folder / "out"));
  CHECK(std::filesystem::is_symlink(folder / "out"));
  CHECK(files_below(folder / "disk") ==
        Names{"empty/images/a.png", "empty/images/b.png", "empty/lists/count.txt"});
  std::filesystem::create_directory_symlink("nowhere", folder / "lost");
  CHECK(contains(error_of([&] { convert_dataset(two(), FlatLayout(), to(folder / "lost")); }),
                 "lost: error: is a link to no folder"));
}

TEST_CASE("images that are a query and in the gallery become two, and it is said") {
  class Notes final : public progress::ProgressSink {
   public:
    void update(const progress::Progress&) override {}
    void finish(const progress::Progress&) override {}
    void note(const std::string& text) override { texts.push_back(text); }
    Names texts;
  };
  const TemporaryFolder folder;
  MadeDataset data = two();
  Notes notes;
  convert_dataset(data, FixedLayout({"a.png", "b.png"}), to(folder / "one"), &notes);
  CHECK(notes.texts.empty());
  data.add("b", 2, 1, Split::gallery, 8);
  convert_dataset(data, FixedLayout({"a.png", "b.png", "c.png"}), to(folder / "two"), &notes);
  REQUIRE(notes.texts.size() == 1);
  CHECK(notes.texts[0].starts_with("warning: 1 image is both a query and in the gallery"));
}

TEST_CASE("what a killed command has left is removed, and what another one works on stays") {
  const TemporaryFolder folder;
  folder.write(".out.tmp/out/images/half.png", "");
  convert_dataset(two(), FlatLayout(), to(folder / "out"));
  const std::vector<std::string> files = {"images/a.png", "images/b.png", "lists/count.txt"};
  CHECK(files_below(folder / "out") == files);
  CHECK_FALSE(std::filesystem::exists(folder / ".out.tmp"));

  const file::FolderBeside other(folder / "new");
  const auto half = folder.write(".new.tmp/new/images/half.png", "");
  convert_dataset(two(), FlatLayout(), to(folder / "new"));
  CHECK(files_below(folder / "new") == files);
  CHECK(std::filesystem::exists(half));
}
