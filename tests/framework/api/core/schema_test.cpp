#include "kindred/core/schema.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "recipe/recipe.h"
#include "recipe/toml_reader.h"

using namespace kindred;

namespace {

enum class Pool { average, maximum };

struct Params {
  double prob = 0.5;
  std::int64_t size = 4;
  bool flip = true;
  std::string label = "none";
  std::vector<double> mean = {0.1, 0.2, 0.3};
  std::vector<std::int64_t> steps = {30, 50};
  std::vector<std::string> layers = {"a"};
  std::map<std::string, std::int64_t> fixes;
  std::optional<double> margin;
  std::optional<std::int64_t> limit;
  std::optional<std::string> tag;
  std::filesystem::path file;
  double rate = 0.1;
  double low = -1.0;
  Pool pool = Pool::average;
  std::string color = "red";
};

Schema<Params> schema() {
  Schema<Params> s("Tests all there is.", "Nobody et al., 2024, eq. (1)");
  s.add("prob", &Params::prob, "a probability").range(0, 1).formerly("chance");
  s.add("size", &Params::size, "a size")
      .at_least(1)
      .unit("pixels")
      .also_called({"on_bad_extent", "length_px"});
  s.add("flip", &Params::flip, "a switch");
  s.add("label", &Params::label, "a text");
  s.add("mean", &Params::mean, "three numbers").length(3).range(0, 1);
  s.add("steps", &Params::steps, "epochs").above(0);
  s.add("layers", &Params::layers, "names").one_of({"a", "b"});
  s.add("fixes", &Params::fixes, "corrections").at_least(0);
  s.add("margin", &Params::margin, "off unless given").above(0);
  s.add("limit", &Params::limit, "off unless given");
  s.add("tag", &Params::tag, "off unless given");
  s.add("file", &Params::file, "a file");
  s.add("rate", &Params::rate, "a rate").above(0).at_most(1);
  s.add("low", &Params::low, "a number").at_most(0);
  s.add("pool", &Params::pool, "an enumeration", {{"avg", Pool::average}, {"max", Pool::maximum}});
  s.add("color", &Params::color, "a form")
      .like([](const std::string& t) { return t.size() == 3; }, "three letters");
  return s;
}

/// All errors of a table, a line each.
std::string errors(const std::string& toml, const std::vector<std::string>& reserved = {}) {
  Diagnostics diagnostics;
  static_cast<void>(schema().parse(recipe::parse_toml(toml, "r.toml"), "loss 'x'", diagnostics, reserved));
  std::string text;
  for (const auto& found : diagnostics.all()) text += (text.empty() ? "" : "\n") + found.str();
  return text;
}

Params read(const std::string& toml) {
  Diagnostics diagnostics;
  auto params = schema().parse(recipe::parse_toml(toml, "r.toml"), "loss 'x'", diagnostics);
  diagnostics.throw_if_any();
  return params;
}

}  // namespace

TEST_CASE("an empty table gives the defaults of the struct") {
  const auto params = read("");
  CHECK(params.prob == 0.5);
  CHECK(params.mean == std::vector<double>{0.1, 0.2, 0.3});
  CHECK_FALSE(params.margin.has_value());
  CHECK(params.pool == Pool::average);
}

TEST_CASE("every type of parameter is read") {
  const auto params = read(R"(
    prob = 1
    size = 9
    flip = false
    label = "l"
    mean = [0, 0.5, 1]
    steps = [1, 2, 3]
    layers = ["b", "a"]
    fixes = { "a.png" = 3, b = 4 }
    margin = 2
    limit = 5
    tag = "t"
    file = "data/x.txt"
    rate = 1e-3
    low = -2
    pool = "max"
    color = "abc"
  )");
  CHECK(params.prob == 1.0);
  CHECK(params.size == 9);
  CHECK_FALSE(params.flip);
  CHECK(params.label == "l");
  CHECK(params.mean == std::vector<double>{0.0, 0.5, 1.0});
  CHECK(params.steps == std::vector<std::int64_t>{1, 2, 3});
  CHECK(params.layers == std::vector<std::string>{"b", "a"});
  CHECK(params.fixes == std::map<std::string, std::int64_t>{{"a.png", 3}, {"b", 4}});
  CHECK(params.margin == 2.0);
  CHECK(params.limit == 5);
  CHECK(params.tag == "t");
  CHECK(params.file == "data/x.txt");
  CHECK(params.rate == 1e-3);
  CHECK(params.low == -2.0);
  CHECK(params.pool == Pool::maximum);
  CHECK(params.color == "abc");
}

