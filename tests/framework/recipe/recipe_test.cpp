#include "recipe/recipe.h"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::recipe;
using test::message_of;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string errors_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    return "none: " + parse_recipe(text, "r.toml", overrides).to_toml();
  } catch (const RecipeError& error) {
    return error.what();
  }
}

std::string load_errors(const TemporaryFolder& folder, const fs::path& file,
                        const std::vector<std::string>& overrides = {}) {
  try {
    return "none: " + load_recipe(file, overrides).to_toml();
  } catch (const RecipeError& error) {
    return folder.without(error.what());
  }
}

/// The recipe on one line, after overrides.
std::string changed(const std::string& text, const std::vector<std::string>& overrides) {
  return parse_recipe(text, "r.toml", overrides).to_toml();
}

const Value& item(const Value& value, const std::string& key) {
  const auto* found = value.as<Table>()->find(key);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("a recipe is read with every value, in the order in which it was written") {
  CHECK(changed("z = 1\na = 2.5\n[t]\nname = \"x\"\nflag = true\n[b]\nlist = [1, 2]\nt.u = 3\n", {}) ==
        "{ z = 1, a = 2.5, t = { name = \"x\", flag = true }, b = { list = [1, 2], t = { u = 3 } } }");
}

TEST_CASE("every key and value knows its place") {
  const auto recipe =
      parse_recipe("seed = 1\n\n[[loss]]\n  type = 'x'\n[train]\nlist = [\n 1,\n 2]\n", "r.toml", {});
  CHECK(recipe.location().str() == "r.toml:1:1");
  const auto& loss = item(recipe, "loss").as<Array>()->at(0);
  CHECK(loss.location().str() == "r.toml:3:1");
  CHECK(loss.as<Table>()->entries()[0].key_location.str() == "r.toml:4:3");
  CHECK(item(loss, "type").location().str() == "r.toml:4:10");
  CHECK(item(recipe, "train").location().str() == "r.toml:5:1");
  CHECK(item(item(recipe, "train"), "list").as<Array>()->at(1).location().str() == "r.toml:8:2");
}

TEST_CASE("what is not TOML is an error where it stands") {
  // Columns are toml++'s: it has read a character further than the mistake, or more.
  const auto twice = errors_of("a = 1\na = 2\n");
  CHECK(twice.find("r.toml:2:") == 0);
  CHECK(twice.find("error: not valid TOML: error while parsing key-value pair: cannot redefine existing "
                   "integer 'a'") != std::string::npos);
  CHECK(errors_of("a = ").find("r.toml:1:5: error: not valid TOML: ") == 0);
  CHECK(errors_of("[a]\nx = 1\n[a]\n").find("r.toml:3:1: error: not valid TOML: ") == 0);
  CHECK(errors_of("a = \"\xff\"").find("r.toml:1:5: error: not valid TOML: ") == 0);
}

TEST_CASE("a text without quotes, YAML and an entry in single brackets are told what TOML wants") {
  const auto contains = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(contains(errors_of("type = resnet\n"), "r.toml:1:8: error: not valid TOML: "));
  CHECK(contains(errors_of("type = resnet\n"), "; put a text in quotes"));
  CHECK(contains(errors_of("MODEL:\n  NAME: x\n"), "; write key = value: a recipe is TOML, not YAML"));
  CHECK(contains(errors_of("[loss]\na = 1\n[loss]\na = 2\n"), "each entry of a list in two brackets"));
}

TEST_CASE("dates are refused, all of them at once") {
  CHECK(errors_of("a = 1979-05-27\nb = [07:32:00]") ==
        "r.toml:1:5: error: a recipe has no dates or times; to write text, put it in quotes\n"
        "r.toml:2:6: error: a recipe has no dates or times; to write text, put it in quotes");
}

TEST_CASE("an override changes, adds and nests") {
  CHECK(changed("[train]\nepochs = 60\n", {"train.epochs=3"}) == "{ train = { epochs = 3 } }");
  CHECK(changed("", {"train.epochs=3", "seed=2"}) == "{ train = { epochs = 3 }, seed = 2 }");
  CHECK(changed("a.b.c = 1", {"a.b.d=2"}) == "{ a = { b = { c = 1, d = 2 } } }");
  CHECK(changed("a = 1", {"a=2", "a=3"}) == "{ a = 3 }");
}

TEST_CASE("an override's value is TOML, or else text") {
  const auto value = [](const std::string& text) { return changed("", {"a=" + text}); };
  CHECK(value("3") == "{ a = 3 }");
  CHECK(value(" 3.5 ") == "{ a = 3.5 }");
  CHECK(value("true") == "{ a = true }");
  CHECK(value("[1, 2]") == "{ a = [1, 2] }");
  CHECK(value("{ b = 1 }") == "{ a = { b = 1 } }");
  CHECK(value("'quoted'") == "{ a = \"quoted\" }");
  CHECK(value("resnet") == "{ a = \"resnet\" }");
  CHECK(value("/data/market 1501") == "{ a = \"/data/market 1501\" }");
  CHECK(value("C:\\x=y") == "{ a = \"C:\\\\x=y\" }");
  CHECK(value("2024-01-01") == "{ a = \"2024-01-01\" }");
  CHECK(value("1\nb = 2") == "{ a = \"1\\nb = 2\" }");
  CHECK(value("") == "{ a = \"\" }");
  CHECK(value("[1, 2") == "{ a = \"[1, 2\" }");
}

TEST_CASE("a part of an override's key that holds a dot or an '=' is put in quotes") {
  CHECK(changed("", {"fixes.\"a.png\"=3"}) == "{ fixes = { \"a.png\" = 3 } }");
  CHECK(changed("", {"fixes.'x=y' = 3"}) == "{ fixes = { \"x=y\" = 3 } }");
  CHECK(changed("", {" a . b = 3"}) == "{ a = { b = 3 } }");
}

TEST_CASE("overrides that are none are errors, all of them at once, at their own text") {
  CHECK(
      errors_of("", {"train.epochs", "=3", "a..b=1", ".a=1", "a.=1", "extends=x.toml"}) ==
      "--set train.epochs: error: '=' is missing; write key=value, such as train.epochs=3\n"
      "--set =3: error: the key before '=' is missing; write key=value, such as train.epochs=3\n"
      "--set a..b=1: error: the key has an empty part; separate names with single dots, such as "
      "train.epochs\n"
      "--set .a=1: error: the key has an empty part; separate names with single dots, such as train.epochs\n"
      "--set a.=1: error: the key has an empty part; separate names with single dots, such as train.epochs\n"
      "--set extends=x.toml: error: 'extends' cannot be overridden; write extends = \"base.toml\" in the "
      "recipe file");
  CHECK(errors_of("", {"a=\xff\xfe"}) == "--set a=\\xFF\\xFE: error: the value is not valid UTF-8");
  for (const char* number : {"18446744073709551615", "99999999999999999999", "-9_223_372_036_854_775_809"}) {
    const auto text = std::string("seed=") + number;
    CHECK(errors_of("", {text}) ==
          "--set " + text +
              ": error: the number is too large: whole numbers go from -9223372036854775808 to "
              "9223372036854775807; to mean text, put it in quotes: '\"" +
              number + "\"'");
  }
  for (const char* number : {"1e400", "-2.5e+308"}) {
    const auto text = std::string("lr=") + number;
    CHECK(
        errors_of("", {text}) ==
        "--set " + text +
            ": error: the number is too large: numbers go from -1.8e308 to 1.8e308; to mean text, put it in "
            "quotes: '\"" +
            number + "\"'");
  }
  CHECK(changed("",
                {"a=\"18446744073709551615\"", "b=9223372036854775807", "c=007", "d=2024-01", "e=1e400f"}) ==
        "{ a = \"18446744073709551615\", b = 9223372036854775807, c = \"007\", d = \"2024-01\", e = "
        "\"1e400f\" }");
}

TEST_CASE("an overridden value is at the place of the override, and its table stays where it was") {
  const auto recipe = parse_recipe("[train]\nepochs = 60\n", "r.toml", {"train.epochs=3"});
  CHECK(item(recipe, "train").location().str() == "r.toml:1:1");
  CHECK(item(item(recipe, "train"), "epochs").location().str() == "--set train.epochs=3");
  CHECK(item(recipe, "train").as<Table>()->entries()[0].key_location.str() == "--set train.epochs=3");
}

namespace {
const char* const augmentations = R"(
[[augmentation]]
type = "resize"
height = 256

[[augmentation]]
type = "random_patch"
prob = 0.3

[[augmentation]]
type = "resize"
name = "again"
height = 100
)";
}

