#include "pipeline/data_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "known_images.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

std::string hash_with(const std::string& parameter) {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog more;
    more.add<KnownImages>("known");
    whole.merge(std::move(more), "more", "more.so");
    return whole;
  }();
  const auto plan =
      tiny_plan(catalog, {"dataset={ type = 'known'" + (parameter.empty() ? "" : ", " + parameter) + " }"});
  const TemporaryFolder folder;
  FileHashes files(folder / "memory");
  return data_hash({{plan, {Split::train}, /*pixels=*/false}}, files);
}

}  // namespace

TEST_CASE("the hash of a stage's images changes with everything that is known of one") {
  std::vector<std::string> hashes;
  for (const std::string parameter :
       {"", "path = 'b.png'", "identity = 2", "camera = 2", "domain = 'night'", "clothes = 0", "clothes = 1",
        "view = 0", "view = 1", "tracklet = '1'"}) {
    CAPTURE(parameter);
    const auto hash = hash_with(parameter);
    CHECK(hash.size() == 64);
    CHECK(hash == hash_with(parameter));
    CHECK(std::find(hashes.begin(), hashes.end(), hash) == hashes.end());
    hashes.push_back(hash);
  }
}
