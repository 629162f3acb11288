#include "training/learning_groups.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

using Names = std::vector<std::string>;

std::vector<LearningGroup> groups_of(const std::string& groups) {
  static const Catalog catalog = tiny_catalog();
  const auto plan = recipe::make_plan(recipe::parse_recipe(tiny_recipe + groups, "tiny.toml", {}), catalog);
  const auto model = model::build_model(plan, 5);
  const auto terms = model::build_losses(plan, model->outputs(), 5);
  return learning_groups(plan.groups, *model, terms, own_optimizers(terms));
}

Names names_in(const LearningGroup& group) {
  Names names;
  for (const auto& parameter : group.parameters) names.push_back(parameter.name);
  return names;
}

std::string group(const std::string& name, const std::string& parameters, const std::string& more = "") {
  return "[[optimizer.group]]\nname = '" + name + "'\nparameters = " + parameters + "\n" + more;
}

/// What is said of one group, whose patterns stand in line 38.
std::string error_of(const std::string& groups) {
  return message_of<RecipeError>([&] { static_cast<void>(groups_of(groups)); });
}

}  // namespace

TEST_CASE(
    "without groups all parameters learn alike, those of losses too, but not what has its own optimiser") {
  const auto groups = groups_of("");
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].name == "all others");
  CHECK(groups[0].learning_rate_factor == 1);
  CHECK(names_in(groups[0]) == Names{"backbone.first.weight", "backbone.first.bias", "backbone.norm.weight",
                                     "backbone.norm.bias", "backbone.second.weight", "backbone.second.bias",
                                     "head.unused", "head.classifier.weight", "head.classifier.bias",
                                     "loss.scale(descriptor).length"});
}

TEST_CASE("each parameter goes to the first group that names it, and the others form the last") {
  const auto groups = groups_of(
      group("new", "['head.classifier*', 'loss.scale*']", "learning_rate_factor = 10\nbias_factor = 2\n") +
      group("plain", "['*.bias', 'backbone.norm*', '*norm.weight']",
            "weight_decay_factor = 0\nfrozen_epochs = 2\n"));
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].name == "new");
  CHECK(groups[0].learning_rate_factor == 10);
  CHECK(groups[0].bias_factor == 2);
  CHECK(names_in(groups[0]) ==
        Names{"head.classifier.weight", "head.classifier.bias", "loss.scale(descriptor).length"});
  // The third pattern names what the group has already: no harm.
  CHECK(names_in(groups[1]) ==
        Names{"backbone.first.bias", "backbone.norm.bias", "backbone.second.bias", "backbone.norm.weight"});
  CHECK(groups[1].weight_decay_factor == 0);
  CHECK(groups[1].frozen_epochs == 2);
  CHECK(names_in(groups[2]) == Names{"backbone.first.weight", "backbone.second.weight", "head.unused"});
  CHECK(groups_text(groups) ==
        "GROUP       TENSORS  PARAMETERS  LEARNING RATE  OF BIASES  WEIGHT DECAY  FROZEN\n"
        "new         3        86          x 10           x 20       x 1\n"
        "plain       4        40          x 1                       x 0           2 epochs\n"
        "all others  3        1,371       x 1                       x 1\n");
  CHECK(is_bias("head.classifier.bias"));
  CHECK_FALSE(is_bias("head.classifier.weight"));
}

TEST_CASE("a pattern that catches nothing is an error at its place, with the names that are near") {
  CHECK(error_of(group("new", "['head.clasifier*']")) ==
        "tiny.toml:38:15: error: group 'new': 'head.clasifier*' matches no parameter; "
        "did you mean 'head.classifier*'?");
  CHECK(error_of(group("new", "['backbone.first.weights']")) ==
        "tiny.toml:38:15: error: group 'new': 'backbone.first.weights' matches no parameter; did you mean "
        "'backbone.first.weight'?");
  CHECK(error_of(group("new", "['*.biass']")) ==
        "tiny.toml:38:15: error: group 'new': '*.biass' matches no parameter; did you "
        "mean '*bias'?");
  CHECK(error_of(group("new", "['head*', 'neck.*']")) ==
        "tiny.toml:38:24: error: group 'new': 'neck.*' matches no parameter; names "
        "begin with 'backbone.first', 'backbone.norm', 'backbone.second', 'head.unused', 'head.classifier' "
        "and 'loss.scale(descriptor)'");
}

TEST_CASE("a pattern all of whose parameters earlier groups have is an error that names these groups") {
  CHECK(
      error_of(group("one", "['head.unused']") + group("two", "['head*']") + group("three", "['head.*']")) ==
      "tiny.toml:44:15: error: group 'three': 'head.*' matches no parameter that is left: all 3 parameters "
      "that it matches belong to 'one' and 'two'; a parameter belongs to the first group that matches it, so "
      "place the more "
      "specific group first");
}

TEST_CASE("parameters that another optimiser trains are in no group, and said to be") {
  CHECK(error_of(group("new", "['loss.centers*']")) ==
        "tiny.toml:38:15: error: group 'new': 'loss.centers*' matches only parameters that the loss trains "
        "with its own optimizer; set the learning rate in the parameters of the loss");
}

TEST_CASE("groups that freeze everything in the first epoch are refused") {
  CHECK(error_of(group("all", "['*']", "frozen_epochs = 1\n")) ==
        "tiny.toml:36:1: error: all parameters are frozen in the first epoch, so nothing would be trained; "
        "set frozen_epochs = 0 in one of the groups");
}
