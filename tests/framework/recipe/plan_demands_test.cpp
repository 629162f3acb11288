#include "recipe/plan_demands.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tiny_components.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

using State = Demand::State;

class DemandedBackbone : public TinyBackbone {
 public:
  struct Params {
    bool gate = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("With a parameter.");
    s.add("gate", &Params::gate, "one");
    return s;
  }
  DemandedBackbone(const Params&, const Context& context) : TinyBackbone({}, context) {}
};

const Catalog& demands_catalog() {
  static const Catalog made = [] {
    auto catalog = tiny_catalog();
    catalog.add<DemandedBackbone>("demanded");
    return catalog;
  }();
  return made;
}

Plan demanded_plan(std::vector<std::string> more = {}) {
  more.insert(more.begin(), "backbone.type='demanded'");
  return tiny_plan(demands_catalog(), more);
}

std::string says(const Plan& plan, const std::string& table, const std::string& key) {
  return plan.resolved().as<Table>()->find(table)->as<Table>()->find(key)->to_toml();
}

}  // namespace

TEST_CASE("what a recipe leaves at its default is set, and what it says so already is met") {
  auto plan = demanded_plan();
  const auto demands = meet_demands(plan, {"backbone.gate=true"});
  REQUIRE(demands.size() == 1);
  CHECK(demands[0].text == "backbone.gate = true");
  CHECK(demands[0].state == State::set);
  CHECK(says(plan, "backbone", "gate") == "true");
  CHECK(meet_demands(plan, {"backbone.gate=true"})[0].state == State::met);
}

TEST_CASE("what a recipe says otherwise is denied at its place, and then nothing is set") {
  auto plan = demanded_plan({"backbone.gate=false"});
  const auto before = plan.resolved();
  const auto demands = meet_demands(plan, {"backbone.gate=true", "head.none=1"});
  CHECK(demands[0].state == State::denied);
  CHECK(demands[0].answer == "false");
  CHECK(demands[0].location.str() == "--set backbone.gate=false");
  CHECK(demands[1].state == State::unknown);
  CHECK(demands[1].answer.find("has no parameter 'none'") != std::string::npos);
  CHECK(plan.resolved() == before);
}

TEST_CASE("a value that the component does not allow is unknown, with the reason") {
  auto plan = demanded_plan();
  const auto demands = meet_demands(plan, {"backbone.gate='perhaps'"});
  CHECK(demands[0].state == State::unknown);
  CHECK(demands[0].answer.find("must be true or false") != std::string::npos);
}

TEST_CASE("a demand of an augmentation that the recipe does not have is idle") {
  auto plan = demanded_plan();
  CHECK(meet_demands(plan, {"augmentation.none.size=3"})[0].state == State::idle);
}

TEST_CASE("a layout that demands anything else is a mistake of the program") {
  auto plan = demanded_plan();
  for (const std::string wrong : {"train.epochs=3", "backbone.a.b=1", "backbone", "augmentation.size=3"}) {
    CHECK_THROWS_AS(static_cast<void>(meet_demands(plan, {wrong})), std::logic_error);
  }
}
