#include "command/describe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "command/list.h"
#include "fake_components.h"
#include "kindred/role/layout.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "recipe/recipe_layout.h"
#include "text/text_table.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::test;

namespace {

std::string error_of(const std::string& what) {
  try {
    return "none: " + describe(fake_catalog(), what, DescribeFormat::text);
  } catch (const RecipeError& error) {
    return error.what();
  }
}

/// Two programs' weights, one of them in two manners.
class ReadingHead : public FakeHead {
 public:
  using FakeHead::FakeHead;
  static std::vector<WeightsLayout> weights_layouts() {
    return {{.name = "one"}, {.name = "another"}, {.name = "one"}};
  }
};

class FakeLayout : public Layout {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Puts nothing anywhere."); }
  FakeLayout(const Params&, const Context&) {}
  [[nodiscard]] LayoutFiles files(const std::vector<Sample>&, const std::string&) const override {
    return {};
  }
};

/// The TOML between ```toml and ```, or below "In a recipe", without the indentation.
std::string example_of(const std::string& text) {
  const std::string title = "In a recipe, with every default:\n";
  const auto begin = text.find(title);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin + title.size());
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::size_t longest = 0;
  while (std::getline(lines, line)) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("text is wrapped between words") {
  CHECK(text::wrapped("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(text::wrapped("incomprehensibilities no", 5) ==
        std::vector<std::string>{"incomprehensibilities", "no"});
  CHECK(text::wrapped("", 5) == std::vector<std::string>{""});
  CHECK(text::wrapped("äöü äöü", 7) == std::vector<std::string>{"äöü äöü"});
}

TEST_CASE("a table aligns its columns, wraps long cells and drops empty columns") {
  text::TextTable table;
  table.heads = {"A", "B", "C", "D"};
  table.widths = {10, 9, 10};
  table.indent = 1;
  table.line_width = 40;
  table.rows = {{"ä", "two words more", "", "x"},
                {"long name", "1", "", "the rest of the line is wrapped here"}};
  CHECK(table.str() ==
        " A          B          D\n"
        " ä          two words  x\n"
        "            more\n"
        " long name  1          the rest of the line is\n"
        "                       wrapped here\n");
}

TEST_CASE("columns of a table are aligned behind wide and joined characters") {
  text::TextTable table;
  table.heads = {"VARIANT", "mAP"};
  table.widths = {20};
  table.rows = {{"市场一五〇一", "50.00"}, {"a\u0308o\u0308", "1.00"}, {"한국 カ", "2.00"}};
  CHECK(table.str() ==
        "VARIANT       mAP\n"
        "市场一五〇一  50.00\n"
        "a\u0308o\u0308            1.00\n"
        "한국 カ       2.00\n");
}

TEST_CASE("all components are listed by role, with plugin and summary") {
  const auto text = list_components(fake_catalog());
  CHECK(text.find("COMPONENT                  PLUGIN  SUMMARY\n"
                  "augmentation/flip          fakes   Leaves images as they are.\n"
                  "augmentation/random_patch  fakes   Leaves images as they are.\n"
                  "\n"
                  "backbone/large             fakes   Averages an image.\n") == 0);
  CHECK(list_components(Catalog()) == "No components: no plugin was loaded.\n");
}

TEST_CASE("a component is described with everything that its schema says") {
  CHECK(describe(fake_catalog(), "augmentation/random_patch", DescribeFormat::text) ==
        R"(augmentation/random_patch
  Leaves images as they are.
  Source: Nobody et al., FAKE 2024, eq. (1)
  Plugin: fakes (plugins/fakes.so)

  PARAMETER  TYPE             DEFAULT                ALLOWED     UNIT    MEANING
  prob       number           0.3                    [0, 1]              probability that something happens
  size       whole number     10                     at least 1  pixels  how much of it
  label      text             "a \"quoted\" text"                        what it is called | by whom
  mean       list of numbers  [0.485, 0.456, 0.406]  3 elements          a number for each channel
  margin     number           -                      above 0             off unless given
  fixes      table of whole   {}                                         corrected identities
             numbers

In a recipe, with every default:
  [[augmentation]]
  type = "random_patch"
  prob = 0.3
  size = 10
  label = "a \"quoted\" text"
  mean = [0.485, 0.456, 0.406]

  [augmentation.fixes]
)");
}

TEST_CASE("a component without parameters says so") {
  const auto text = describe(fake_catalog(), "sampler/plain", DescribeFormat::text);
  CHECK(text.find("It has no parameters.\n") != std::string::npos);
  CHECK(example_of(text) == "  [sampler]\n  type = \"plain\"\n");
}

TEST_CASE("the examples of all components together are a recipe") {
  const auto catalog = fake_catalog();
  std::string recipe;
  for (const auto* id : {"dataset/folder", "augmentation/flip", "sampler/plain", "backbone/small",
                         "head/simple", "loss/triplet", "optimizer/sgd", "schedule/flat", "loader", "train",
                         "embed", "evaluate", "machine", "optimizer.group"}) {
    recipe += example_of(describe(catalog, id, DescribeFormat::text));
  }
  const auto plan = recipe::make_plan(recipe::parse_recipe(recipe, "examples", {}), catalog);
  CHECK(plan.losses.at(0).on == std::vector<std::string>{"OUTPUT"});
  CHECK(plan.resolved() ==
        recipe::make_plan(recipe::parse_recipe(recipe::write_recipe(plan.resolved()), "frozen", {}), catalog)
            .resolved());
}

TEST_CASE("every description fits a terminal") {
  const auto catalog = fake_catalog();
  for (const auto* factory : catalog.components()) {
    CHECK(longest_line(describe_component(*factory, DescribeFormat::text)) <= 110);
  }
  CHECK(longest_line(describe(catalog, "recipe", DescribeFormat::text)) <= 110);
  for (const auto& table : recipe::recipe_layout()) {
    CHECK(longest_line(describe(catalog, table.key, DescribeFormat::text)) <= 110);
  }
}

TEST_CASE("the recipe's own tables are described") {
  const auto text = describe(fake_catalog(), "train", DescribeFormat::text);
  CHECK(text.find("[train]\n  How long to train") == 0);
  CHECK(text.find("  epochs ") != std::string::npos);
  CHECK(example_of(text).find("  [train]\n  epochs = 60\n") == 0);
}

TEST_CASE("a role is described with the keys of its table and its components") {
  const auto text = describe(fake_catalog(), "loss", DescribeFormat::text);
  for (const auto* piece : {"[[loss]]\n", "\n  type ", "\n  on ", "\n  weight ", "\n  enabled ",
                            "\n  loss/entropy  ", "\n  loss/triplet  "}) {
    CHECK_MESSAGE(text.find(piece) != std::string::npos, piece);
  }
  CHECK(describe(fake_catalog(), "head", DescribeFormat::text).find("\n  on ") == std::string::npos);
}

TEST_CASE("a list of tables inside a component's table is described with it and on a page of its own") {
  const auto role = describe(fake_catalog(), "optimizer", DescribeFormat::text);
  CHECK(role.find("\n  group      list of tables  []") != std::string::npos);
  CHECK(role.find("`kindred describe optimizer.group`") != std::string::npos);
  const auto text = describe(fake_catalog(), "optimizer.group", DescribeFormat::text);
  CHECK(text.find("[[optimizer.group]]\n  Parameters with their own learning settings") == 0);
  CHECK(longest_line(text) <= 110);
  CHECK(example_of(text) ==
        "  [[optimizer.group]]\n"
        "  name = \"TEXT\"\n"
        "  enabled = true\n"
        "  parameters = [\"TEXT\"]\n"
        "  learning_rate_factor = 1.0\n"
        "  bias_factor = 1.0\n"
        "  weight_decay_factor = 1.0\n"
        "  weight_decay_on_vectors = true\n"
        "  layer_decay = 1.0\n"
        "  frozen_epochs = 0\n");
  CHECK(error_of("optimizer.grup") ==
        "error: there is no table 'optimizer.grup'; did you mean 'optimizer.group'?");
  const auto page = describe_catalog_markdown(fake_catalog(), "optimizer");
  const auto inner = page.find("\n## `[[optimizer.group]]`\n");
  CHECK(inner != std::string::npos);
  CHECK(page.find("\n## `optimizer/sgd`\n") > inner);
}

TEST_CASE("the recipe as a whole is described with its tables") {
  const auto text = describe(fake_catalog(), "recipe", DescribeFormat::text);
  for (const auto& table : recipe::recipe_layout())
    CHECK(text.find("\n  " + table.header() + " ") != std::string::npos);
  const auto markdown = describe(fake_catalog(), "recipe", DescribeFormat::markdown);
  CHECK(markdown.find("| `extends` | text or list of texts |") != std::string::npos);
  CHECK(markdown.find("| `[[teacher]]` | list of tables |") != std::string::npos);
  CHECK(markdown.find("| `[weights]` | table |") != std::string::npos);
}

TEST_CASE("a pipeline as a whole is described with its keys and tables") {
  const auto text = describe(fake_catalog(), "pipeline", DescribeFormat::markdown);
  CHECK(text.find("# `pipeline`\n") == 0);
  for (const auto* key : {"extends", "name", "keep_training", "[[stage]]", "[repeat]"}) {
    CHECK(text.find("\n| `" + std::string(key) + "` |") != std::string::npos);
  }
  CHECK(text.find("[labeler]") == std::string::npos);
}

TEST_CASE("a page of the reference holds a role and all its components, and no place of this machine") {
  const auto text = describe_catalog_markdown(fake_catalog(), "backbone");
  CHECK(text.find("# `[backbone]`\n") == 0);
  CHECK(text.find("\n## `backbone/large`\n") != std::string::npos);
  CHECK(text.find("\n## `backbone/small`\n") != std::string::npos);
  CHECK(text.find("| `prob` | number | `0.3` | [0, 1] |  | probability that something happens |\n") !=
        std::string::npos);
  CHECK(text.find("what it is called \\| by whom") != std::string::npos);
  CHECK(text.find("```toml\n[backbone]\ntype = \"large\"\n") != std::string::npos);
  CHECK(text.find("fakes.so") == std::string::npos);
  const auto catalog = fake_catalog();
  const auto all = describe_catalog_markdown(catalog);
  for (const auto* factory : catalog.components()) {
    CHECK(all.find("## `" + factory->info().id() + "`\n") != std::string::npos);
  }
  CHECK(all.find("# `[machine]`\n") != std::string::npos);
}

TEST_CASE("a description for programs is JSON with typed defaults") {
  const auto json =
      nlohmann::json::parse(describe(fake_catalog(), "augmentation/random_patch", DescribeFormat::json));
  CHECK(json["title"] == "augmentation/random_patch");
  CHECK(json["plugin"] == "fakes");
  CHECK(json["parameters"].size() == 6);
  CHECK(json["parameters"][0]["name"] == "prob");
  CHECK(json["parameters"][0]["default"] == 0.3);
  CHECK(json["parameters"][1]["default"].is_number_integer());
  CHECK(json["parameters"][3]["default"] == std::vector<double>{0.485, 0.456, 0.406});
  CHECK(json["parameters"][4]["default"].is_null());
  CHECK(json["parameters"][5]["default"].is_object());
  const auto dataset =
      nlohmann::json::parse(describe(fake_catalog(), "dataset/folder", DescribeFormat::json));
  CHECK(dataset["parameters"][0]["required"] == true);
  CHECK(dataset["example"] == "[dataset]\ntype = \"folder\"\nroot = \"PATH\"\n");
  const auto role = nlohmann::json::parse(describe(fake_catalog(), "backbone", DescribeFormat::json));
  CHECK(role["components"] == std::vector<std::string>{"backbone/large", "backbone/small"});
}

TEST_CASE("whose weights a component reads is said, each program once") {
  Catalog catalog;
  catalog.add<ReadingHead>("reading");
  CHECK(describe(catalog, "head/reading", DescribeFormat::text)
            .find("\n  Reads the weights of: one, another\n") != std::string::npos);
  CHECK(describe(catalog, "head/reading", DescribeFormat::markdown)
            .find("\n\nReads the weights of: one, another\n") != std::string::npos);
  const auto json = nlohmann::json::parse(describe(catalog, "head/reading", DescribeFormat::json));
  CHECK(json["weights"] == std::vector<std::string>{"one", "another"});
}

TEST_CASE("what a loss takes is said, and that a head needs tokens") {
  Catalog catalog;
  catalog.add<FakeLoss<OutputKind::logits>>("on_logits");
  catalog.add<ReadingHead>("reading");
  CHECK(describe(catalog, "loss/on_logits", DescribeFormat::text).find("\n  Takes: logits\n") !=
        std::string::npos);
  CHECK(describe(catalog, "loss/on_logits", DescribeFormat::markdown).find("\n\nTakes: logits\n") !=
        std::string::npos);
  CHECK(nlohmann::json::parse(describe(catalog, "loss/on_logits", DescribeFormat::json))["takes"] ==
        "logits");
  CHECK(describe(catalog, "head/reading", DescribeFormat::text).find("Takes:") == std::string::npos);
}

TEST_CASE("a component that an option names is described without a recipe") {
  Catalog catalog;
  catalog.add<FakeLayout>("nowhere");
  CHECK(describe(catalog, "layout/nowhere", DescribeFormat::text) ==
        "layout/nowhere\n  Puts nothing anywhere.\n\nIt has no parameters.\n");
  const auto role = describe(catalog, "layout", DescribeFormat::text);
  CHECK(role.find("--layout\n  How a data set lies on disk") == 0);
  CHECK(role.find("layout/nowhere  Puts nothing anywhere.\n") != std::string::npos);
  CHECK(role.find("In a recipe") == std::string::npos);
}

TEST_CASE("what is not there is an error, with what was meant or what there is") {
  CHECK(error_of("augmentation/random_pach") ==
        "error: there is no component 'augmentation/random_pach'; did you mean 'augmentation/random_patch'?");
  CHECK(error_of("random_patch") ==
        "error: there is no component 'random_patch'; did you mean 'augmentation/random_patch'?");
  CHECK(error_of("head/triplet") ==
        "error: there is no component 'head/triplet'; did you mean 'loss/triplet'?");
  CHECK(error_of("backbone/zebra") ==
        "error: there is no component 'backbone/zebra'; choose 'backbone/large' and 'backbone/small'");
  CHECK(error_of("backbone/little") ==
        "error: there is no component 'backbone/little'; it is called 'backbone/small' now");
  CHECK(error_of("trian") == "error: there is no table 'trian'; did you mean 'train'?");
  CHECK(error_of("zzzzzzzz") ==
        "error: there is no component 'zzzzzzzz'; write a component as role/name; `kindred list` shows all "
        "components");
  CHECK(error_of("backbone/").find("error: there is no component 'backbone/'") == 0);
}

TEST_CASE("a component is found by its id") {
  const auto catalog = fake_catalog();
  CHECK(&find_component(catalog, "head/simple") == catalog.find("head", "simple"));
}
