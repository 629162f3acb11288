#include "kindred/nn/position_embedding.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "golden/formula_values.h"
#include "golden/golden_model.h"

using namespace kindred;
using test::formula_values;

namespace {

torch::Tensor position_source(std::int64_t tokens) {
  return formula_values("pos_embed", {1, tokens, 2});
}

}  // namespace

TEST_CASE("position embeddings are interpolated as timm and TransReID do it") {
  const auto golden = test::golden_json("weights/vit_expected.json")["positions"];
  struct Case {
    std::string name;
    TokenGrid grid;
    std::int64_t tokens;
    GridResampling how;
  };
  for (const auto& test : {Case{"bicubic_14x14_to_5x3", {5, 3}, 197, GridResampling::bicubic},
                           Case{"bicubic_3x3_to_5x4", {5, 4}, 10, GridResampling::bicubic},
                           Case{"bicubic_7x3_to_4x2", {4, 2}, 22, GridResampling::bicubic},
                           Case{"bilinear_14x14_to_5x3", {5, 3}, 197, GridResampling::bilinear},
                           Case{"bilinear_3x3_to_5x4", {5, 4}, 10, GridResampling::bilinear}}) {
    CAPTURE(test.name);
    const PositionEmbedding position(test.grid, 2, test.how);
    const auto adapted = position.adapted("embedding", position_source(test.tokens));
    REQUIRE(adapted.defined());
    CHECK(adapted.sizes().vec() == std::vector<std::int64_t>{1, 1 + test.grid.rows * test.grid.columns, 2});
    CHECK(test::relative_difference(adapted, golden[test.name].get<std::vector<double>>()) < 2e-6);
  }
}

TEST_CASE("extra tokens of a source are found, taken from the first on and 0 where it has none") {
  const auto adapted = [](std::int64_t own_extra, std::int64_t source_tokens) {
    const PositionEmbedding position({2, 4, own_extra}, 2, GridResampling::bicubic);
    return position.adapted("embedding", position_source(source_tokens));
  };
  const auto source = [](std::int64_t tokens, std::int64_t from, std::int64_t count) {
    return position_source(tokens).narrow(1, from, count);
  };
  SUBCASE("a distilled network has one more than a plain one") {
    // 11 = 2 + 3 x 3, 17 = 1 + 4 x 4
    CHECK(torch::equal(adapted(1, 11).narrow(1, 0, 1), source(11, 0, 1)));
    CHECK(torch::equal(adapted(2, 17).narrow(1, 0, 1), source(17, 0, 1)));
    CHECK(torch::equal(adapted(2, 17).narrow(1, 1, 1), torch::zeros({1, 1, 2})));
  }
  SUBCASE("this module's own grid is not interpolated") {
    // 9 = 1 + 2 x 4, of two tokens more than the grid
    CHECK(torch::equal(adapted(2, 9).narrow(1, 2, 8), source(9, 1, 8)));
    CHECK(torch::equal(adapted(2, 9).narrow(1, 1, 1), torch::zeros({1, 1, 2})));
  }
  SUBCASE("another that is not square has the shape that is nearest") {
    // 1 + 3 x 6: rather than 2 x 9 or 6 x 3
    const PositionEmbedding position({2, 4}, 2, GridResampling::bilinear);
    const auto map = source(19, 1, 18).reshape({1, 3, 6, 2}).permute({0, 3, 1, 2});
    const auto expected = resampled_grid(map, 2, 4, GridResampling::bilinear);
    CHECK(torch::equal(position.adapted("embedding", position_source(19)).narrow(1, 1, 8),
                       expected.permute({0, 2, 3, 1}).reshape({1, 8, 2})));
  }
}

TEST_CASE("a source without extra tokens is found as a square, and those of the module are then 0") {
  const auto adapted = [](std::int64_t rows, std::int64_t columns, std::int64_t tokens) {
    const PositionEmbedding position({rows, columns}, 2, GridResampling::bicubic);
    const auto all = position.adapted("embedding", position_source(tokens));
    CHECK(torch::equal(all.narrow(1, 0, 1), torch::zeros({1, 1, 2})));
    return all.narrow(1, 1, rows * columns);
  };
  const auto resampled = [](std::int64_t side, std::int64_t rows, std::int64_t columns) {
    const auto map = position_source(side * side).reshape({1, side, side, 2}).permute({0, 3, 1, 2});
    return resampled_grid(map, rows, columns, GridResampling::bicubic)
        .permute({0, 2, 3, 1})
        .reshape({1, rows * columns, 2});
  };
  CHECK(torch::equal(adapted(16, 8, 196), resampled(14, 16, 8)));    // not 15 x 13 after a class token
  CHECK(torch::equal(adapted(14, 14, 576), resampled(24, 14, 14)));  // nor 25 x 23
  CHECK(torch::equal(adapted(14, 14, 196), position_source(196)));
  CHECK(torch::equal(adapted(16, 8, 128), position_source(128)));
}