TEST_CASE("a table in the place of a list of tables edits entries by name") {
  CHECK(changed(augmentations, {"augmentation.random_patch.prob=0.5", "augmentation.again.height=50"}) ==
        "{ augmentation = [{ type = \"resize\", height = 256 }, { type = \"random_patch\", prob = 0.5 }, "
        "{ type = \"resize\", name = \"again\", height = 50 }] }");
  CHECK(changed(augmentations, {"augmentation.random_patch.enabled=false"}).find("enabled = false") !=
        std::string::npos);
}

TEST_CASE("a name that is not in a list, or is in it twice, is an error that lists the names") {
  CHECK(errors_of(augmentations, {"augmentation.zebra.prob=1"}) ==
        "--set augmentation.zebra.prob=1: error: 'augmentation' has no entry 'zebra'; its entries are "
        "'resize', "
        "'random_patch' and 'again'");
  CHECK(
      errors_of(augmentations, {"augmentation.random_pach.prob=1"}) ==
      "--set augmentation.random_pach.prob=1: error: 'augmentation' has no entry 'random_pach'; did you mean "
      "'random_patch'?");
  CHECK(errors_of("[[loss]]\ntype='a'\n[[loss]]\ntype='a'\n", {"loss.a.weight=1"}) ==
        "--set loss.a.weight=1: error: 'loss' has 2 entries 'a'; give each its own 'name'; its entries "
        "are "
        "'a' and 'a'");
  CHECK(errors_of("[[loss]]\ntype='a'\n", {"loss.weight=1"}) ==
        "--set loss.weight=1: error: 'loss' is a list of tables; to change its entry 'weight', write a "
        "table, not a whole number; its entries are 'a'");
  CHECK(errors_of("loss = []\n", {"loss.a.weight=1"}) ==
        "--set loss.a.weight=1: error: 'loss' has no entry 'a'; its entries are nothing");
}

