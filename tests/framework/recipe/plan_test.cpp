#include "recipe/plan.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "fake_components.h"
#include "recipe/recipe.h"
#include "temporary_folder.h"
#include "training/plan_check.h"

using namespace kindred;
using namespace kindred::recipe;
using namespace kindred::test;

namespace {

const std::string whole = R"(name = "trial"
seed = 7
[dataset]
type = "folder"
root = "data"
[[augmentation]]
type = "random_patch"
prob = 1
[[augmentation]]
type = "random_patch"
name = "again"
)" + std::string(fake_model) +
                          R"([[loss]]
type = "triplet"
name = "hard"
on = ["desc*"]
weight = 0.5
reduction = "mean"
margin = 0.25
fixes = { "a.png" = 3 }
)";

/// With groups of parameters, from line 34 on.
const std::string grouped = whole + R"(
[[optimizer.group]]
name = "head"
parameters = ["head.*", "loss.*"]
learning_rate_factor = 10
[[optimizer.group]]
name = "rest"
parameters = ["*"]
frozen_epochs = 5
)";

Plan plan_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  static const Catalog catalog = fake_catalog();
  return make_plan(parse_recipe(text, "r.toml", overrides), catalog);
}

std::string errors_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    static_cast<void>(plan_of(text, overrides));
  } catch (const RecipeError& error) {
    return error.what();
  }
  return "none";
}

/// The errors of the whole recipe after an override.
std::string error_of(const std::string& override_text) {
  return errors_of(whole, {override_text});
}

/// The whole recipe without one of its tables.
std::string without(const std::string& header) {
  std::string text = whole;
  const auto begin = text.find(header + "\n");
  REQUIRE(begin != std::string::npos);
  auto end = text.find("\n[", begin);
  end = end == std::string::npos ? text.size() : end + 1;
  return text.erase(begin, end - begin);
}

}  // namespace

TEST_CASE("a recipe becomes a plan with components, names and settings") {
  const auto plan = plan_of(whole, {"train.epochs=3", "machine.device=cuda:1", "evaluate.cameras=single"});
  CHECK(plan.name == "trial");
  CHECK(plan.seed == 7);
  CHECK(plan.dataset().factory->info().id() == "dataset/folder");
  REQUIRE(plan.augmentations.size() == 2);
  CHECK(plan.augmentations[0].name == "random_patch");
  CHECK(plan.augmentations[1].name == "again");
  CHECK(plan.augmentations[1].location.str() == "r.toml:9:1");
  CHECK(plan.augmentations[1].subject() == "augmentation 'random_patch'");
  REQUIRE(plan.losses.size() == 2);
  CHECK(plan.losses[0].name == "entropy");
  CHECK(plan.losses[0].weight == 1.0);
  CHECK(plan.losses[0].reduction == Reduction::sum);
  CHECK(plan.losses[1].name == "hard");
  CHECK(plan.losses[1].on == std::vector<std::string>{"desc*"});
  CHECK(plan.losses[1].on_location.str() == "r.toml:28:6");
  CHECK(plan.losses[1].weight == 0.5);
  CHECK(plan.losses[1].reduction == Reduction::mean);
  CHECK(plan.train.epochs == 3);
  CHECK(plan.machine.device == "cuda:1");
  CHECK(plan.evaluate.cameras == CameraMode::single);
  CHECK(plan.optimizer.create({})->learning_rate() == 0.1);
}

TEST_CASE("name, seed, augmentations and the kernel's tables may be left out") {
  auto text = without("[[augmentation]]");
  text.erase(0, text.find('['));
  text.erase(text.find("[[augmentation]]"), text.find("[sampler]") - text.find("[[augmentation]]"));
  const auto plan = plan_of(text);
  CHECK(plan.augmentations.empty());
  CHECK(plan.name.empty());
  CHECK(plan.seed == 1);
  CHECK(plan.train.epochs == 60);
  CHECK(plan.loader.workers == 0);
  CHECK(plan.embed.storage == file::Storage::float32);
  CHECK_FALSE(plan.embed.flip_test);
  CHECK(plan.train.best_by == "mAP");
}

