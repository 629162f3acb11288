#include "pipeline/key_difference.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace kindred;
using namespace kindred::pipeline;

namespace {

results::StageKey key() {
  return {
      "train", "[train]\nepochs = 3\nclip = 1\n", {{"labels/labels.csv", "aa"}}, "dd", {{"kindred", "cc"}}};
}

std::string changed(const std::function<void(results::StageKey&)>& change, bool ignore_code = false) {
  auto other = key();
  change(other);
  return key_difference(key(), other, ignore_code);
}

}  // namespace

TEST_CASE("what a result no longer depends on alike is said by name") {
  CHECK(key_difference(key(), key(), false).empty());
  CHECK(changed([](results::StageKey& k) { k.settings = "[train]\nepochs = 5\nclip = 1\n"; }) ==
        "its recipe has changed: train.epochs: 3 there, 5 here");
  CHECK(changed([](results::StageKey& k) { k.settings = "[train]\nepochs = 5\nclip = 2\n"; }) ==
        "its recipe has changed: train.clip: 1 there, 2 here, and 1 more");
  CHECK(changed([](results::StageKey& k) { k.inputs["labels/labels.csv"] = "ab"; }) ==
        "labels/labels.csv has changed");
  CHECK(changed([](results::StageKey& k) { k.inputs["more/labels.csv"] = "ab"; }) ==
        "more/labels.csv is new");
  CHECK(changed([](results::StageKey& k) { k.inputs.clear(); }) == "labels/labels.csv is no longer read");
  CHECK(changed([](results::StageKey& k) { k.data = "de"; }) == "the images or their labels have changed");
  CHECK(changed([](results::StageKey& k) { k.type = "embed"; }) == "it was a stage of type train");
}

TEST_CASE("the order and the spelling of a recipe's keys change nothing") {
  CHECK(changed([](results::StageKey& k) { k.settings = "[train]\nclip = 1\nepochs = 3\n"; }).empty());
  CHECK(changed([](results::StageKey& k) { k.settings = "[train]\nclip = 1.0\nepochs = 3\n"; }).empty());
  CHECK_FALSE(
      changed([](results::StageKey& k) { k.settings = "[train]\nclip = 1.5\nepochs = 3\n"; }).empty());
}

TEST_CASE("another build of the program counts unless it is asked not to") {
  const auto change = [](results::StageKey& k) { k.code["kindred"] = "cd"; };
  CHECK(changed(change) == "kindred has changed (--ignore-code accepts its result)");
  CHECK(changed(change, true).empty());
}

TEST_CASE("all that differs is listed, but for the code") {
  auto other = key();
  other.settings = "[train]\nepochs = 5\nclip = 2\n";
  other.inputs = {{"more/labels.csv", "ab"}};
  other.data = "de";
  other.code["kindred"] = "cd";
  CHECK(key_differences(key(), other) ==
        "\n  train.clip: 1 there, 2 here"
        "\n  train.epochs: 3 there, 5 here"
        "\n  more/labels.csv is new"
        "\n  labels/labels.csv is no longer read"
        "\n  the images or their labels have changed");
  CHECK_FALSE(differ_in_settings_alone(key(), other, true));
}

TEST_CASE("whether the settings alone differ is told, with or without the code") {
  auto other = key();
  CHECK_FALSE(differ_in_settings_alone(key(), other, true));
  other.settings = "[train]\nepochs = 5\nclip = 1\n";
  CHECK(differ_in_settings_alone(key(), other, false));
  other.code["kindred"] = "cd";
  CHECK_FALSE(differ_in_settings_alone(key(), other, false));
  CHECK(differ_in_settings_alone(key(), other, true));
}