TEST_CASE("a table whose type changes is replaced whole, since parameters belong to a type") {
  CHECK(changed("[head]\ntype = \"mgn\"\nparts = 3\n", {"head.type=bnneck"}) ==
        "{ head = { type = \"bnneck\" } }");
  CHECK(changed("[head]\ntype = \"mgn\"\nparts = 3\n", {"head.type=mgn"}) ==
        "{ head = { type = \"mgn\", parts = 3 } }");
  CHECK(changed("[head]\ntype = \"mgn\"\nparts = 3\n", {"head.type=bnneck", "head.width=5"}) ==
        "{ head = { type = \"bnneck\", width = 5 } }");
  CHECK(changed(augmentations, {"augmentation.again.type=flip"})
            .find("{ name = \"again\", type = \"flip\" }") != std::string::npos);
}

TEST_CASE("an override that a later one of its table's type throws away is an error") {
  const std::string head = "[head]\ntype = \"mgn\"\nparts = 3\n";
  CHECK(errors_of(head, {"head.width=5", "head.type=bnneck"}) ==
        "--set head.width=5: error: has no effect: '--set head.type=bnneck', which comes after it, makes "
        "another component that starts over; give the type first");
  CHECK(errors_of(augmentations, {"augmentation.again.prob=0.1", "augmentation.again.type=flip"})
            .starts_with("--set augmentation.again.prob=0.1: error: has no effect: "));
  CHECK(errors_of("[optimizer]\ntype = \"sgd\"\n", {"optimizer.group.a.factor=2", "optimizer.type=adam"})
            .starts_with("--set optimizer.group.a.factor=2: error: has no effect: "));
  // Of whole tables, too, and each override is told once.
  const auto lost = [&](const std::string& earlier, const std::string& later) {
    return errors_of(head, {earlier, later}) == "--set " + earlier + ": error: has no effect: '--set " +
                                                    later +
                                                    "', which comes after it, makes another component that "
                                                    "starts over; give the type first";
  };
  CHECK(lost("head.width=5", "head={type='bnneck', depth=2}"));
  CHECK(lost("head={width=5, depth=2}", "head.type=bnneck"));
  CHECK(changed(head, {"head.width=5", "head={type='bnneck', width=6}"}) ==
        "{ head = { type = \"bnneck\", width = 6 } }");
  CHECK(changed(head, {"head.width=5", "head={type='mgn', depth=2}"}) ==
        "{ head = { type = \"mgn\", parts = 3, width = 5, depth = 2 } }");
  // Nothing is lost of a table whose type stays, or that had none, or of another table.
  CHECK(changed(head, {"head.width=5", "head.type=mgn"}) ==
        "{ head = { type = \"mgn\", parts = 3, width = 5 } }");
  CHECK(changed("", {"head.width=5", "head.type=mgn"}) == "{ head = { width = 5, type = \"mgn\" } }");
  CHECK(changed(head, {"header.width=5", "head.type=bnneck", "head.type=other"}) ==
        "{ head = { type = \"other\" }, header = { width = 5 } }");
}