TEST_CASE("a table that is required and missing is an error that says what to choose from") {
  CHECK(
      errors_of(without("[backbone]")) ==
      "r.toml:1:1: error: the recipe has no table [backbone]; it needs one with a 'type': choose 'large' or "
      "'small'");
  CHECK(errors_of(without("[schedule]")) ==
        "r.toml:1:1: error: the recipe has no table [schedule]; it needs one with a 'type': choose 'flat'");
  CHECK(error_of("loss=[]") ==
        "--set loss=[]: error: the recipe has no loss; it needs a table [[loss]] with a 'type' and 'on': "
        "choose "
        "'entropy' or 'triplet'");
  CHECK(errors_of(whole, {"loss.entropy.enabled=false", "loss.hard.enabled=false"})
            .find(": error: the recipe has no loss; it needs") != std::string::npos);
}

TEST_CASE("an unknown key at the top is an error, with what was meant") {
  CHECK(error_of("optimiser.type=sgd") ==
        "--set optimiser.type=sgd: error: a recipe has no key 'optimiser'; did you mean 'optimizer'?");
  CHECK(errors_of(std::string("zzz = 1\n") + whole) ==
        "r.toml:1:1: error: a recipe has no key 'zzz'; it has 'name', 'seed', 'evaluate_on', 'dataset', "
        "'folds', "
        "'pseudo_labels', 'augmentation', "
        "'sampler', 'backbone', 'head', 'loss', 'teacher', 'optimizer', 'schedule', 'weights', 'loader', "
        "'train', "
        "'embed', 'post_processor', 'ranking', 'evaluate', 'metric' and 'machine'");
}

TEST_CASE("a misspelt key that makes a recipe an extending one, or a pipeline, is told the right one") {
  CHECK(error_of("extend=base.toml") ==
        "--set extend=base.toml: error: a recipe has no key 'extend'; did you mean 'extends'?");
  CHECK(error_of("stages=[]") ==
        "--set stages=[]: error: a recipe has no key 'stages'; did you mean 'stage'?");
}

TEST_CASE("an unknown type is an error, with what was meant or what there is") {
  CHECK(error_of("augmentation.again.type=random_pach") ==
        "--set augmentation.again.type=random_pach: error: unknown augmentation 'random_pach'; did you mean "
        "'random_patch'?");
  CHECK(error_of("backbone.type=zebra") ==
        "--set backbone.type=zebra: error: unknown backbone 'zebra'; choose 'large' or 'small'");
  CHECK(error_of("backbone.type=little") ==
        "--set backbone.type=little: error: unknown backbone 'little'; it is called 'small' now");
  CHECK(error_of("backbone.type=3") ==
        "--set backbone.type=3: error: [backbone]: type = 3 must be text, not a whole number; choose 'large' "
        "or "
        "'small'");
  CHECK(error_of("loss=[{on=['logits']}]") ==
        "--set loss=[{on=['logits']}]: error: [[loss]] needs a 'type'; choose 'entropy' or 'triplet'");
}

TEST_CASE("components that are missing are named to programs, beside the other errors") {
  try {
    static_cast<void>(plan_of(whole, {"backbone.type=zebra", "head.type=giraffe", "train.epochs=-1"}));
    FAIL("nothing was thrown");
  } catch (const MissingComponentError& error) {
    CHECK(error.missing() ==
          std::vector<std::pair<std::string, std::string>>{{"backbone", "zebra"}, {"head", "giraffe"}});
    CHECK(error.diagnostics().size() == 3);
  }
  try {
    static_cast<void>(make_plan(parse_recipe(whole, "r.toml", {}), Catalog()));
    FAIL("nothing was thrown");
  } catch (const MissingComponentError& error) {
    CHECK(error.missing().size() == 10);
    CHECK(error.diagnostics()[0].str() ==
          "r.toml:4:8: error: unknown dataset 'folder'; no loaded plugin offers one");
  }
}

