#include "application/gallery_parts.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/role/index.h"
#include "kindred/search.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::application;

namespace {

/// Compares with every row, until it is told to fail.
class BreakableIndex final : public Index {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Compares with every row."); }
  static inline bool is_broken = false;
  static inline bool refuses_searches = false;
  static inline std::int64_t searches = 0;

  BreakableIndex(const Params& /*params*/, const Context& context) : rows_(torch::zeros({0, context.dim})) {}

  void add(const torch::Tensor& rows) override {
    if (is_broken) throw std::runtime_error("it is broken");
    rows_ = torch::cat({rows_, rows});
  }
  [[nodiscard]] torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const override {
    if (refuses_searches) throw std::runtime_error("it cannot be searched");
    ++searches;
    auto found = torch::full({queries.size(0), count}, -1, torch::kLong);
    const auto most = std::min(count, rows_.size(0));
    found.narrow(1, 0, most).copy_(std::get<1>(torch::mm(queries, rows_.t()).topk(most, 1)));
    return found;
  }

 private:
  torch::Tensor rows_;
};

struct IndexedGallery {
  test::TemporaryFolder folder;
  std::unique_ptr<GalleryParts> parts;

  /// Five entries, the unit vectors "0" to "4", and their index.
  explicit IndexedGallery(bool on_disk) {
    BreakableIndex::is_broken = false;
    parts = on_disk ? GalleryParts::create(folder / "gallery", 6, "") : std::make_unique<GalleryParts>(6, "");
    const std::vector<std::string> ids{"0", "1", "2", "3", "4"};
    parts->add(ids, torch::eye(5, 6), {});
    auto catalog = std::make_shared<Catalog>();
    catalog->add<BreakableIndex>("breakable");
    static_cast<void>(parts->build_index({.type = "breakable"}, std::move(catalog)));
  }

  /// Of the unit vector with that number.
  [[nodiscard]] std::string nearest(std::int64_t number) const {
    const auto found = parts->search(torch::eye(6).slice(0, number, number + 1), {.top = 1});
    return found.at(0).empty() ? "" : found[0][0].id;
  }
  /// Whether a search asks the index.
  [[nodiscard]] bool is_indexed() const {
    const auto before = BreakableIndex::searches;
    static_cast<void>(nearest(0));
    return BreakableIndex::searches > before;
  }
};

}  // namespace

TEST_CASE("an index finds what is added, and not what is removed, also after the gallery was compacted") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    const IndexedGallery gallery(on_disk);
    CHECK(gallery.nearest(3) == "3");
    CHECK(gallery.parts->remove("3"));
    CHECK(gallery.nearest(3) != "3");
    gallery.parts->compact();
    CHECK(gallery.nearest(4) == "4");
    const std::vector<std::string> more{"5"};
    gallery.parts->add(more, torch::eye(6).slice(0, 5, 6), {});
    CHECK(gallery.nearest(5) == "5");
    CHECK(gallery.is_indexed());
    CHECK(gallery.parts->notes().empty());
  }
}

TEST_CASE("an index that fails is dropped with a note, and searches are exact") {
  for (const bool on_disk : {false, true}) {
    for (const bool adds : {true, false}) {
      CAPTURE(on_disk);
      CAPTURE(adds);
      const IndexedGallery gallery(on_disk);
      REQUIRE(gallery.is_indexed());
      CHECK(gallery.parts->remove("1"));
      BreakableIndex::is_broken = true;
      if (adds) {
        const std::vector<std::string> more{"5"};
        gallery.parts->add(more, torch::eye(6).slice(0, 5, 6), {});
        CHECK(gallery.nearest(5) == "5");
      } else {
        gallery.parts->compact();
        CHECK(gallery.parts->size() == 4);
      }
      CHECK(gallery.nearest(4) == "4");
      CHECK_FALSE(gallery.is_indexed());
      const auto notes = gallery.parts->notes();
      REQUIRE(notes.size() == 1);
      CHECK(notes[0].find("the index was dropped, it does not take what has changed") != std::string::npos);
      CHECK(notes[0].find("it is broken") != std::string::npos);
    }
  }
}

TEST_CASE("an index that cannot be searched is an error when it is built, and changes nothing") {
  const IndexedGallery gallery(false);
  BreakableIndex::refuses_searches = true;
  auto catalog = std::make_shared<Catalog>();
  catalog->add<BreakableIndex>("breakable");
  gallery.parts->drop_index();
  CHECK_THROWS_WITH_AS(static_cast<void>(gallery.parts->build_index({.type = "breakable"}, catalog)),
                       doctest::Contains("it cannot be searched"), Error);
  CHECK(gallery.nearest(3) == "3");
  // Nor where there is too little to measure it.
  for (const auto* id : {"0", "1", "2", "3"}) CHECK(gallery.parts->remove(id));
  REQUIRE(gallery.parts->size() == 1);
  CHECK_THROWS_AS(static_cast<void>(gallery.parts->build_index({.type = "breakable"}, catalog)), Error);
  BreakableIndex::refuses_searches = false;
  CHECK_FALSE(gallery.is_indexed());
}

TEST_CASE("a parameter that an index does not have is an error, and so is its type, which has been said") {
  const IndexedGallery gallery(false);
  auto catalog = std::make_shared<Catalog>();
  catalog->add<BreakableIndex>("breakable");
  catalog->add<BreakableIndex>("other");
  const auto build = [&](const std::string& parameter) {
    static_cast<void>(gallery.parts->build_index({.type = "breakable", .parameters = {parameter}}, catalog));
  };
  CHECK_THROWS_WITH_AS(build("search=3"), doctest::Contains("index 'breakable' has no parameter 'search'"),
                       RecipeError);
  CHECK_THROWS_WITH_AS(build("type=other"), doctest::Contains("the index is 'breakable' already"),
                       RecipeError);
  CHECK(gallery.is_indexed());
}