TEST_CASE(
    "of a number of tokens that may be a square, the grid of the module's shape after a class token is "
    "taken") {
  // 289 = 17 x 17 = 1 + 24 x 12: images of 384 x 192 and of 256 x 128
  const PositionEmbedding position({16, 8}, 2, GridResampling::bicubic);
  const auto all = position.adapted("embedding", position_source(289));
  CHECK(torch::equal(all.narrow(1, 0, 1), position_source(289).narrow(1, 0, 1)));
  const auto map = position_source(289).narrow(1, 1, 288).reshape({1, 24, 12, 2}).permute({0, 3, 1, 2});
  CHECK(torch::equal(
      all.narrow(1, 1, 128),
      resampled_grid(map, 16, 8, GridResampling::bicubic).permute({0, 2, 3, 1}).reshape({1, 128, 2})));
}

TEST_CASE("of two grids whose shapes are as near the one with more rows is taken") {
  struct Case {
    TokenGrid own;
    TokenGrid source;
  };
  // Images of 256 x 128 for a square grid, not of 128 x 256; and of 384 x 128, not of 256 x 192.
  for (const auto& test : {Case{{4, 4}, {16, 8}}, Case{{16, 8}, {24, 8}}}) {
    const auto& [own, source] = test;
    const PositionEmbedding position(own, 2, GridResampling::bicubic);
    const auto places = source.rows * source.columns;
    const auto all = position.adapted("embedding", position_source(1 + places));
    const auto map = position_source(1 + places)
                         .narrow(1, 1, places)
                         .reshape({1, source.rows, source.columns, 2})
                         .permute({0, 3, 1, 2});
    const auto expected = resampled_grid(map, own.rows, own.columns, GridResampling::bicubic)
                              .permute({0, 2, 3, 1})
                              .reshape({1, own.rows * own.columns, 2});
    CHECK(torch::equal(all.narrow(1, 1, own.rows * own.columns), expected));
  }
}

TEST_CASE("an embedding without a batch dimension, in 16 bits or in double precision fits, too") {
  const PositionEmbedding position({5, 3}, 2, GridResampling::bicubic);
  const auto expected = position.adapted("embedding", position_source(10));
  CHECK(torch::equal(position.adapted("embedding", position_source(10)[0]), expected));
  CHECK(torch::equal(position.adapted("embedding", position_source(10).to(torch::kFloat64)), expected));
  const auto half = position.adapted("embedding", position_source(10).to(torch::kFloat16));
  CHECK(torch::allclose(half, expected, 1e-2, 1e-3));
  CHECK(half.is_floating_point());
  CHECK(half.element_size() == 4);
  CHECK(torch::equal(position.adapted("embedding", expected[0]), expected));
}

TEST_CASE("what is no embedding of these channels does not fit") {
  const PositionEmbedding position({5, 3}, 2, GridResampling::bicubic);
  CHECK_FALSE(position.adapted("embedding", torch::ones({1, 10, 3})).defined());
  CHECK_FALSE(position.adapted("embedding", torch::ones({2, 10, 2})).defined());
  CHECK_FALSE(position.adapted("embedding", torch::ones({20})).defined());
  CHECK_FALSE(position.adapted("embedding", torch::ones({1, 1, 2})).defined());
  CHECK_FALSE(position.adapted("embedding", torch::ones({1, 0, 2})).defined());
  CHECK_FALSE(position.adapted("other", torch::ones({1, 10, 2})).defined());
  CHECK_FALSE(position.adapted("embedding", torch::ones({1, 10, 2}, torch::kInt64)).defined());
}

TEST_CASE("the embedding is added to the tokens of every image") {
  PositionEmbedding position({1, 2}, 2, GridResampling::bicubic);
  const auto tokens = torch::rand({3, 3, 2});
  CHECK(torch::equal(position.forward(tokens)[2], tokens[2] + position.parameters()[0][0]));
}