TEST_CASE("what is written from parameters is read as the same parameters") {
  for (const auto* toml :
       {"", "margin = 0.25\nlimit = -3\ntag = \"x\"\npool = \"max\"\nfixes = { a = 1 }\n"}) {
    const auto written = schema().write(read(toml));
    const auto again = read(recipe::write_recipe(written));
    CHECK(schema().write(again) == written);
  }
  const auto written = schema().write(Params{});
  CHECK(written.as<Table>()->find("margin") == nullptr);
  CHECK(*written.as<Table>()->find("pool") == Value("avg"));
}

TEST_CASE("an unknown parameter is an error at its key, with what was meant") {
  CHECK(errors("size = 1\nprobability = 3") ==
        "r.toml:2:1: error: loss 'x' has no parameter 'probability'; did you mean 'prob'?");
}

TEST_CASE("a parameter's former name is an error that says the present one") {
  CHECK(errors("chance = 0.5") ==
        "r.toml:1:1: error: loss 'x' has no parameter 'chance'; it is called 'prob' now");
}

TEST_CASE("what others call a parameter is an error that asks whether it is meant, also misspelled") {
  CHECK(errors("on_bad_extent = 3\n") ==
        "r.toml:1:1: error: loss 'x' has no parameter 'on_bad_extent'; did you mean 'size'?");
  CHECK(errors("on_bad_extents = 3\n") ==
        "r.toml:1:1: error: loss 'x' has no parameter 'on_bad_extents'; did you mean 'size'?");
  // A parameter's own name is nearer than what others call another one.
  CHECK(errors("lenth = 3\n", {"length"}) ==
        "r.toml:1:1: error: loss 'x' has no parameter 'lenth'; did you mean 'length'?");
}

TEST_CASE("a rule that an override breaks is an error at the override") {
  Schema<Params> s("Two numbers.");
  s.add("prob", &Params::prob, "a probability");
  s.add("rate", &Params::rate, "a rate");
  s.rule([](const Params& params) -> std::string {
    return params.prob < params.rate ? "prob must be at least rate" : "";
  });
  const auto place = [&](const std::string& toml, const std::vector<std::string>& overrides) {
    Diagnostics diagnostics;
    static_cast<void>(s.parse(recipe::parse_recipe(toml, "r.toml", overrides), "loss 'x'", diagnostics));
    REQUIRE(diagnostics.all().size() == 1);
    return diagnostics.all()[0].location.str();
  };
  CHECK(place("prob = 0.1\nrate = 0.5\n", {}) == "r.toml:1:1");
  CHECK(place("prob = 0.6\nrate = 0.5\n", {"prob=0.2"}) == "--set prob=0.2");
  CHECK(place("prob = 0.6\nrate = 0.5\n", {"rate=0.8"}) == "--set rate=0.8");
  // Of a table that the command line names as a whole, too.
  Table named;
  named.set("rate", Value(0.8, {"--set loss.rate=0.8", 0, 0}));
  const SourceLocation option{"--loss x", 0, 0};
  CHECK(location_of_cause(named, "prob must be at least rate", option).str() == "--set loss.rate=0.8");
  CHECK(location_of_cause(named, "prob is wrong", option).str() == "--loss x");
  // Of a recipe that extends another, the file that says it.
  Table merged;
  merged.set("prob", Value(0.5, {"base.toml", 3, 1}));
  merged.set("rate", Value(0.8, {"mine.toml", 7, 1}));
  const SourceLocation base{"base.toml", 2, 1};
  CHECK(location_of_cause(merged, "prob must be at least rate", base).str() == "mine.toml:7:1");
  CHECK(location_of_cause(merged, "prob is wrong", base).str() == "base.toml:2:1");
  merged.set("prob", Value(0.6, {"--set loss.prob=0.6", 0, 0}));
  CHECK(location_of_cause(merged, "prob must be at least rate", base).str() == "--set loss.prob=0.6");
  // A key that the message does not speak of has nothing to do with it.
  const auto table = recipe::parse_recipe("prob = 0.1\n", "r.toml", {"rate_of=2"});
  CHECK(location_of_cause(*table.as<Table>(), "prob must be at least rate", {"r.toml", 1, 1}).str() ==
        "r.toml:1:1");
}

