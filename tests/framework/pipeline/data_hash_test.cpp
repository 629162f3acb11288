#include "pipeline/data_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::pipeline;
using namespace kindred::test;

namespace {

/// One gallery image with everything that may be known of it.
class KnownImage : public Dataset {
 public:
  struct Params {
    std::string path = "a.png";
    std::int64_t identity = 1;
    std::int64_t camera = 1;
    std::string domain;
    std::int64_t clothes = unknown_clothes;
    std::int64_t view = unknown_view;
    std::string tracklet;
  };
  static Schema<Params> schema() {
    Schema<Params> s("One image.");
    s.add("path", &Params::path, "its name");
    s.add("identity", &Params::identity, "whose");
    s.add("camera", &Params::camera, "which");
    s.add("domain", &Params::domain, "where");
    s.add("clothes", &Params::clothes, "which").at_least(-1);
    s.add("view", &Params::view, "which").at_least(-1);
    s.add("tracklet", &Params::tracklet, "of which");
    return s;
  }
  KnownImage(const Params& params, const Context&) : params_(params) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    Sample sample{params_.path, params_.identity, params_.camera, params_.domain, Split::gallery};
    sample.clothes = params_.clothes;
    sample.view = params_.view;
    sample.tracklet = params_.tracklet;
    return {sample};
  }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return cv::Mat(16, 8, CV_8UC3); }

 private:
  Params params_;
};

std::string hash_with(const std::string& parameter) {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog more;
    more.add<KnownImage>("known");
    whole.merge(std::move(more), "more", "more.so");
    return whole;
  }();
  const auto plan =
      tiny_plan(catalog, {"dataset={ type = 'known'" + (parameter.empty() ? "" : ", " + parameter) + " }"});
  const TemporaryFolder folder;
  FileHashes files(folder / "memory");
  return data_hash({{plan, {Split::gallery}, /*pixels=*/false}}, files);
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
