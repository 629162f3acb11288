#include "data/kept_images.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

std::vector<Sample> samples_of(const std::vector<std::string>& paths) {
  std::vector<Sample> samples;
  for (const auto& path : paths) samples.emplace_back().path = path;
  return samples;
}

}  // namespace

TEST_CASE("an output that is an image of the data is refused, another file beside the images is not") {
  const TemporaryFolder folder;
  folder.write("data/query/a.png", "image");
  folder.write("data/query/b.png", "not listed");
  const auto list = folder.write("data/list.csv", "path\nquery/a.png\n");
  const auto refusal = [&](const fs::path& output, const fs::path& root) {
    return message_of<RecipeError>(
        [&] { require_images_kept("--sheet", output, root, samples_of({"query/a.png"})); });
  };
  for (const auto& root : {folder / "data", list}) {
    CAPTURE(root.string());
    CHECK(refusal(folder / "data/query/a.png", root).find("a.png', which this command reads") !=
          std::string::npos);
    CHECK(refusal(folder / "data/query/b.png", root).empty());
    CHECK(refusal(folder / "a.png", root).empty());
    CHECK(refusal("", root).empty());
  }
}

TEST_CASE("pictures of all images go neither into their folder nor among those that a file lists") {
  const TemporaryFolder folder;
  folder.write("data/query/a.png", "image");
  const auto list = folder.write("data/list.csv", "path\nquery/a.png\n");
  const auto refused = [&](const std::string& pictures, const fs::path& root) {
    const auto message = message_of<RecipeError>(
        [&] { require_images_apart("--maps", folder / pictures, root, samples_of({"query/a.png"})); });
    return message.find("lies among the images of '" + root.string() + "'") != std::string::npos;
  };
  for (const auto* name : {"data", "data/", "data/maps", "data/query"}) {
    CAPTURE(name);
    CHECK(refused(name, folder / "data"));
  }
  CHECK_FALSE(refused("maps", folder / "data"));
  CHECK_FALSE(refused("data_maps", folder / "data"));
  // Of a list, a folder beside the images is not read.
  CHECK(refused("data", list));
  CHECK(refused("data/query", list));
  CHECK_FALSE(refused("data/maps", list));
  CHECK_FALSE(refused("data/que", list));
}