TEST_CASE("a list replaces a list, and a table that is in the place of a plain value replaces it") {
  CHECK(changed("a = [1, 2, 3]", {"a=[4]"}) == "{ a = [4] }");
  CHECK(changed("a = [1, 2, 3]", {"a.b=4"}) == "{ a = { b = 4 } }");
  CHECK(changed(augmentations, {"augmentation=[]"}) == "{ augmentation = [] }");
  CHECK(changed("a = 1", {"a.b=4"}) == "{ a = { b = 4 } }");
}

TEST_CASE("a recipe extends another, relative to its own folder") {
  const TemporaryFolder folder;
  folder.write("base/common.toml",
               "seed = 1\n[train]\nepochs = 60\nrate = 0.1\n[[loss]]\ntype = \"a\"\nweight = 1\n");
  const auto file = folder.write(
      "mine/recipe.toml", "extends = \"../base/common.toml\"\n[train]\nepochs = 3\n[loss.a]\nweight = 2\n");
  const auto recipe = load_recipe(file, {"train.rate=0.5"});
  CHECK(recipe.to_toml() ==
        "{ seed = 1, train = { epochs = 3, rate = 0.5 }, loss = [{ type = \"a\", weight = 2 }] }");
  CHECK(folder.without(item(recipe, "seed").location().str()) == "base/common.toml:1:8");
  CHECK(folder.without(item(item(recipe, "train"), "epochs").location().str()) == "mine/recipe.toml:3:10");
  CHECK(folder.without(recipe.location().str()) == "mine/recipe.toml:1:1");
}

TEST_CASE("a recipe that an extending pipeline gives a stage is relative to its own folder, too") {
  const TemporaryFolder folder;
  folder.write("base/model.toml", "seed = 1\nx = 1\n");
  folder.write("base/p.toml",
               "[[stage]]\nname = \"a\"\nrecipe = \"model.toml\"\n"
               "[[stage]]\nname = \"b\"\nrecipe = \"model.toml\"\n");
  folder.write("mine/other.toml", "seed = 2\n");
  const auto file = folder.write("mine/p.toml",
                                 "extends = \"../base/p.toml\"\n[stage.a]\nrecipe = \"other.toml\"\n"
                                 "[stage.b.recipe]\nextends = \"other.toml\"\ny = 3\n");
  // A file takes the place of a recipe, a table changes it.
  const std::string stages =
      "stage = [{ name = \"a\", recipe = { seed = 2 } }, { name = \"b\", recipe = { seed = 2, x = 1, y = 3 } "
      "}]";
  CHECK(load_recipe(file, {}).to_toml() == "{ " + stages + " }");
  CHECK(load_recipe(file, {"name=n"}).to_toml() == "{ " + stages + ", name = \"n\" }");
  const auto lost =
      folder.write("mine/lost.toml", "extends = \"p.toml\"\n[stage.a]\nrecipe = \"gone.toml\"\n");
  const auto message = message_of<RecipeError>([&] { static_cast<void>(load_recipe(lost, {})); });
  CHECK(message.find("lost.toml:3:10: error: cannot read the extended recipe '") != std::string::npos);
}

TEST_CASE("of several extended recipes the later wins, and the extending one over all") {
  const TemporaryFolder folder;
  folder.write("a.toml", "x = 1\ny = 1\nz = 1\n");
  folder.write("b.toml", "y = 2\nz = 2\n");
  CHECK(load_recipe(folder.write("c.toml", "extends = [\"a.toml\", \"b.toml\"]\nz = 3\n"), {}).to_toml() ==
        "{ x = 1, y = 2, z = 3 }");
}

TEST_CASE("a recipe may be extended twice by different ways") {
  const TemporaryFolder folder;
  folder.write("root.toml", "x = 1\n");
  folder.write("a.toml", "extends = \"root.toml\"\na = 1\n");
  folder.write("b.toml", "extends = \"root.toml\"\nb = 1\n");
  CHECK(load_recipe(folder.write("c.toml", "extends = [\"a.toml\", \"b.toml\"]\n"), {}).to_toml() ==
        "{ x = 1, a = 1, b = 1 }");
}

