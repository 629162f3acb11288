// A person is looked for with a picture, from the command line.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kindred/search.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

/// A trained model with features, and the images that it was tested on, once for all cases.
struct Prepared {
  TemporaryFolder folder;
  fs::path run = folder / "run";
  fs::path data = folder / "data";
  fs::path model;
  fs::path picture;

  Prepared() {
    const auto recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";
    const auto trained = kindred({"run", recipe, "--run-dir", run.string(), "--set", "train.epochs=1",
                                  "--set", "schedule.milestones=[]"},
                                 folder.path());
    CAPTURE(trained.err);
    REQUIRE(trained.exit_code == 0);
    const auto converted =
        kindred({"data", "convert", recipe, "--layout", "market1501", "--out", data.string()}, folder.path());
    CAPTURE(converted.err);
    REQUIRE(converted.exit_code == 0);
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      if (entry.path().filename() == "model.safetensors") model = entry.path();
    }
    std::vector<fs::path> queries;
    for (const auto& entry : fs::directory_iterator(data / "query")) queries.push_back(entry.path());
    std::sort(queries.begin(), queries.end());
    picture = queries.at(3);
  }

  [[nodiscard]] Outcome search(const fs::path& gallery, std::vector<std::string> more) const {
    std::vector<std::string> command{"search",         "--weights", model.string(),  "--gallery",
                                     gallery.string(), "--image",   picture.string()};
    command.insert(command.end(), more.begin(), more.end());
    return kindred(command, folder.path());
  }

  /// The matches that a search prints.
  [[nodiscard]] nlohmann::json matches(const fs::path& gallery, std::vector<std::string> more) const {
    more.emplace_back("--json");
    const auto outcome = search(gallery, std::move(more));
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    const auto json = nlohmann::json::parse(outcome.out);
    REQUIRE(json.size() == 1);
    CHECK(json[0]["image"] == picture.string());
    return json[0]["matches"];
  }
};

const Prepared& prepared() {
  static const Prepared made;
  return made;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> ids_of(const nlohmann::json& matches) {
  std::vector<std::string> ids;
  for (const auto& match : matches) ids.push_back(match["id"]);
  return ids;
}

}  // namespace

TEST_CASE("a picture is looked for among images, whose features can be kept") {
  const auto& made = prepared();
  const auto kept = made.folder / "kept";
  const auto sheet = made.folder / "sheet.png";
  const auto found =
      made.matches(made.data, {"--keep", kept.string(), "--top", "12", "--sheet", sheet.string()});
  REQUIRE(found.size() == 12);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i]["rank"] == i + 1);
    if (i > 0) CHECK(found[i]["similarity"].get<double>() <= found[i - 1]["similarity"].get<double>());
    CHECK(fs::is_regular_file(found[i]["image"].get<std::string>()));
    CHECK(found[i]["camera"].is_number());
    CHECK(found[i]["label"].is_string());
    CHECK(found[i]["time"].is_null());
  }
  // Two rows of ten, and all of it drawn.
  const auto drawn = cv::imread(sheet.string());
  CHECK(drawn.cols > 10 * 64);
  CHECK(drawn.rows > 2 * 128);

  const auto again = made.matches(kept, {"--top", "12"});
  CHECK(ids_of(again) == ids_of(found));
  CHECK(std::abs(again[0]["similarity"].get<double>() - found[0]["similarity"].get<double>()) < 1e-5);

  const auto camera = found[0]["camera"].get<int>();
  for (const auto& match : made.matches(kept, {"--camera", std::to_string(camera), "--top", "100"})) {
    CHECK(match["camera"] == camera);
  }
  const auto nobody = made.search(kept, {"--camera", "99"});
  CHECK(nobody.exit_code == 0);
  CHECK(holds(nobody.err, "warning: no image of the gallery is known to be of camera 99; there are "));
  const auto bound = found[4]["similarity"].get<double>();
  CHECK(made.matches(kept, {"--top", "100", "--threshold", std::to_string(bound - 1e-6)}).size() == 5);

  const auto text = made.search(kept, {"--top", "3"});
  CHECK(holds(text.out, made.picture.string() + ": 3 matches of "));
  CHECK(holds(text.out, "RANK"));
  CHECK(holds(text.out, found[0]["id"].get<std::string>()));
}