TEST_CASE("wrong parameters of components and settings are errors at their places, all of them at once") {
  CHECK(errors_of(whole, {"augmentation.again.prob=3", "augmentation.again.probability=3",
                          "loss.hard.wieght=1", "loss.hard.weight=0", "head.bias=1", "train.epoch=3",
                          "train.epochs=2.0", "machine.device=gpu", "seed=-1"}) ==
        "--set seed=-1: error: the recipe: seed = -1 must be at least 0\n"
        "--set augmentation.again.prob=3: error: augmentation 'random_patch': prob = 3 is outside [0, 1]\n"
        "--set augmentation.again.probability=3: error: augmentation 'random_patch' has no parameter "
        "'probability'; did you mean 'prob'?\n"
        "--set head.bias=1: error: head 'simple': bias = 1 must be true or false, not a whole number\n"
        "--set loss.hard.wieght=1: error: loss 'triplet' has no parameter 'wieght'; did you mean 'weight'?\n"
        "--set loss.hard.weight=0: error: loss 'triplet': weight = 0 must be above 0\n"
        "--set train.epoch=3: error: [train] has no parameter 'epoch'; did you mean 'epochs'?\n"
        "--set train.epochs=2.0: error: [train]: epochs = 2.0 must be a whole number: write 2\n"
        "--set machine.device=gpu: error: [machine]: device = \"gpu\" is not 'auto', 'cpu', 'cuda' or "
        "'cuda:N'");
}

TEST_CASE("a parameter that must be given is missed at the component's table") {
  std::string text = whole;
  text.erase(text.find("root = \"data\"\n"), 14);
  CHECK(errors_of(text) ==
        "r.toml:3:1: error: dataset 'folder' needs the parameter 'root': the folder of the images");
}

TEST_CASE("a loss says which outputs it is on") {
  std::string text = whole;
  text.erase(text.find("on = [\"logits\"]\n"), 16);
  CHECK(errors_of(text).find(
            "r.toml:18:1: error: loss 'entropy' needs the parameter 'on': outputs of the head") == 0);
  CHECK(error_of("loss.hard.on=[]").find("error: loss 'triplet': on = [] applies the loss to nothing") !=
        std::string::npos);
  CHECK(error_of("loss.hard.on=['']") ==
        "--set loss.hard.on=['']: error: loss 'triplet': on = [\"\"]: \"\" is not the name of an output");
  CHECK(error_of("loss.hard.on=g1") ==
        "--set loss.hard.on=g1: error: loss 'triplet': on = \"g1\" must be a list of texts, not text: write "
        "[\"g1\"]");
  CHECK(error_of("loss.hard.reduction=men") ==
        "--set loss.hard.reduction=men: error: loss 'triplet': reduction = \"men\" is not 'sum' or 'mean'; "
        "did you "
        "mean 'mean'?");
}

TEST_CASE("a table in the place of a list of tables, and a list in the place of a table, are errors") {
  auto text = without("[[augmentation]]");
  const auto entry = text.find("[[augmentation]]");
  text.replace(entry, 16, "[augmentation]");
  CHECK(errors_of(text) ==
        "r.toml:6:1: error: 'augmentation' must be a list of tables, [[augmentation]], not a table");
  CHECK(error_of("head=[]") == "--set head=[]: error: 'head' must be one table, [head], not a list");
  CHECK(error_of("augmentation=[1]") ==
        "--set augmentation=[1]: error: an entry of 'augmentation' must be a table, [[augmentation]], not a "
        "whole "
        "number");
  CHECK(error_of("train=5") == "--set train=5: error: [train] must be a table, not a whole number");
}