TEST_CASE("files that extend each other in more ways than anybody can follow are an error") {
  const TemporaryFolder folder;
  constexpr int levels = 30;
  for (int i = 0; i < levels; ++i) {
    const auto next = "\"" + std::to_string(i + 1) + ".toml\"";
    folder.write(std::to_string(i) + ".toml", "extends = [" + next + ", " + next + "]\n");
  }
  folder.write(std::to_string(levels) + ".toml", "x = 1\n");
  const auto found = load_errors(folder, folder / "0.toml");
  CHECK(found.find("'extends' leads to more than 1000 files") != std::string::npos);
  CHECK(found.find('\n') == std::string::npos);
}

TEST_CASE("an extended recipe that is not there is an error where it is named") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "sub");
  CHECK(load_errors(folder, folder.write("a.toml", "seed = 1\nextends = [\"none.toml\", \"sub\"]\n")) ==
        "a.toml:2:12: error: cannot read the extended recipe 'none.toml' (none.toml): No such file or "
        "directory\n"
        "a.toml:2:25: error: cannot read the extended recipe 'sub' (sub): it is a folder");
}

TEST_CASE("a recipe that is not there is an error that names it") {
  const TemporaryFolder folder;
  CHECK(load_errors(folder, folder.path() / "none.toml") ==
        "none.toml: error: cannot read the recipe: No such file or directory");
}

TEST_CASE("recipes that extend each other in a circle are an error that names the circle") {
  const TemporaryFolder folder;
  folder.write("b.toml", "extends = \"c.toml\"\n");
  folder.write("c.toml", "extends = \"./b.toml\"\n");
  CHECK(load_errors(folder, folder.write("a.toml", "extends = \"b.toml\"\n")) ==
        "c.toml:1:11: error: 'extends' forms a cycle: b.toml -> c.toml -> b.toml");
  CHECK(load_errors(folder, folder.write("self.toml", "extends = \"self.toml\"\n")) ==
        "self.toml:1:11: error: 'extends' forms a cycle: self.toml -> self.toml");
}

TEST_CASE("'extends' that names no file is an error") {
  const TemporaryFolder folder;
  CHECK(load_errors(folder, folder.write("a.toml", "extends = 3\n")) ==
        "a.toml:1:11: error: 'extends' must be a file or a list of files, not a whole number");
  CHECK(load_errors(folder, folder.write("a.toml", "extends = [\"\"]\n")) ==
        "a.toml:1:12: error: 'extends' must be a file or a list of files, not an empty text");
  CHECK(errors_of("extends = \"x.toml\"") == "r.toml:1:11: error: 'extends' works only in a recipe file");
}

TEST_CASE("errors of several files and overrides are found at once") {
  const TemporaryFolder folder;
  folder.write("a.toml", "x = \n");
  folder.write("b.toml", "extends = \"none.toml\"\ny = 1979-05-27\n");
  const auto errors =
      load_errors(folder, folder.write("c.toml", "extends = [\"a.toml\", \"b.toml\"]\n"), {"nothing"});
  CHECK(errors.find("a.toml:1:5: error: ") != std::string::npos);
  CHECK(errors.find("b.toml:2:5: error: a recipe has no dates") != std::string::npos);
  CHECK(errors.find("b.toml:1:11: error: cannot read") == std::string::npos);  // b.toml itself cannot be used
  CHECK(errors.find("--set nothing: error: ") != std::string::npos);
}

TEST_CASE("a recipe is written for reading: plain keys first, then tables, then lists of tables") {
  const auto recipe = parse_recipe(R"(
    train = { epochs = 3, clip = { norm = 1.0 } }
    name = "x"
    loss = [{ type = "a", on = ["g1", "g2"], fixes = { "p.png" = 1 } }, { type = "b" }]
    empty = {}
    none = []
  )",
                                   "r.toml", {});
  CHECK(write_recipe(recipe) == R"(name = "x"
none = []

[train]
epochs = 3

[train.clip]
norm = 1.0

[[loss]]
type = "a"
on = ["g1", "g2"]

[loss.fixes]
"p.png" = 1

[[loss]]
type = "b"

[empty]
)");
}

