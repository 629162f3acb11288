#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "command/convert.h"
#include "ltcc.h"
#include "made_dataset.h"
#include "manifest.h"
#include "manifest_layout.h"
#include "prcc.h"

using namespace kindred;
using namespace kindred::cloth_changing;
using namespace kindred::test;

namespace {

Ltcc ltcc_at(const std::filesystem::path& root) {
  return Ltcc({root, "train", "query", "test"}, {});
}

Prcc prcc_at(const std::filesystem::path& root, bool use_validation = false) {
  return Prcc({root, use_validation}, {});
}

void write_ltcc(const PictureFolder& folder) {
  folder.write_picture("train/000_1_c9_015833.png", 1);
  folder.write_picture("train/000_2_c11_016000.png", 2);
  folder.write_picture("query/094_1_c9_015833.png", 3);
  folder.write_picture("test/094_3_c2_000001.png", 4);
}

/// @param rgb "rgb/" or ""
void write_prcc(const PictureFolder& folder, const std::string& rgb) {
  folder.write_picture(rgb + "train/001/A_cropped_rgb041.jpg", 1);
  folder.write_picture(rgb + "train/001/C_cropped_rgb001.jpg", 2);
  folder.write_picture(rgb + "val/005/B_cropped_rgb001.jpg", 3);
  folder.write_picture(rgb + "test/A/010/cropped_rgb001.jpg", 4);
  folder.write_picture(rgb + "test/B/010/cropped_rgb001.jpg", 5);
  folder.write_picture(rgb + "test/C/010/cropped_rgb001.jpg", 6);
}

/// "identity cCAMERA oCLOTHES split" by path.
std::map<std::string, std::string> clothes_facts(const std::vector<Sample>& samples) {
  std::map<std::string, std::string> facts;
  for (const auto& s : samples) {
    facts[s.path] = std::to_string(s.identity) + " c" + std::to_string(s.camera) + " o" +
                    std::to_string(s.clothes) + ' ' + split_name(s.split);
  }
  return facts;
}

}  // namespace

TEST_CASE("LTCC's names give identity, clothes and camera") {
  const PictureFolder folder;
  write_ltcc(folder);
  const auto dataset = ltcc_at(folder.path());
  const auto samples = dataset.samples();
  CHECK(clothes_facts(samples) ==
        std::map<std::string, std::string>{{"train/000_1_c9_015833.png", "0 c9 o1 train"},
                                           {"train/000_2_c11_016000.png", "0 c11 o2 train"},
                                           {"query/094_1_c9_015833.png", "94 c9 o1 query"},
                                           {"test/094_3_c2_000001.png", "94 c2 o3 gallery"}});
  CHECK(equal_pixels(dataset.image(samples[0]), picture(1)));
  CHECK(dataset.recognize() == Recognition::certain);
}

TEST_CASE("folders of LTCC's names with other files are not LTCC") {
  const PictureFolder folder;
  for (const char* name : {"train/1.png", "query/1.png", "test/1.png"}) folder.write(name, "");
  CHECK(ltcc_at(folder.path()).recognize() == Recognition::no);
  CHECK(contains(error_of([&] { (void)ltcc_at(folder.path()).samples(); }),
                 "train/1.png: error: is not named IIII_O_cC_... (identity, clothes, camera)"));
  CHECK_FALSE(parse_ltcc_name("0002_c1s1_000451_03.jpg").has_value());
  CHECK_FALSE(parse_ltcc_name("0000_000_01_0303morning_0008_0.jpg").has_value());
}

TEST_CASE("PRCC's people wear other clothes under camera C, in folder rgb or above it") {
  for (const std::string rgb : {"rgb/", ""}) {
    CAPTURE(rgb);
    const PictureFolder folder;
    write_prcc(folder, rgb);
    const auto dataset = prcc_at(folder.path());
    const auto samples = dataset.samples();
    CHECK(clothes_facts(samples) ==
          std::map<std::string, std::string>{{rgb + "train/001/A_cropped_rgb041.jpg", "1 c1 o0 train"},
                                             {rgb + "train/001/C_cropped_rgb001.jpg", "1 c3 o1 train"},
                                             {rgb + "test/A/010/cropped_rgb001.jpg", "10 c1 o0 gallery"},
                                             {rgb + "test/B/010/cropped_rgb001.jpg", "10 c2 o0 query"},
                                             {rgb + "test/C/010/cropped_rgb001.jpg", "10 c3 o1 query"}});
    CHECK(equal_pixels(dataset.image(samples[1]), read_image(folder / samples[1].path)));
    CHECK(dataset.recognize() == Recognition::certain);
    CHECK(prcc_at(folder.path(), true).samples().size() == 6);
  }
}

TEST_CASE("what is wrong with a copy of PRCC is named") {
  const PictureFolder folder;
  const auto refusal = [&] { return error_of([&] { (void)prcc_at(folder.path()).samples(); }); };
  CHECK(contains(refusal(), "contains neither 'rgb/train' nor 'rgb/test/A'"));
  write_prcc(folder, "rgb/");
  folder.write("rgb/train/notes.jpg", "");
  CHECK(contains(refusal(), "notes.jpg: error: does not lie in a folder that is the number of a person"));
  std::filesystem::remove(folder / "rgb/train/notes.jpg");
  folder.write("rgb/train/9223372036854775807/A_cropped_rgb041.jpg", "");
  CHECK(contains(refusal(), "does not lie in a folder that is the number of a person"));
  std::filesystem::remove_all(folder / "rgb/train/9223372036854775807");
  folder.write("rgb/train/001/cropped_rgb041.jpg", "");
  CHECK(contains(refusal(), "is not named A_..., B_... or C_..."));
  std::filesystem::remove(folder / "rgb/train/001/cropped_rgb041.jpg");
  std::filesystem::remove_all(folder / "rgb/test/A");
  CHECK(contains(refusal(), "test: error: contains queries, but not the gallery 'A'"));
  CHECK(prcc_at(folder.path()).recognize() == Recognition::no);
}

TEST_CASE("a manifest of a data set keeps the clothes") {
  const PictureFolder folder;
  write_ltcc(folder);
  const manifest::ManifestLayout layout({}, {});
  command::ConvertOptions options;
  options.out = folder / "out";
  options.layout = "manifest";
  command::convert_dataset(ltcc_at(folder.path()), layout, options, nullptr);
  const manifest::Manifest written({folder / "out"}, {});
  CHECK(clothes_facts(written.samples()) ==
        std::map<std::string, std::string>{{"train/000001.png", "0 c9 o1 train"},
                                           {"train/000002.png", "0 c11 o2 train"},
                                           {"query/000001.png", "94 c9 o1 query"},
                                           {"gallery/000001.png", "94 c2 o3 gallery"}});
  CHECK(read_bytes(folder / "out/manifest.csv").starts_with("path,identity,camera,domain,split,clothes\n"));
}