TEST_CASE("an entry that is switched off is left out, and its type need not exist") {
  const auto plan = plan_of(whole, {"augmentation.again.enabled=false"});
  REQUIRE(plan.augmentations.size() == 1);
  CHECK(plan.augmentations[0].name == "random_patch");
  CHECK(plan_of(whole, {"augmentation=[{ type = 'nobody', enabled = false, x = 1 }]"}).augmentations.empty());
  CHECK(
      error_of("augmentation.again.enabled=0") ==
      "--set augmentation.again.enabled=0: error: [[augmentation]]: enabled = 0 must be true or false, not a "
      "whole number");
}

TEST_CASE("names of entries are their own") {
  CHECK(error_of("augmentation.random_patch.name=again") ==
        "r.toml:11:8: error: two entries of 'augmentation' have the name 'again'; give each entry its own "
        "name");
  CHECK(error_of("augmentation.again.name=") ==
        "--set augmentation.again.name=: error: [[augmentation]]: name = \"\" is not a name");
}

TEST_CASE("the resolved recipe holds every default, and is read as the same plan") {
  const auto plan = plan_of(whole, {"machine.threads=2"});
  const auto resolved = plan.resolved();
  const auto text = write_recipe(resolved);
  const auto again = plan_of(text);
  CHECK(again.resolved() == resolved);
  CHECK(write_recipe(again.resolved()) == text);
  for (const auto* line :
       {"name = \"trial\"\n", "seed = 7\n", "prob = 1.0\n", "label = \"a \\\"quoted\\\" text\"\n",
        "mean = [0.485, 0.456, 0.406]\n", "weight = 0.5\n", "reduction = \"mean\"\n", "margin = 0.25\n",
        "\"a.png\" = 3\n", "learning_rate = 0.1\n", "epochs = 60\n", "batch_size = 64\n",
        "cameras = \"auto\"\n", "threads = 2\n", "skip_bad_images = false\n", "name = \"again\"\n",
        "name = \"hard\"\n"}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  }
  CHECK(again.augmentations[1].name == "again");
  CHECK(again.losses[1].weight == 0.5);
}

TEST_CASE("the identity holds what decides a training's result and nothing else") {
  const auto identity = plan_of(whole).identity();
  const std::vector<std::string> without_effect = {"name=other",
                                                   "machine.threads=2",
                                                   "machine.device=cpu",
                                                   "loader.workers=3",
                                                   "loader.prefetch=9",
                                                   "loader.skip_bad_images=true",
                                                   "dataset.root=other",
                                                   "folds.count=3",
                                                   "folds.distractors=other",
                                                   "embed.batch_size=8",
                                                   "embed.precision=bf16",
                                                   "evaluate.cameras=single",
                                                   "metric.soon.depth=5",
                                                   "train.evaluate_every=5",
                                                   "train.best_by=other",
                                                   "train.checkpoint_every=2",
                                                   "train.checkpoint_minutes=1",
                                                   "train.tensorboard=false"};
  CHECK(plan_of(whole, without_effect).identity() == identity);
  CHECK(plan_of(write_recipe(plan_of(whole).resolved())).identity() == identity);
  for (const auto* change :
       {"seed=8", "train.epochs=3", "augmentation.again.prob=0.9", "augmentation.again.enabled=false",
        "backbone.type=large", "head.bias=false", "loss.hard.weight=0.7", "loss.hard.on=['logits']",
        "optimizer.learning_rate=1", "optimizer.group=[{ name = 'a', parameters = ['*'] }]",
        "train.precision=bf16", "train.clip_gradient_norm=1", "train.ema_decay=0.9", "folds.fold=1"}) {
    CHECK_MESSAGE(!(plan_of(whole, {change}).identity() == identity), change);
  }
  const auto fold = plan_of(whole, {"folds.fold=2"}).identity();
  CHECK(plan_of(whole, {"folds.fold=2", "folds.min_images_for_query=5", "folds.distractors=other"})
            .identity() == fold);
  for (const auto* change : {"folds.fold=3", "folds.count=5", "folds.seed=9"}) {
    CHECK_MESSAGE(!(plan_of(whole, {"folds.fold=2", change}).identity() == fold), change);
  }
}