TEST_CASE("long lists are broken into lines") {
  Array list;
  for (std::int64_t i = 0; i < 100; ++i) list.emplace_back(i * 1000);
  Table table;
  table.set("steps", Value(list));
  const Value recipe(std::move(table));
  const auto text = write_recipe(recipe);
  std::size_t start = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    CHECK(end - start <= 100);
    start = end + 1;
  }
  CHECK(parse_recipe(text, "r.toml", {}) == recipe);
}

TEST_CASE("a written recipe is read as the same recipe") {
  const std::string documents[] = {
      "",
      "a = 1",
      "a = []\nb = {}\nc = [[], [{}]]",
      "a = [1, { b = 2 }]",
      "[[a]]\n[[a]]\nx = 1\n[[a.b]]\ny = 2\n[[a.b]]\n[a.c]\nz = 3\n",
      "\"quoted key\" = 1\n[\"a.b\".\"c d\"]\n\"\" = 2\n[[\"l x\"]]\n\"y.z\" = 3",
      "s = \"say \\\"hi\\\"\\n\\ttab \\\\ \\u0001 \\u007f Gr\\u00fc\\u00dfe \\U0001F6B6\"",
      "i = [-1, 9223372036854775807, -9223372036854775808]",
      "d = [0.1, -0.0, 1e-5, 8e-5, 1e300, 5e-324, inf, -inf]\nn = nan",
      "a.b.c.d = true\na.b.e = [\"x\"]",
      "t = [{ a = [{ b = 1 }] }, { a = [] }]",
  };
  for (const auto& document : documents) {
    const auto recipe = parse_recipe(document, "r.toml", {});
    const auto text = write_recipe(recipe);
    CHECK_MESSAGE(parse_recipe(text, "again.toml", {}) == recipe, text);
    CHECK(write_recipe(parse_recipe(text, "again.toml", {})) == text);
  }
}

TEST_CASE("a zero character in a text or a key is refused where it stands") {
  const std::string wrong =
      "a text holds the zero character (\\u0000), which no name and no path may; remove it";
  CHECK(errors_of("seed = 1\nname = \"a\\u0000b\"\n") == "r.toml:2:8: error: " + wrong);
  CHECK(errors_of("\"a\\u0000b\" = 1\n") == "r.toml:1:1: error: " + wrong);
  CHECK(errors_of("", {"name=\"a\\u0000b\""}) == "--set name=\"a\\u0000b\": error: " + wrong);
}

TEST_CASE("a recipe that is a pipe or a device is refused instead of waited for") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe.toml").c_str(), 0600) == 0);
  CHECK(load_errors(folder, folder / "pipe.toml") ==
        "pipe.toml: error: cannot read the recipe: it is a pipe, socket or device, not a file");
}

TEST_CASE("a recipe that is nested deeper than any is refused at the place, and ends nobody") {
  const std::string wrong =
      "tables and lists are nested more than 64 levels deep, as no recipe is; a key's parts count too";
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  constexpr int many = 200'000;
  CHECK(errors_of("x = 1\n" + repeated("a.", many) + "a = 1\n") == "r.toml:2:130: error: " + wrong);
  CHECK(errors_of("[" + repeated("a . ", many) + "a]\n") == "r.toml:1:256: error: " + wrong);
  CHECK(errors_of("[" + repeated("\"=\".'[a'.", many) + "a]\n").ends_with(wrong));
  CHECK(errors_of("x = " + repeated("[", many)).ends_with(wrong));
  CHECK(errors_of("x = " + repeated("{a.b.c = ", many)).ends_with(wrong));
  CHECK(errors_of("x = [\n1, # ]\n" + repeated("[{a = ", many)).ends_with(wrong));
  // What only looks like it.
  CHECK(errors_of("x = [" + repeated("0.5, ", many) + "]\n").starts_with("none: "));
  CHECK(errors_of("x = '''" + repeated("[.{\n", many) + "'''\ny = \"" + repeated(".\\\"", many) + "\"\n")
            .starts_with("none: "));
  CHECK(errors_of("# " + repeated("[.", many) + "\n" + repeated("[[a.b]]\nc.d = {e = 1}\n", 100))
            .starts_with("none: "));
  CHECK(errors_of("[" + repeated("a.", 30) + "a]\n" + repeated("b.", 60) + "b = [[[]]]\n")
            .starts_with("none: "));

  CHECK(errors_of("", {repeated("a.", 100) + "a=1"})
            .ends_with("the key has 101 parts, more than the 64 that a recipe may have"));
}
