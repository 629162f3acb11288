#include "kindred/core/error.h"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <vector>

using namespace kindred;

TEST_CASE("a place is file, line and column, or the text of an override") {
  CHECK(SourceLocation{"base.toml", 31, 4}.str() == "base.toml:31:4");
  CHECK(SourceLocation{"--set train.epochs=3", 0, 0}.str() == "--set train.epochs=3");
}

TEST_CASE("a diagnostic says the place, then what is wrong") {
  CHECK(Diagnostic{{"base.toml", 31, 4}, "no"}.str() == "base.toml:31:4: error: no");
  CHECK(Diagnostic{{"--set a=1", 0, 0}, "no"}.str() == "--set a=1: error: no");
  CHECK(Diagnostic{{}, "no"}.str() == "error: no");
}

TEST_CASE("a recipe's error says every error on a line of its own, in the order found") {
  Diagnostics diagnostics;
  CHECK_NOTHROW(diagnostics.throw_if_any());
  diagnostics.error({"b.toml", 2, 1}, "second file");
  diagnostics.error({"a.toml", 1, 1}, "first file");
  try {
    diagnostics.throw_if_any();
    FAIL("nothing was thrown");
  } catch (const RecipeError& error) {
    CHECK(std::string(error.what()) == "b.toml:2:1: error: second file\na.toml:1:1: error: first file");
    REQUIRE(error.diagnostics().size() == 2);
    CHECK(error.diagnostics()[1].location.origin == "a.toml");
  }
}

TEST_CASE("a name with a line break, or that is not UTF-8, leaves an error on one line") {
  const std::string name = "a\nb\t\xE9.jpg";
  CHECK(std::string(DataError(name, "is empty").what()) == "a\\x0Ab\\x09\\xE9.jpg: error: is empty");
  CHECK(std::string(DataError(name, 7, "no").what()) == "a\\x0Ab\\x09\\xE9.jpg:7: error: no");
  CHECK(std::string(PluginError("x\n.so", "is damaged").what()) == "x\\x0A.so: error: is damaged");
  CHECK(SourceLocation{"a\n.toml", 3, 4}.str() == "a\\x0A.toml:3:4");
  CHECK(DataError(name, "is empty").file() == name);
}

TEST_CASE("errors of files and components begin with their name") {
  CHECK(std::string(PluginError("lib/x.so", "is damaged").what()) == "lib/x.so: error: is damaged");
  CHECK(std::string(DataError("a.jpg", "is empty").what()) == "a.jpg: error: is empty");
  CHECK(std::string(ComponentError("head/mgn", "no block 'x'").what()) == "head/mgn: error: no block 'x'");
  CHECK(DataError("a.jpg", "is empty").file() == "a.jpg");
  CHECK(PluginError("lib/x.so", "is damaged").file() == "lib/x.so");
  CHECK(ComponentError("head/mgn", "").component() == "head/mgn");
}

TEST_CASE("all errors that a user can cause are caught as one kind") {
  CHECK(std::is_base_of_v<Error, RecipeError>);
  CHECK(std::is_base_of_v<Error, PluginError>);
  CHECK(std::is_base_of_v<Error, DataError>);
  CHECK(std::is_base_of_v<Error, ComponentError>);
}

TEST_CASE("the nearest name is the one that was meant") {
  const std::vector<std::string> names = {"prob", "min_area", "max_area", "pool_size", "epochs"};
  CHECK(nearest_name("prbo", names) == "prob");          // neighbors swapped
  CHECK(nearest_name("prop", names) == "prob");          // changed
  CHECK(nearest_name("min_are", names) == "min_area");   // left out; nearer than max_area
  CHECK(nearest_name("Min-Area", names) == "min_area");  // case and dashes
  CHECK(nearest_name("probability", names) == "prob");   // begins with it
  CHECK(nearest_name("num_epochs", names) == "epochs");  // holds it
  CHECK(nearest_name("pool", names) == "pool_size");     // is its beginning
}

TEST_CASE("a name that nobody can have meant has no nearest") {
  CHECK(nearest_name("zebra", {"prob", "min_area"}).empty());
  CHECK(nearest_name("x", {"p"}).empty());
  CHECK(nearest_name("ab", {"cd", "abcdef"}).empty());
  CHECK(nearest_name("", {"p", "prob"}).empty());
  CHECK(nearest_name("prob", {}).empty());
}

TEST_CASE("the first of equally near names is taken") {
  CHECK(nearest_name("layer3", {"layer1", "layer2"}) == "layer1");
}

TEST_CASE("names are listed with quotes, commas and an 'and'") {
  CHECK(quoted_list({}) == "nothing");
  CHECK(quoted_list({"a"}) == "'a'");
  CHECK(quoted_list({"a", "b"}) == "'a' and 'b'");
  CHECK(quoted_list({"a", "b", "c"}) == "'a', 'b' and 'c'");
}