TEST_CASE("groups of parameters stand inside the optimizer's table") {
  const auto plan = plan_of(grouped);
  REQUIRE(plan.groups.size() == 2);
  CHECK(plan.groups[0].name == "head");
  CHECK(plan.groups[0].parameters == std::vector<std::string>{"head.*", "loss.*"});
  CHECK(plan.groups[0].location.str() == "r.toml:34:1");
  CHECK(plan.groups[0].pattern_locations.at(1).str() == "r.toml:36:25");
  CHECK(plan.groups[0].learning_rate_factor == 10);
  CHECK(plan.groups[0].bias_factor == 1);
  CHECK(plan.groups[0].weight_decay_factor == 1);
  CHECK(plan.groups[0].frozen_epochs == 0);
  CHECK(plan.groups[1].frozen_epochs == 5);
  CHECK(plan.optimizer.create({})->learning_rate() == 0.1);
  CHECK(plan_of(whole).groups.empty());
}

TEST_CASE("overrides edit a group by its name, and another type of optimizer begins without groups") {
  const auto plan =
      plan_of(grouped, {"optimizer.group.rest.frozen_epochs=2", "optimizer.group.head.enabled=false"});
  REQUIRE(plan.groups.size() == 1);
  CHECK(plan.groups[0].name == "rest");
  CHECK(plan.groups[0].frozen_epochs == 2);
  CHECK(
      errors_of(grouped, {"optimizer.group.heat.frozen_epochs=2"}) ==
      "--set optimizer.group.heat.frozen_epochs=2: error: 'group' has no entry 'heat'; did you mean 'head'?");
  CHECK(plan_of(whole, {"optimizer.group=[{ name = 'all', parameters = ['*'] }]"}).groups.size() == 1);
}

TEST_CASE("what is wrong with a group is an error at its place") {
  CHECK(
      errors_of(grouped, {"optimizer.group.head.learning_rate_factor=0", "optimizer.group.rest.bias_facter=2",
                          "optimizer.group.rest.parameters=[]"}) ==
      "--set optimizer.group.head.learning_rate_factor=0: error: group 'head': learning_rate_factor = 0 must "
      "be above 0\n"
      "--set optimizer.group.rest.bias_facter=2: error: group 'rest' has no parameter 'bias_facter'; did you "
      "mean 'bias_factor'?");
  CHECK(errors_of(grouped, {"optimizer.group.rest.parameters=[]"}) ==
        "--set optimizer.group.rest.parameters=[]: error: group 'rest': parameters = [] matches nothing; "
        "name at least one tensor, or set "
        "enabled = false");
  CHECK(error_of("optimizer.group=[{ parameters = ['*'] }]") ==
        "--set optimizer.group=[{ parameters = ['*'] }]: error: [[optimizer.group]] needs the parameter "
        "'name': name of the group in overrides and logs");
  CHECK(error_of("optimizer.group=[{ name = '', parameters = ['*'] }]") ==
        "--set optimizer.group=[{ name = '', parameters = ['*'] }]: error: [[optimizer.group]]: name = \"\" "
        "is not a name");
  CHECK(error_of("optimizer.group=[{ name = 'a' }]")
            .find("error: group 'a' needs the parameter 'parameters'") != std::string::npos);
  CHECK(errors_of(grouped, {"optimizer.group.rest.name=head"})
            .find("two entries of 'optimizer.group' have the name 'head'") != std::string::npos);
  CHECK(
      error_of("optimizer.group=3") ==
      "--set optimizer.group=3: error: 'optimizer.group' must be a list of tables, [[optimizer.group]], not "
      "a whole number");
}