TEST_CASE("the images of a manifest and a single image are said to lie where they do") {
  const auto& made = prepared();
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(made.data / "bounding_box_test")) {
    images.push_back(entry.path());
  }
  std::sort(images.begin(), images.end());
  images.resize(3);
  std::string text = "path,split\n";
  for (const auto& image : images)
    text += image.lexically_relative(made.folder.path()).string() + ",gallery\n";
  const auto list = made.folder.write("list.csv", text);
  const auto kept = made.folder / "kept_of_list";
  for (const auto& match : made.matches(list, {"--keep", kept.string(), "--top", "3"})) {
    const auto file = (made.folder.path() / match["id"].get<std::string>()).string();
    CHECK(match["image"] == file);
    CHECK(std::find(images.begin(), images.end(), file) != images.end());
    CHECK(Gallery::open(kept, {.read_only = true}).info(match["id"]).image == file);
  }
  const auto one = made.matches(images[0], {});
  REQUIRE(one.size() == 1);
  CHECK(one[0]["image"] == images[0].string());
}

TEST_CASE("a picture is looked for in the features of a run, with the pictures from where they lie") {
  const auto& made = prepared();
  const auto of_run = made.search(made.run, {"--top", "2"});
  CAPTURE(of_run.err);
  CHECK(of_run.exit_code == 0);
  CHECK(holds(of_run.out, "2 matches of "));
  CHECK(holds(of_run.err, "does not say which model"));

  const auto features = made.folder / "features";
  const auto embedded = kindred(
      {"embed", "--weights", made.model.string(), "--data", made.data.string(), "--out", features.string()},
      made.folder.path());
  REQUIRE(embedded.exit_code == 0);
  const auto without = made.matches(features, {"--top", "5"});
  CHECK(without[0]["image"].is_null());
  const auto found = made.matches(features, {"--top", "5", "--data", made.data.string()});
  const auto bare = made.search(features, {"--top", "5", "--sheet", (made.folder / "bare.png").string()});
  CHECK(bare.exit_code == 0);
  CHECK(holds(bare.err,
              "bare.png lacks 5 pictures of matches, as it is not known where they lie; give the folder of "
              "the images with --data"));
  CHECK(fs::is_regular_file(found[0]["image"].get<std::string>()));
  CHECK(ids_of(found) == ids_of(made.matches(made.data, {"--top", "5"})));

  // What the system refuses to look at is not taken for a picture that is not there.
  const auto circle = made.folder / "circle";
  fs::create_directory(circle);
  fs::create_directory_symlink("bounding_box_test", circle / "bounding_box_test");
  const auto refused = made.search(features, {"--top", "5", "--data", circle.string()});
  CHECK(refused.exit_code == 1);
  CHECK(holds(refused.err, "cannot be read: Too many levels of symbolic links"));
}

TEST_CASE("a sheet without the pictures of some matches says so") {
  const auto& made = prepared();
  const auto data = made.folder / "fewer";
  fs::copy(made.data, data, fs::copy_options::recursive);
  const auto kept = made.folder / "kept_of_fewer";
  const auto found = made.matches(data, {"--keep", kept.string(), "--top", "3"});
  fs::remove(found.at(1)["image"].get<std::string>());
  const auto sheet = made.folder / "fewer.png";
  const auto outcome = made.search(kept, {"--top", "3", "--sheet", sheet.string()});
  CHECK(outcome.exit_code == 0);
  CHECK(fs::is_regular_file(sheet));
  CHECK(holds(outcome.err, "fewer.png lacks 1 picture of matches that cannot be read; the first: " +
                               found[1]["image"].get<std::string>() + ": error: does not exist"));
}

TEST_CASE("a sheet is a PNG or a JPEG file as its name says, and other names are refused before the search") {
  const auto& made = prepared();
  const auto none = made.folder / "no_gallery";
  for (const std::string name : {"found.gif", "found", "found.png.txt"}) {
    CAPTURE(name);
    const auto file = (made.folder / name).string();
    const auto outcome = made.search(none, {"--sheet", file});
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.err == "--sheet " + file +
                             ": error: the name must end in .png or .jpg, which says the format of the "
                             "pictures\n");
    CHECK_FALSE(fs::exists(file));
  }
  const auto jpeg = made.folder / "found.jpg";
  REQUIRE(made.search(made.data, {"--top", "2", "--sheet", jpeg.string()}).exit_code == 0);
  CHECK(read_bytes(jpeg).starts_with("\xFF\xD8"));
}