TEST_CASE("without a near name the parameters are listed") {
  struct Two {
    double prob = 0;
    double area = 0;
  };
  Schema<Two> s("");
  s.add("prob", &Two::prob, "");
  s.add("area", &Two::area, "");
  Diagnostics diagnostics;
  static_cast<void>(s.parse(recipe::parse_toml("zzz = 1", "r.toml"), "loss 'x'", diagnostics, {"type"}));
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].str() ==
        "r.toml:1:1: error: loss 'x' has no parameter 'zzz'; it has 'prob', 'area' and 'type'");
}

TEST_CASE("reserved keys are somebody else's, and are meant by those who misspell them") {
  CHECK(errors("weight = true", {"weight"}).empty());
  CHECK(errors("wieght = 1", {"weight"}) ==
        "r.toml:1:1: error: loss 'x' has no parameter 'wieght'; did you mean 'weight'?");
}

TEST_CASE("a value outside its bounds is an error at the value") {
  CHECK(errors("prob = 3") == "r.toml:1:8: error: loss 'x': prob = 3 is outside [0, 1]");
  CHECK(errors("prob = -0.5") == "r.toml:1:8: error: loss 'x': prob = -0.5 is outside [0, 1]");
  CHECK(errors("size = 0") == "r.toml:1:8: error: loss 'x': size = 0 must be at least 1");
  CHECK(errors("margin = 0.0") == "r.toml:1:10: error: loss 'x': margin = 0.0 must be above 0");
  CHECK(errors("low = 1") == "r.toml:1:7: error: loss 'x': low = 1 must be at most 0");
  CHECK(errors("rate = 0") == "r.toml:1:8: error: loss 'x': rate = 0 is outside (0, 1]");
}

TEST_CASE("bounds themselves are allowed, unless they are excluded") {
  CHECK(errors("prob = 0\nsize = 1\nlow = 0\nrate = 1\nmean = [0, 1, 0.5]").empty());
  CHECK_FALSE(errors("rate = 0").empty());
}

TEST_CASE("an element of a list or a table that is wrong is an error at the element") {
  CHECK(errors("mean = [0, 2, 0]") == "r.toml:1:12: error: loss 'x': mean = [0, 2, 0]: 2 is outside [0, 1]");
  CHECK(errors("steps = [3, 0]") == "r.toml:1:13: error: loss 'x': steps = [3, 0]: 0 must be above 0");
  CHECK(errors("steps = [3, 1.5]") ==
        "r.toml:1:13: error: loss 'x': steps = [3, 1.5]: 1.5 must be a whole number");
  CHECK(errors("mean = [0, \"a\", 0]") ==
        "r.toml:1:12: error: loss 'x': mean = [0, \"a\", 0]: \"a\" must be a number, not text");
  CHECK(errors("fixes = { a = -1 }") ==
        "r.toml:1:15: error: loss 'x': fixes = { a = -1 }: -1 must be at least 0");
  CHECK(errors("fixes = { a = \"b\" }") ==
        "r.toml:1:15: error: loss 'x': fixes = { a = \"b\" }: \"b\" must be a whole number, not text");
  CHECK(errors("layers = [\"a\", \"c\"]") ==
        "r.toml:1:16: error: loss 'x': layers = [\"a\", \"c\"]: \"c\" is not 'a' or 'b'");
}

TEST_CASE("a list of another length is an error that says both lengths") {
  CHECK(errors("mean = [0, 1]") ==
        "r.toml:1:8: error: loss 'x': mean = [0, 1] has 2 elements but must have 3 elements");
}