TEST_CASE("a plan with groups and settings of training is frozen and read as the same plan") {
  const auto plan = plan_of(grouped, {"train.precision=bf16", "train.clip_gradient_norm=5",
                                      "train.ema_decay=0.999", "embed.precision=auto"});
  const auto text = write_recipe(plan.resolved());
  const auto again = plan_of(text);
  CHECK(again.resolved() == plan.resolved());
  CHECK(write_recipe(again.resolved()) == text);
  CHECK(text.find(
            "[optimizer]\ntype = \"sgd\"\nlearning_rate = 0.1\n\n[[optimizer.group]]\nname = \"head\"\n") !=
        std::string::npos);
  for (const auto* line : {"precision = \"bf16\"\n", "precision = \"auto\"\n", "clip_gradient_norm = 5.0\n",
                           "ema_decay = 0.999\n", "learning_rate_factor = 10.0\n", "frozen_epochs = 5\n"}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  }
  CHECK(again.train.precision == system::Precision::bf16);
  CHECK(again.embed.precision == system::Precision::automatic);
  CHECK(write_recipe(plan_of(whole).resolved()).find("group = []\n") != std::string::npos);
}

TEST_CASE("settings of training that cannot be are errors") {
  CHECK(error_of("train.ema_decay=1").find("error: [train]: ema_decay = 1 would never change the average") !=
        std::string::npos);
  CHECK(error_of("train.precision=fp8") ==
        "--set train.precision=fp8: error: [train]: precision = \"fp8\" is not 'fp32', 'fp16', 'bf16' or "
        "'auto'");
  CHECK(error_of("train.clip_gradient_norm=-1") ==
        "--set train.clip_gradient_norm=-1: error: [train]: clip_gradient_norm = -1 must be at least 0");
}

TEST_CASE("checking a plan shows what each group catches, and finds one that catches nothing") {
  const auto text = training::check_plan(plan_of(grouped));
  CHECK(text.find("\nGROUP       TENSORS  PARAMETERS  LEARNING RATE  WEIGHT DECAY  FROZEN\n"
                  "head        4        38          x 10           x 1\n"
                  "rest        2        32          x 1            x 1           5 epochs\n"
                  "all others  0        0           x 1            x 1\n") != std::string::npos);
  CHECK_THROWS_WITH_AS(static_cast<void>(training::check_plan(
                           plan_of(grouped, {"optimizer.group.rest.parameters=['heat.*']"}))),
                       doctest::Contains("group 'rest': 'heat.*' matches no parameter"), RecipeError);
}

TEST_CASE("checking a plan builds the network and shows on what each loss is") {
  CHECK(training::check_plan(plan_of(whole)) == R"(name          trial
seed          7
dataset       folder
augmentation  random_patch, again (random_patch)
sampler       plain
backbone      small
head          simple
optimizer     sgd
schedule      flat
metric        soon, late
epochs        60
parameters    50 in the network, 20 in the losses, for 2 identities

OUTPUT      KIND     DIM         LOSS x WEIGHT
logits      logits   identities  entropy x 1
descriptor  feature  8           hard x 0.5
)");
}

TEST_CASE("checking a plan finds a loss on an output that is not there, or of the wrong kind") {
  CHECK_THROWS_AS(static_cast<void>(training::check_plan(plan_of(whole, {"loss.hard.on=['g1']"}))),
                  RecipeError);
  CHECK_THROWS_AS(static_cast<void>(training::check_plan(plan_of(whole, {"loss.hard.on=['logits']"}))),
                  RecipeError);
}

TEST_CASE("a fold that is not there is an error") {
  CHECK(error_of("folds={ count = 3, fold = 4 }") ==
        "--set folds={ count = 3, fold = 4 }: error: [folds]: fold = 4 must be at most count = 3");
  CHECK(error_of("folds.count=1") == "--set folds.count=1: error: [folds]: count = 1 is outside [2, 1000]");
  CHECK(error_of("folds.min_images_for_query=1") ==
        "--set folds.min_images_for_query=1: error: [folds]: min_images_for_query = 1 must be at least 2");
}

