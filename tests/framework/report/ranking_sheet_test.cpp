#include "report/ranking_sheet.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace kindred::test {
using namespace kindred::report;  // NOLINT
namespace {

using Places = std::vector<std::size_t>;

TEST_CASE("the worst, middle and best queries are chosen, none twice") {
  const auto chosen = choose_queries({0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.4, 0.6}, {2, 3, 2});
  CHECK(chosen.worst == Places{1, 5});
  CHECK(chosen.middle == Places{7, 0, 8});
  CHECK(chosen.best == Places{2, 6});
}

TEST_CASE("queries that were not judged are not chosen, and equal ones keep their order") {
  const auto chosen = choose_queries({0.5, std::nan(""), 0.5, 0.5}, {1, 1, 1});
  CHECK(chosen.worst == Places{0});
  CHECK(chosen.middle == Places{2});
  CHECK(chosen.best == Places{3});
}

TEST_CASE("of few queries the worst come first, then the best") {
  const auto chosen = choose_queries({0.3, 0.1, 0.2}, {2, 6, 6});
  CHECK(chosen.worst == Places{1, 2});
  CHECK(chosen.best == Places{0});
  CHECK(chosen.middle.empty());
  const auto none = choose_queries({}, {2, 2, 2});
  CHECK(none.worst.size() + none.middle.size() + none.best.size() == 0);
  CHECK(choose_queries({0.1, 0.2}, {0, 0, 0}).worst.empty());
}

TEST_CASE("places are spread evenly") {
  CHECK(spread(10, 5) == Places{0, 2, 4, 6, 8});
  CHECK(spread(2, 5) == Places{0, 1});
  CHECK(spread(0, 5).empty());
  CHECK(spread(5, 0).empty());
}

}  // namespace
}  // namespace kindred::test
