#include "recipe/component_choice.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>

#include "fake_components.h"
#include "kindred/role/post_processor.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

/// A component whose one parameter is marked as a test wants.
template <class Component>
struct Marked : Component {
  struct Params {
    std::string place;
  };
  static inline std::function<void(ParameterRefiner)> mark;
  static Schema<Params> schema() {
    Schema<Params> s("Is marked.");
    mark(s.add("place", &Params::place, "a place"));
    return s;
  }
  Marked(const Params&, const typename Component::Context& context) : Component({}, context) {}
};

/// Its folder is not marked as a place of data.
struct UnplacedDataset : FakeDataset {
  static Schema<Params> schema() {
    Schema<Params> s("Has no images.");
    s.add("root", &Params::root, "the folder of the images");
    return s;
  }
  using FakeDataset::FakeDataset;
};

struct IdlePostProcessor : PostProcessor {
  struct Params {};
  IdlePostProcessor(const Params&, const Context&) {}
  [[nodiscard]] Step step() const override { return Step::descriptors; }
  void apply(Retrieval&, RetrievalHost&) const override {}
};

/// Of what the author of a plugin 'others' has done wrong, in a recipe that chooses it; "" when it is right.
std::string fault_of(Catalog others, const std::string& override_text) {
  auto catalog = fake_catalog();
  catalog.merge(std::move(others), "others", "others.so");
  const auto recipe = "[dataset]\ntype = \"folder\"\nroot = \"data\"\n" + std::string(fake_model);
  return message_of<ComponentFault>(
      [&] { static_cast<void>(make_plan(parse_recipe(recipe, "r.toml", {override_text}), catalog)); });
}

}  // namespace

TEST_CASE("a component whose parameters collide with the recipe's own keys is its author's mistake") {
  class Heavy : public FakeAugmentation {
   public:
    struct Params {
      bool enabled = true;
    };
    static Schema<Params> schema() {
      Schema<Params> s("Is heavy.");
      s.add("enabled", &Params::enabled, "whether it is");
      return s;
    }
    Heavy(const Params&, const Context& context) : FakeAugmentation({}, context) {}
  };
  Catalog others;
  others.add<Heavy>("heavy");
  CHECK(fault_of(std::move(others), "augmentation=[{type='heavy'}]") ==
        "error: augmentation 'heavy' of plugin 'others' has a parameter 'enabled', which is a key that every "
        "augmentation of a recipe has; rename it in the plugin");
}

TEST_CASE("a parameter whose mark keeps stages from looking at it is its author's mistake") {
  const auto said = [](const std::function<void(ParameterRefiner)>& mark, const std::string& override_text) {
    Marked<FakeAugmentation>::mark = mark;
    Marked<FakeDataset>::mark = mark;
    Marked<IdlePostProcessor>::mark = mark;
    Catalog others;
    others.add<Marked<FakeAugmentation>>("marked");
    others.add<Marked<FakeDataset>>("marked");
    others.add<Marked<IdlePostProcessor>>("marked");
    return fault_of(std::move(others), override_text);
  };
  const auto affecting = [](Affects affects) {
    return [affects](ParameterRefiner parameter) { parameter.affects(affects); };
  };
  const std::string augmentation = "augmentation=[{type='marked'}]";
  const std::string dataset = "dataset={type='marked'}";
  const std::string post_processor = "post_processor=[{type='marked'}]";

  CHECK(said(affecting(Affects::features), augmentation) ==
        "error: augmentation 'marked' of plugin 'others' says that its parameter 'place' affects the "
        "features, where one of this role affects the training or nothing; take the mark out of its schema");
  CHECK(said(affecting(Affects::features), post_processor)
            .find("affects the features, where one of this role affects the ranking or nothing") !=
        std::string::npos);
  CHECK(said(affecting(Affects::training), post_processor).find("affects the training, where") !=
        std::string::npos);
  CHECK(said(affecting(Affects::ranking), dataset).find("affects the ranking, where") != std::string::npos);
  const auto stage = [](ParameterRefiner parameter) { parameter.stage({"embed"}); };
  for (const auto& table : {augmentation, dataset, post_processor}) {
    CHECK(said(stage, table).find("'place' names stages, whose results only a stage itself can read") !=
          std::string::npos);
    CHECK(said(affecting(Affects::nothing), table).empty());
  }
  CHECK(said(affecting(Affects::training), augmentation).empty());
  CHECK(said(affecting(Affects::features), dataset).empty());
  CHECK(said(affecting(Affects::ranking), post_processor).empty());
}

TEST_CASE("a data set whose root is not marked as a place of data is its author's mistake") {
  Catalog others;
  others.add<UnplacedDataset>("unplaced");
  CHECK(fault_of(std::move(others), "dataset={type='unplaced'}") ==
        "error: dataset 'unplaced' of plugin 'others' does not mark its parameter 'root' as a place of data, "
        "so that nobody would notice other images there; add .location() to it in the schema");
}
