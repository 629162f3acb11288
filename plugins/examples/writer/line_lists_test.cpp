#include "line_lists.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "kindred/core/error.h"

using my_plugins::LineLists;

TEST_CASE("what is written is read back") {
  const LineLists writer({}, {});
  std::stringstream text;
  writer.write({{"a.png", {"x.png", "y.png"}, {}}, {"b.png", {"y.png"}, {}}}, text);
  CHECK(text.str() == "a.png x.png y.png\nb.png y.png\n");
  const auto rankings = writer.read(text);
  REQUIRE(rankings.size() == 2);
  CHECK(rankings[0].query == "a.png");
  CHECK(rankings[0].gallery == std::vector<std::string>{"x.png", "y.png"});
  CHECK(rankings[1].gallery == std::vector<std::string>{"y.png"});
}

TEST_CASE("names have no folders and no white space") {
  const LineLists writer({}, {});
  CHECK(writer.name_of("query/a.png") == "a.png");
  CHECK_THROWS_AS(static_cast<void>(writer.name_of("query/a b.png")), kindred::ComponentError);
}

TEST_CASE("an empty line is an error that gives its number") {
  std::istringstream text("a.png x.png\n\n");
  CHECK_THROWS_WITH_AS(static_cast<void>(LineLists({}, {}).read(text)), doctest::Contains("line 2"),
                       kindred::ComponentError);
}