TEST_CASE("an index finds what exact search finds, and what it misses is reported") {
  const auto& made = prepared();
  const auto listed = kindred({"list"}, made.folder.path());
  if (!holds(listed.out, "index/hnsw")) {
    MESSAGE("left out: this build has no plugin faiss, because libfaiss is not installed");
    return;
  }
  const auto exact = ids_of(made.matches(made.data, {"--top", "5"}));
  for (const auto* index : {"flat", "ivf", "hnsw"}) {
    CAPTURE(index);
    const auto outcome = made.search(made.data, {"--top", "5", "--index", index});
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 0);
    CHECK(holds(outcome.out, std::string("index ") + index + ": built in "));
    CHECK(holds(outcome.out, "it finds the most similar one for 100.00"));
    // Beside JSON, which is for programs, on standard error.
    const auto json = made.search(made.data, {"--top", "5", "--index", index, "--json"});
    REQUIRE(json.exit_code == 0);
    CHECK(ids_of(nlohmann::json::parse(json.out).at(0).at("matches")) == exact);
    CHECK(holds(json.err, std::string("index ") + index + ": built in "));
  }
  fs::create_directories(made.folder / "one");
  fs::copy_file(made.picture, made.folder / "one" / made.picture.filename());
  const auto one = made.search(made.folder / "one", {"--index", "hnsw"});
  CHECK(holds(one.out, "what it misses cannot be measured with less than two images"));
  CHECK(!holds(one.out, "0.00 %"));
  const auto parameter = made.search(made.data, {"--index", "hnsw", "--set", "index.serach=3"});
  CHECK(parameter.exit_code != 0);
  CHECK(holds(parameter.err, "did you mean 'search'?"));
}

TEST_CASE("what cannot be searched is an error with what to do") {
  const auto& made = prepared();
  const auto refused = [&](const fs::path& gallery, std::vector<std::string> more) {
    const auto outcome = made.search(gallery, std::move(more));
    CHECK(outcome.exit_code != 0);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  const auto kept = made.folder / "of_this_model";
  static_cast<void>(made.matches(made.data, {"--keep", kept.string()}));
  CHECK(
      holds(refused(kept, {"--set", "embed.flip_test=true"}),
            "holds descriptors of this model without overrides instead of with --set embed.flip_test=true"));
  const auto kept_twice = made.search(kept, {"--keep", (made.folder / "x").string()});
  CHECK(kept_twice.exit_code == 2);
  CHECK(holds(kept_twice.err, "--keep " + (made.folder / "x").string() + ": error: the features of "));
  CHECK(holds(refused(made.data, {"--keep", kept.string()}), "is a gallery already"));
  CHECK(holds(refused(made.folder / "none", {}), "none"));
  CHECK(holds(refused(kept, {"--set", "index.probes=3"}), "name one with --index"));
  CHECK(holds(refused(kept, {"--index", "no_such"}), "no_such"));
  const auto no_image = made.folder.write("no_image.jpg", "text");
  CHECK(holds(refused(kept, {"--image", no_image.string()}), "no_image.jpg"));
  CHECK(holds(refused(kept, {"--threshold", "2"}), "--threshold"));
  Gallery of_another_model(2, "another");
  of_another_model.add("a", (cv::Mat_<float>(1, 2) << 1, 0));
  of_another_model.save(made.folder / "of_another_model");
  CHECK(holds(refused(made.folder / "of_another_model", {}), "holds descriptors of another model"));
  // Features of other programs do not say of which model they are.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  header.resize(117, ' ');
  const std::string number("\0\0\x80\x3F", 4);
  made.folder.write("of_another_size/gallery.npy",
                    std::string("\x93NUMPY\x01\0\x76\0", 10) + header + "\n" + number + std::string(4, '\0'));
  made.folder.write("of_another_size/gallery.csv", "path,identity,camera\na.png,1,1\n");
  CHECK(holds(refused(made.folder / "of_another_size", {}),
              "of_another_size: error: holds descriptors of 2 numbers, but those of the model have"));
}

}  // namespace kindred::test