TEST_CASE("a value of another type is an error that says what is wanted, what was found and what to write") {
  CHECK(errors("prob = \"high\"") ==
        "r.toml:1:8: error: loss 'x': prob = \"high\" must be a number, not text");
  CHECK(errors("prob = true") ==
        "r.toml:1:8: error: loss 'x': prob = true must be a number, not true or false");
  CHECK(errors("flip = 1") ==
        "r.toml:1:8: error: loss 'x': flip = 1 must be true or false, not a whole number");
  CHECK(errors("label = 5") ==
        "r.toml:1:9: error: loss 'x': label = 5 must be text, not a whole number: write it in quotes");
  CHECK(errors("file = [1]") == "r.toml:1:8: error: loss 'x': file = [1] must be text (a path), not a list");
  CHECK(errors("steps = 30") ==
        "r.toml:1:9: error: loss 'x': steps = 30 must be a list of whole numbers, not a whole number: write "
        "[30]");
  CHECK(errors("fixes = 3") ==
        "r.toml:1:9: error: loss 'x': fixes = 3 must be a table of whole numbers, not a whole number");
  CHECK(errors("pool = 1") ==
        "r.toml:1:8: error: loss 'x': pool = 1 must be text, not a whole number: write it in quotes");
  CHECK(errors("size = { a = 1 }") ==
        "r.toml:1:8: error: loss 'x': size = { a = 1 } must be a whole number, not a table");
}

TEST_CASE("a whole number serves for a number, and a number never for a whole one") {
  CHECK(errors("prob = 1").empty());
  CHECK(errors("size = 2.0") == "r.toml:1:8: error: loss 'x': size = 2.0 must be a whole number: write 2");
  CHECK(errors("size = 2.5") == "r.toml:1:8: error: loss 'x': size = 2.5 must be a whole number");
}

TEST_CASE("numbers that are none are refused, in lists too") {
  CHECK(errors("prob = nan") == "r.toml:1:8: error: loss 'x': prob = nan is not a finite number");
  CHECK(errors("low = -inf") == "r.toml:1:7: error: loss 'x': low = -inf is not a finite number");
  CHECK(errors("limit = nan") == "r.toml:1:9: error: loss 'x': limit = nan is not a finite number");
  CHECK(errors("mean = [0, inf, 0]") ==
        "r.toml:1:12: error: loss 'x': mean = [0, inf, 0]: inf is not a finite number");
}

TEST_CASE("a choice that is not there is an error that lists the choices") {
  CHECK(errors("pool = \"mean\"") == "r.toml:1:8: error: loss 'x': pool = \"mean\" is not 'avg' or 'max'");
  CHECK(errors("pool = \"maxx\"") ==
        "r.toml:1:8: error: loss 'x': pool = \"maxx\" is not 'avg' or 'max'; did you mean 'max'?");
  CHECK(errors("color = \"blue\"") == "r.toml:1:9: error: loss 'x': color = \"blue\" is not three letters");
}

TEST_CASE("a parameter that must be given and is not is an error at the table, with its meaning") {
  struct Needy {
    std::filesystem::path root = "ignored";
  };
  Schema<Needy> s("");
  s.add("root", &Needy::root, "the folder of the images").required();
  Diagnostics diagnostics;
  const auto table = recipe::parse_toml("\n[dataset]\ntype = \"x\"", "r.toml");
  static_cast<void>(s.parse(*table.as<Table>()->find("dataset"), "dataset 'x'", diagnostics, {"type"}));
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].str() ==
        "r.toml:2:1: error: dataset 'x' needs the parameter 'root': the folder of the images");
  CHECK_FALSE(s.parameters()[0].value.has_value());
  CHECK(s.parameters()[0].required);
}

TEST_CASE("a rule between parameters is an error at the table, and silent while a parameter is wrong") {
  struct Range {
    double from = 0;
    double to = 1;
  };
  Schema<Range> s("");
  s.add("from", &Range::from, "").at_least(0);
  s.add("to", &Range::to, "");
  s.rule([](const Range& r) { return r.from < r.to ? "" : "from must be below to"; });
  const auto check = [&](const std::string& toml) {
    Diagnostics diagnostics;
    static_cast<void>(s.parse(recipe::parse_toml(toml, "r.toml"), "[range]", diagnostics));
    std::string text;
    for (const auto& found : diagnostics.all()) text += found.str() + ";";
    return text;
  };
  CHECK(check("from = 0.5").empty());
  CHECK(check("from = 2") == "r.toml:1:1: error: [range]: from must be below to;");
  CHECK(check("from = -1\nto = -2") == "r.toml:1:8: error: [range]: from = -1 must be at least 0;");
}