TEST_CASE("checking a plan of a fold says so") {
  CHECK(training::check_plan(plan_of(whole, {"folds.fold=2"})).find("validation    fold 2 of 4\n") !=
        std::string::npos);
}

namespace {

std::vector<std::string> metrics_of(const RankingPlan& plan) {
  std::vector<std::string> metrics;
  for (const auto& choice : plan.metrics) {
    metrics.push_back(choice.name + " " + write_recipe(choice.factory->write(choice.params.get())));
  }
  return metrics;
}

}  // namespace

TEST_CASE("a recipe that lists no metric has the default ones in their order, whose parameters can be set") {
  using Metrics = std::vector<std::string>;
  const Metrics defaults{"soon depth = 0\n", "late depth = 0\n"};
  CHECK(metrics_of(plan_of(whole)) == defaults);
  CHECK(metrics_of(plan_of(whole, {"metric.late.depth=3"})) ==
        Metrics{"soon depth = 0\n", "late depth = 3\n"});
  CHECK(metrics_of(plan_of(std::string(whole) + "[metric.soon]\nenabled = false\n")) ==
        Metrics{"late depth = 0\n"});
  CHECK(error_of("metric.soon.depths=3") ==
        "--set metric.soon.depths=3: error: metric 'soon' has no parameter 'depths'; did you mean 'depth'?");
  CHECK(error_of("metric.sooon.depth=3") ==
        "--set metric.sooon.depth=3: error: 'metric' has no entry 'sooon'; did you mean 'soon'?");
}

TEST_CASE("metrics that a recipe lists are all that it has") {
  using Metrics = std::vector<std::string>;
  const auto listed = std::string(whole) +
                      "[[metric]]\ntype = 'listed'\n[[metric]]\ntype = 'late'\nname = 'deep'\ndepth = 2\n"
                      "[[metric]]\ntype = 'soon'\nenabled = false\n";
  CHECK(metrics_of(plan_of(listed)) == Metrics{"listed ", "deep depth = 2\n"});
  CHECK(metrics_of(plan_of(listed, {"metric.deep.depth=7"})) == Metrics{"listed ", "deep depth = 7\n"});
  CHECK(error_of("metric=[]")
            .find("--set metric=[]: error: the recipe has no metric left, so nothing would be said of its "
                  "rankings; "
                  "choose 'late', 'listed' or 'soon', or take 'metric' out for the default ones") == 0);
  CHECK(error_of("metric=[{type='good'}]") ==
        "--set metric=[{type='good'}]: error: unknown metric 'good'; choose 'late', 'listed' or 'soon'");
  CHECK(error_of("metric=3") ==
        "--set metric=3: error: 'metric' must be a list of tables, [[metric]], not a whole number");
}

TEST_CASE("the resolved recipe lists the metrics with every parameter") {
  const auto plan = plan_of(whole, {"metric.late.depth=3"});
  const auto text = write_recipe(plan.resolved());
  CHECK(text.find("[[metric]]\ntype = \"soon\"\ndepth = 0\n\n[[metric]]\ntype = \"late\"\ndepth = 3\n") !=
        std::string::npos);
  CHECK(metrics_of(plan_of(text)) == metrics_of(plan));
}

TEST_CASE("keys that metrics have taken over say where they went") {
  CHECK(error_of("evaluate.map_depth=200") ==
        "--set evaluate.map_depth=200: error: [evaluate] has no 'map_depth'; it is the parameter "
        "'depth' of a metric, in a table [metric.NAME]: `kindred list` shows the metrics");
  CHECK(error_of("evaluate.ranks=[1, 20]").find("it is the parameter 'ranks' of a metric") !=
        std::string::npos);
  CHECK(error_of("evaluate.false_positive_rates=[0.1]").find("it is the parameter 'false_positive_rates'") !=
        std::string::npos);
}
