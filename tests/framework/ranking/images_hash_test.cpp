#include "ranking/images_hash.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace kindred::test {
using namespace kindred::ranking;  // NOLINT
namespace {

struct Images {
  std::vector<Sample> query = {{"q/1.png", 7, 2, "", Split::query}, {"q/2.png", 9, 1, "", Split::query}};
  std::vector<Sample> gallery = {{"g/1.png", 9, 2, "", Split::gallery},
                                 {"g/2.png", 7, 1, "", Split::gallery},
                                 {"g/3.png", 0, 3, "", Split::gallery},
                                 {"g/4.png", 0, 3, "", Split::gallery},
                                 {"g/5.png", junk_identity, 3, "", Split::gallery},
                                 {"g/6.png", unlabeled_identity, unknown_camera, "", Split::gallery}};

  [[nodiscard]] std::string hash(bool single_shots = false) const {
    return images_hash(query, gallery, single_shots);
  }
};

TEST_CASE("a data set has one hash alone and among others, which number its images anew") {
  const Images alone;
  Images among = alone;
  for (auto* images : {&among.query, &among.gallery}) {
    for (auto& sample : *images) {
      sample.path.insert(0, "market/");
      if (sample.identity >= 0) sample.identity = 100 - sample.identity;
      if (sample.camera >= 0) sample.camera += 10;
    }
  }
  CHECK(among.hash() == alone.hash());
  among.gallery[3].identity = 5000;  // distractors are one person there, and several here
  CHECK(among.hash() == alone.hash());
  CHECK(alone.hash().size() == 64);
}

TEST_CASE("where one image of each person is drawn, it counts which distractors are one person") {
  const Images alone;
  Images numbered = alone;
  for (auto* images : {&numbered.query, &numbered.gallery}) {
    for (auto& sample : *images) {
      if (sample.identity >= 0) sample.identity = 100 - sample.identity;
    }
  }
  CHECK(numbered.hash(true) == alone.hash(true));
  Images apart = alone;
  apart.gallery[3].identity = 5000;
  CHECK(apart.hash(true) != alone.hash(true));
}

TEST_CASE("how the clothes of a person are numbered does not count") {
  Images first;
  first.query[0].clothes = 4;  // of identity 7
  first.query[1].clothes = 4;
  first.gallery[0].clothes = 4;
  first.gallery[1].clothes = 2;
  Images numbered = first;
  numbered.query[0].clothes = 0;
  numbered.query[1].clothes = 6;
  numbered.gallery[0].clothes = 6;
  numbered.gallery[1].clothes = 1;
  CHECK(numbered.hash() == first.hash());
  numbered.gallery[2].clothes = 3;  // of people whom no query shows
  numbered.gallery[3].clothes = 5;
  CHECK(numbered.hash() == first.hash());
  Images changed = numbered;
  changed.gallery[1].clothes = 0;  // as the query of identity 7
  CHECK(changed.hash() != first.hash());
  Images unknown = numbered;
  unknown.gallery[1].clothes = unknown_clothes;
  CHECK(unknown.hash() != first.hash());
}

TEST_CASE("other images, other people, other cameras and other clothes have other hashes") {
  const Images first;
  const std::vector<std::function<void(Images&)>> changes = {
      [](Images& images) { images.query[0].path = "q/3.png"; },
      [](Images& images) { images.query[0].identity = 9; },
      [](Images& images) { images.query[0].camera = 1; },
      [](Images& images) { images.query[0].camera = unknown_camera; },
      [](Images& images) { images.query[0].clothes = 1; },
      [](Images& images) { images.query.pop_back(); },
      [](Images& images) { images.gallery.pop_back(); },
      [](Images& images) { images.gallery[2].identity = 7; },
      [](Images& images) { images.gallery[2].identity = junk_identity; },
      [](Images& images) { images.gallery[2].identity = unlabeled_identity; },
      [](Images& images) { images.gallery[0].camera = 3; },
      [](Images& images) { std::swap(images.gallery[0], images.gallery[1]); },
      [](Images& images) {
        images.query.push_back(images.gallery.front());
        images.gallery.erase(images.gallery.begin());
      },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto changed = first;
    changes[i](changed);
    CAPTURE(i);
    CHECK(changed.hash() != first.hash());
  }
}

}  // namespace
}  // namespace kindred::test