TEST_CASE("all errors of a table are found at once, and the sound parameters are still read") {
  Diagnostics diagnostics;
  const auto params = schema().parse(recipe::parse_toml("prob = 3\nsize = 7\nzzzz = 1\nflip = 2", "r.toml"),
                                     "x", diagnostics);
  CHECK(diagnostics.all().size() == 3);
  CHECK(params.prob == 0.5);
  CHECK(params.size == 7);
}

TEST_CASE("something that is no table is refused") {
  Diagnostics diagnostics;
  static_cast<void>(schema().parse(Value(3.5, {"r.toml", 4, 2}), "[train]", diagnostics));
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].str() == "r.toml:4:2: error: [train] must be a table, not a number");
}

TEST_CASE("long values are cut in messages, between characters") {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "ä";
  const auto message = errors("prob = \"" + text + "\"");
  CHECK(message.find("...") != std::string::npos);
  CHECK(message.find("ä... must be a number, not text") != std::string::npos);
}

TEST_CASE("parameters describe themselves") {
  const auto parameters = schema().parameters();
  const auto find = [&](const std::string& name) {
    for (const auto& info : parameters) {
      if (info.name == name) return info;
    }
    FAIL("no parameter " << name);
    return ParameterInfo{};
  };
  CHECK(schema().summary() == "Tests all there is.");
  CHECK(schema().source() == "Nobody et al., 2024, eq. (1)");
  CHECK(find("prob").type == "number");
  CHECK(find("prob").allowed == "[0, 1]");
  CHECK(*find("prob").value == Value(0.5));
  CHECK(find("prob").doc == "a probability");
  CHECK(find("size").type == "whole number");
  CHECK(find("size").allowed == "at least 1");
  CHECK(find("size").unit == "pixels");
  CHECK(find("flip").type == "true or false");
  CHECK(find("label").type == "text");
  CHECK(find("file").type == "path");
  CHECK(find("mean").type == "list of numbers");
  CHECK(find("mean").allowed == "3 elements, each [0, 1]");
  CHECK(find("steps").type == "list of whole numbers");
  CHECK(find("layers").type == "list of texts");
  CHECK(find("layers").allowed == "'a' or 'b'");
  CHECK(find("fixes").type == "table of whole numbers");
  CHECK(find("margin").type == "number");
  CHECK(find("margin").allowed == "above 0");
  CHECK_FALSE(find("margin").value.has_value());
  CHECK_FALSE(find("margin").required);
  CHECK(find("low").allowed == "at most 0");
  CHECK(find("rate").allowed == "(0, 1]");
  CHECK(find("pool").allowed == "'avg' or 'max'");
  CHECK(*find("pool").value == Value("avg"));
  CHECK(find("color").allowed == "three letters");
}

TEST_CASE("bounds are written as a person writes them") {
  struct One {
    double a = 1;
  };
  const auto allowed = [](double minimum, double maximum) {
    Schema<One> s("");
    s.add("a", &One::a, "").range(minimum, maximum);
    return s.parameters()[0].allowed;
  };
  CHECK(allowed(0, 1000000) == "[0, 1000000]");
  CHECK(allowed(-0.25, 1.5) == "[-0.25, 1.5]");
  CHECK(allowed(1e-8, 1e20) == "[1e-08, 1e+20]");
}

TEST_CASE("a schema that contradicts itself is refused as our own mistake") {
  struct One {
    double a = 5;
  };
  Schema<One> twice("");
  twice.add("a", &One::a, "");
  CHECK_THROWS_AS(twice.add("a", &One::a, ""), std::logic_error);
  Schema<One> outside("");
  outside.add("a", &One::a, "").range(0, 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(outside.parameters()),
                       "the schema does not allow its own default: a = 5.0 is outside [0, 1]",
                       std::logic_error);
}

TEST_CASE("an enumeration whose default has no name is refused as our own mistake") {
  enum class Kind { first, second };
  struct One {
    Kind kind = Kind::first;
  };
  Schema<One> s("");
  CHECK_THROWS_WITH_AS(s.add("kind", &One::kind, "", {{"second", Kind::second}}),
                       "the default of parameter 'kind' is none of its choices", std::logic_error);
  CHECK_NOTHROW(Schema<One>("").add("kind", &One::kind, "", {{"first", Kind::first}}));
}

