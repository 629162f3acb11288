#include "kindred/core/value.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "recipe/toml_reader.h"

using namespace kindred;

namespace {

/// What parsing the value's own TOML gives.
Value again(const Value& value) {
  const auto parsed = recipe::parse_toml_value(value.to_toml(), {});
  REQUIRE_MESSAGE(parsed.has_value(), "not TOML: " << value.to_toml());
  return *parsed;
}

Table table(std::initializer_list<std::pair<std::string, Value>> entries) {
  Table result;
  for (const auto& [key, value] : entries) result.set(key, value);
  return result;
}

}  // namespace

TEST_CASE("a table keeps the order of its keys, also when one is replaced") {
  Table keys;
  keys.set("b", Value(std::int64_t{1}), {"f", 1, 1});
  keys.set("a", Value(std::int64_t{2}), {"f", 2, 1});
  keys.set("b", Value(std::int64_t{3}), {"g", 9, 9});
  REQUIRE(keys.entries().size() == 2);
  CHECK(keys.entries()[0].key == "b");
  CHECK(keys.entries()[0].key_location.str() == "g:9:9");
  CHECK(*keys.find("b")->as<std::int64_t>() == 3);
  keys.erase("b");
  CHECK(keys.find("b") == nullptr);
  CHECK(keys.find("a") != nullptr);
  keys.erase("none");
  CHECK(keys.entries().size() == 1);
}

TEST_CASE("a value without data is an empty table") {
  REQUIRE(Value().as<Table>() != nullptr);
  CHECK(Value().as<Table>()->empty());
  CHECK(Value().to_toml() == "{}");
}

TEST_CASE("types are named as a message needs them") {
  CHECK(Value(true).type_name() == "true or false");
  CHECK(Value(std::int64_t{1}).type_name() == "a whole number");
  CHECK(Value(1.0).type_name() == "a number");
  CHECK(Value("x").type_name() == "text");
  CHECK(Value(Array{}).type_name() == "a list");
  CHECK(Value(Table{}).type_name() == "a table");
}

TEST_CASE("values are written as TOML on one line") {
  CHECK(Value(true).to_toml() == "true");
  CHECK(Value(std::int64_t{-7}).to_toml() == "-7");
  CHECK(Value(3.0).to_toml() == "3.0");
  CHECK(Value(0.1).to_toml() == "0.1");
  CHECK(Value("say \"hi\"\n").to_toml() == R"("say \"hi\"\n")");
  CHECK(Value(Array{Value(std::int64_t{1}), Value(std::int64_t{2})}).to_toml() == "[1, 2]");
  CHECK(Value(table({{"a", Value(1.5)}, {"b c", Value("x")}})).to_toml() == R"({ a = 1.5, "b c" = "x" })");
}

TEST_CASE("numbers come back from their TOML to the last bit") {
  for (const double number :
       {0.0, -0.0, 0.1, 1.0 / 3.0, 1e-5, 8e-5, 1e20, -2.5e-300, 5e-324, 1e22, 123456789.125,
        std::numeric_limits<double>::max(), std::numeric_limits<double>::min()}) {
    const auto back = again(Value(number));
    REQUIRE_MESSAGE(back.as<double>() != nullptr, Value(number).to_toml());
    CHECK(*back.as<double>() == number);
    CHECK(std::signbit(*back.as<double>()) == std::signbit(number));
  }
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    CHECK(again(Value(number)) == Value(number));
  }
  const auto infinity = std::numeric_limits<double>::infinity();
  CHECK(again(Value(infinity)) == Value(infinity));
  CHECK(again(Value(-infinity)) == Value(-infinity));
  CHECK(again(Value(std::nan(""))) == Value(std::nan("")));
}

TEST_CASE("texts come back from their TOML") {
  std::string control;
  for (char c = 1; c < 0x20; ++c) control += c;
  control += '\x7f';
  for (const auto& text :
       {std::string(), std::string("plain"), std::string("\"quoted\" and 'so'"), std::string("a\\b\\n"),
        std::string("l1\nl2\r\n\tl3"), control, std::string("Grüße, 行人, 🚶")}) {
    CHECK(again(Value(text)) == Value(text));
  }
}

TEST_CASE("nested lists and tables with odd keys come back from their TOML") {
  const Value value(
      table({{"", Value("empty key")},
             {"a.b", Value(true)},
             {"quo\"te", Value(Array{})},
             {"ä", Value(table({}))},
             {"list", Value(Array{Value(Array{Value(1.0)}), Value(table({{"k", Value("v")}}))})}}));
  CHECK(again(value) == value);
}

TEST_CASE("equality is of data: places and the order of keys do not count, types do") {
  CHECK(Value("x", {"f", 1, 2}) == Value("x", {"g", 3, 4}));
  CHECK(Value(table({{"a", Value(1.0)}, {"b", Value(2.0)}})) ==
        Value(table({{"b", Value(2.0)}, {"a", Value(1.0)}})));
  CHECK_FALSE(Value(std::int64_t{1}) == Value(1.0));
  CHECK_FALSE(Value(table({{"a", Value(1.0)}})) == Value(table({{"a", Value(1.0)}, {"b", Value(1.0)}})));
  CHECK_FALSE(Value(table({{"a", Value(1.0)}})) == Value(table({{"b", Value(1.0)}})));
  CHECK_FALSE(Value(Array{Value(1.0)}) == Value(Array{Value(2.0)}));
}