TEST_CASE("a mark that says nothing of a parameter's values is refused as our own mistake") {
  struct Two {
    double rate = 1;
    std::string mode = "a";
  };
  const auto said = [](const std::function<void(Schema<Two>&)>& declare) {
    Schema<Two> s("");
    declare(s);
    try {
      static_cast<void>(s.parameters());
    } catch (const std::logic_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto rate = [&](const std::function<void(ParameterRefiner)>& mark) {
    return said([&](Schema<Two>& s) { mark(s.add("rate", &Two::rate, "")); });
  };
  const auto mode = [&](const std::function<void(ParameterRefiner)>& mark) {
    return said([&](Schema<Two>& s) { mark(s.add("mode", &Two::mode, "")); });
  };
  CHECK(mode([](ParameterRefiner r) { r.range(0, 1); }) == "parameter 'mode' has bounds, but is no number");
  CHECK(mode([](ParameterRefiner r) { r.like({}, "short"); }) ==
        "parameter 'mode' has a condition on texts without a test");
  CHECK(mode([](ParameterRefiner r) { r.idle_at(0); }) ==
        "parameter 'mode' does nothing with a number that it cannot have");
  CHECK(mode([](ParameterRefiner r) { r.length(2); }) == "parameter 'mode' has a length, but is no list");
  CHECK(mode([](ParameterRefiner r) { r.one_of({"a", "b"}); }).empty());
  CHECK(rate([](ParameterRefiner r) { r.one_of({"a"}); }) ==
        "parameter 'rate' has a list of texts to choose from, but is no text");
  CHECK(rate([](ParameterRefiner r) { r.like([](const std::string&) { return true; }, "short"); }) ==
        "parameter 'rate' has a condition on texts, but is no text");
  CHECK(rate([](ParameterRefiner r) { r.range(3, 2); }) ==
        "parameter 'rate' has bounds that no number is within");
  CHECK(rate([](ParameterRefiner r) { r.above(2).at_most(2).required(); }) ==
        "parameter 'rate' has bounds that no number is within");
  CHECK(rate([](ParameterRefiner r) { r.range(0, 2).idle_at(3); }) ==
        "parameter 'rate' does nothing with a number that it cannot have");
  CHECK(rate([](ParameterRefiner r) { r.above(0).idle_at(0); }) ==
        "parameter 'rate' does nothing with a number that it cannot have");
  CHECK(rate([](ParameterRefiner r) { r.location(); }) ==
        "parameter 'rate' is marked as a place of files, but is no path");
  CHECK(rate([](ParameterRefiner r) { r.range(0, 2).idle_at(0); }).empty());
}

TEST_CASE("a number that no 32-bit float holds is refused, whatever the bounds") {
  struct Rates {
    double rate = 0.1;
    std::vector<double> list;
  };
  Schema<Rates> schema("Rates.");
  schema.add("rate", &Rates::rate, "").above(0);
  schema.add("list", &Rates::list, "");
  const auto said = [&](const std::string& key, Value value) {
    Table table;
    table.set(key, std::move(value));
    Diagnostics diagnostics;
    static_cast<void>(schema.parse(Value(std::move(table)), "optimizer 'adam'", diagnostics));
    return diagnostics.empty() ? std::string() : diagnostics.all().front().message;
  };
  CHECK(said("rate", Value(3.4e38)).empty());
  CHECK(said("rate", Value(1.2e-38)).empty());
  CHECK(said("rate", Value(1e300)) ==
        "optimizer 'adam': rate = 1e+300 is too large for a 32-bit float, whose largest value is 3.4e38");
  CHECK(said("rate", Value(1e-300)) ==
        "optimizer 'adam': rate = 1e-300 is too small for a 32-bit float, whose smallest value beside 0 is "
        "1.2e-38");
  CHECK(said("list", Value(Array{Value(0.0), Value(-1e39)})).find("-1e+39 is too large") !=
        std::string::npos);
}

TEST_CASE("a value with which a component does nothing is told in its description") {
  struct Chance {
    double prob = 0.5;
    double other = 1;
  };
  Schema<Chance> schema("Chance.");
  schema.add("prob", &Chance::prob, "").range(0, 1).idle_at(0);
  schema.add("other", &Chance::other, "");
  CHECK(schema.parameters()[0].idle_at == 0);
  CHECK_FALSE(schema.parameters()[1].idle_at.has_value());
}
