#include "study/study.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fake_components.h"
#include "study/run_study.h"
#include "study/study_runs.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::study;
using namespace kindred::test;

namespace {

const std::string base_recipe = R"(seed = 7
[dataset]
type = "folder"
root = "data"
[[augmentation]]
type = "random_patch"
)" + std::string(fake_model);

constexpr const char* whole = R"(recipe = "base.toml"
seeds = [1, 2]
folds = [1, 3]
set.train.epochs = 30

[[variant]]
name = "off"
set.augmentation.random_patch.enabled = false

[[axis]]
key = "augmentation.random_patch.prob"
values = [0.1, 0.5]
)";

/// A study beside a recipe.
class StudyFolder {
 public:
  explicit StudyFolder(const std::string& study) {
    folder_.write("base.toml", base_recipe);
    file_ = folder_.write("s.toml", study);
  }
  [[nodiscard]] Study read() const { return read_study(file_); }
  [[nodiscard]] std::vector<StudyRun> runs(const std::vector<std::string>& overrides = {}) const {
    static const Catalog catalog = fake_catalog();
    return plan_runs(read(), overrides, catalog);
  }
  /// What is wrong, with files as they are called in the folder.
  [[nodiscard]] std::string errors(const std::vector<std::string>& overrides = {}) const {
    return folder_.without(message_of<RecipeError>([&] { static_cast<void>(runs(overrides)); }));
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path file_;
};

std::string errors_of(const std::string& study, const std::vector<std::string>& overrides = {}) {
  return StudyFolder(study).errors(overrides);
}

std::vector<std::string> folders_of(const std::vector<StudyRun>& runs) {
  std::vector<std::string> folders;
  for (const auto& run : runs) folders.push_back(run.folder.string());
  return folders;
}

const std::string one_arm = "recipe = 'base.toml'\n[[variant]]\nname = 'a'\n";

TEST_CASE("a study is every variant with every seed and fold, in folders that say which") {
  const auto runs = StudyFolder(whole).runs();
  CHECK(folders_of(runs) ==
        std::vector<std::string>{"off/seed1_fold1", "prob=0.1/seed1_fold1", "prob=0.5/seed1_fold1",
                                 "off/seed1_fold3", "prob=0.1/seed1_fold3", "prob=0.5/seed1_fold3",
                                 "off/seed2_fold1", "prob=0.1/seed2_fold1", "prob=0.5/seed2_fold1",
                                 "off/seed2_fold3", "prob=0.1/seed2_fold3", "prob=0.5/seed2_fold3"});
  for (const auto& run : runs) {
    CHECK(run.plan.train.epochs == 30);
    CHECK(run.plan.seed == static_cast<std::uint64_t>(*run.seed));
    CHECK(run.plan.folds.fold == *run.fold);
    CHECK(run.plan.augmentations.size() == (run.variant == 0 ? 0 : 1));
  }
  CHECK(runs[2].plan.resolved() == StudyFolder(whole).runs()[2].plan.resolved());
}

TEST_CASE("axes are combined, the last changing fastest, and called by whole keys where they end alike") {
  const auto folders = [](const std::string& first, const std::string& second) {
    return folders_of(StudyFolder("recipe = 'base.toml'\n[[axis]]\nkey = '" + first +
                                  "'\nvalues = [1, 2]\n[[axis]]\nkey = '" + second + "'\nvalues = [3, 4]\n")
                          .runs());
  };
  CHECK(folders("train.epochs", "ranking.top") ==
        std::vector<std::string>{"epochs=1,top=3", "epochs=1,top=4", "epochs=2,top=3", "epochs=2,top=4"});
  CHECK(folders("augmentation.random_patch.size", "backbone.size").front() ==
        "augmentation.random_patch.size=1,backbone.size=3");
}

TEST_CASE("an axis takes texts and truths too") {
  CHECK(folders_of(StudyFolder("recipe = 'base.toml'\n[[axis]]\nkey = 'train.precision'\n"
                               "values = ['fp32', 'bf16']\n[[axis]]\nkey = 'embed.flip_test'\n"
                               "values = [true]\n")
                       .runs()) ==
        std::vector<std::string>{"precision=fp32,flip_test=true", "precision=bf16,flip_test=true"});
}

TEST_CASE("without seeds and folds a run is its variant, and without variants the recipe itself") {
  CHECK(folders_of(StudyFolder(one_arm).runs()) == std::vector<std::string>{"a"});
  const auto runs = StudyFolder("recipe = 'base.toml'\nseeds = [4, 2]\n").runs();
  CHECK(folders_of(runs) == std::vector<std::string>{"seed4", "seed2"});
  CHECK(StudyFolder(one_arm).runs()[0].plan.seed == 7);
  CHECK(StudyFolder(one_arm).runs()[0].plan.folds.fold == 0);
}

TEST_CASE("all folds of a recipe are a study of one variant") {
  const StudyFolder study(one_arm);
  static const Catalog catalog = fake_catalog();
  const auto runs = plan_runs(all_folds(study.read().recipe, 3), {"folds.count=3"}, catalog);
  CHECK(folders_of(runs) == std::vector<std::string>{"fold1", "fold2", "fold3"});
  CHECK(runs[2].plan.folds.fold == 3);
  CHECK(runs[2].plan.seed == 7);
}

TEST_CASE("overrides of the command line win over the study's") {
  CHECK(StudyFolder(whole).runs({"train.epochs=3"})[1].plan.train.epochs == 3);
  CHECK(errors_of(one_arm, {"augmentation.random_patch.prob=0.3", "augmentation.random_patch.type=flip"})
            .starts_with("--set augmentation.random_patch.prob=0.3: error: has no effect: "));
}

TEST_CASE("a variant may put another component in the place of one") {
  const auto runs = StudyFolder(one_arm + "set.augmentation.random_patch.type = 'flip'\n").runs();
  CHECK(runs[0].plan.augmentations[0].factory->info().name == "flip");
}

TEST_CASE("all errors of a study come at once, each with its place") {
  CHECK(errors_of("recipe = 3\nseed = [1]\nfolds = [0]\nset = 1\n[[variant]]\nnames = 'x'\n[[axis]]\n"
                  "key = 'a..b'\nvalues = []\n") ==
        "s.toml:1:10: error: a study: recipe = 3 must be text, not a whole number: write it in "
        "quotes\ns.toml:2:1: error: a study has no parameter 'seed'; did you mean 'seeds'?\ns.toml:3:10: "
        "error: a study: folds = [0]: 0 must be at least 1\ns.toml:4:7: error: 'set' must be a table of "
        "changes to the recipe, such as set.train.epochs = 30, not a whole number\ns.toml:6:1: error: "
        "[[variant]] has no parameter 'names'; did you mean 'name'?\ns.toml:5:1: error: [[variant]] needs "
        "the parameter 'name': name of the variant and of its folder\ns.toml:9:10: error: [[axis]] needs "
        "'values', a list of values of the key, such as [0.1, 0.3]\ns.toml:7:1: error: the key has an empty "
        "part; separate names with single dots, such as train.epochs");
}

TEST_CASE("a variant by its former key is an error that says the present one") {
  CHECK(errors_of("recipe = 'base.toml'\n[[arm]]\nname = 'a'\n").find("it is called 'variant' now") !=
        std::string::npos);
}

TEST_CASE("axes with more combinations than anybody trains are an error, and are not made") {
  std::string values = "[0";
  for (int i = 1; i < 200; ++i) values += ", " + std::to_string(i);
  std::string text = "recipe = 'base.toml'\n";
  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) {
    text += "[[axis]]\nkey = 'train." + name + "'\nvalues = " + values + "]\n";
  }
  CHECK(errors_of(text).find("the axes up to this one have 40000 combinations, and a study has at most 1000 "
                             "variants; give fewer values, or make several studies") != std::string::npos);
}

TEST_CASE("axes of one key, or of one within the other, are an error") {
  const auto errors = [](const std::string& first, const std::string& second) {
    return errors_of("recipe = 'base.toml'\n[[axis]]\nkey = '" + first +
                     "'\nvalues = [1]\n[[axis]]\nkey = '" + second + "'\nvalues = [2, 3]\n");
  };
  CHECK(errors("train.epochs", "train.epochs") ==
        "s.toml:5:1: error: the axis of 'train.epochs' replaces what the axis of 'train.epochs' sets; give a "
        "key one axis, with all its values");
  CHECK(errors("train", "train.epochs")
            .starts_with(
                "s.toml:5:1: error: the axis of 'train.epochs' replaces what the axis of 'train' sets"));
  CHECK(errors("train.epochs", "train")
            .starts_with(
                "s.toml:5:1: error: the axis of 'train' replaces what the axis of 'train.epochs' sets"));
  CHECK(errors("train.epochs", "ranking.top").empty());
}

TEST_CASE("what makes no study is an error") {
  CHECK(errors_of("recipe = 'base.toml'\n") ==
        "s.toml:1:1: error: the study varies nothing; give it [[variant]] or [[axis]], seeds or folds");
  CHECK(errors_of("recipe = 'base.toml'\nseeds = []\n").find("seeds = [] is empty; remove the key") !=
        std::string::npos);
  CHECK(errors_of("recipe = 'base.toml'\nseeds = [1, 2, 1]\n") ==
        "s.toml:2:16: error: seeds contains 1 twice");
  CHECK(errors_of(one_arm + "[[variant]]\nname = 'a'\n") ==
        "s.toml:4:1: error: two variants are called 'a'; give each its own name");
  CHECK(errors_of("variant = 1\nrecipe = 'base.toml'\n") ==
        "s.toml:1:11: error: 'variant' must be a list of tables, [[variant]], not a whole number");
  for (const std::string name : {"", "a/b", ".a", "study.md", " a"}) {
    CHECK(errors_of("recipe = 'base.toml'\n[[variant]]\nname = '" + name + "'\n")
              .find("is not a valid folder name: no '/'") != std::string::npos);
  }
  const std::string axis = "recipe = 'base.toml'\n[[axis]]\nkey = 'dataset.root'\nvalues = ";
  CHECK(errors_of(axis + "['a/b']\n") ==
        "s.toml:4:11: error: 'root=a/b' is not a valid folder name: no '/', not beginning with '.' or "
        "'study.', at most 200 characters; say it with [[variant]], which has a name");
  CHECK(errors_of(axis + "[[1]]\n").find("s.toml:4:11: error: a value of an axis must be a number") == 0);
  CHECK(errors_of(axis + "['a', 'a']\n") == "s.toml:4:16: error: values contains \"a\" twice");
  CHECK(errors_of("recipe = 'base.toml'\n[[axis]]\nkey = 'a=b'\nvalues = [1]\n") ==
        "s.toml:2:1: error: 'a=b' is not a valid key; write a key such as train.epochs");
}

TEST_CASE("a file that is missing is an error that names it") {
  CHECK(errors_of("recipe = 'none.toml'\nseeds = [1]\n") ==
        "none.toml: error: cannot read the recipe: No such file or directory");
  CHECK(message_of<RecipeError>([] { static_cast<void>(read_study("nowhere.toml")); }) ==
        "nowhere.toml: error: cannot read the study: No such file or directory");
  const TemporaryFolder folder;
  CHECK(message_of<RecipeError>([&] {
          static_cast<void>(read_study(folder.path()));
        }).find("it is a folder") != std::string::npos);
}

TEST_CASE("errors of all variants' recipes are told once each, with their places in the study") {
  CHECK(errors_of("recipe = 'base.toml'\nseeds = [1, 2]\nset.train.epoch = 3\n[[variant]]\nname = 'a'\n"
                  "set.head.bias = 1\n[[variant]]\nname = 'b'\nset.augmentation.random_path.prob = 1\n") ==
        "s.toml:6:17: error: head 'simple': bias = 1 must be true or false, not a whole number\n"
        "s.toml:3:11: error: [train] has no parameter 'epoch'; did you mean 'epochs'?\n"
        "s.toml:9:18: error: 'augmentation' has no entry 'random_path'; did you mean 'random_patch'?");
  CHECK(errors_of("recipe = 'base.toml'\nfolds = [2, 5]\n") ==
        "s.toml:2:13: error: [folds]: fold = 5 must be at most count = 4");
}

TEST_CASE("a component that is missing can be blamed on a plugin") {
  const StudyFolder study(one_arm + "set.sampler.type = 'other'\n");
  static const Catalog catalog = fake_catalog();
  CHECK_THROWS_AS(static_cast<void>(plan_runs(study.read(), {}, catalog)), recipe::MissingComponentError);
}

TEST_CASE("seeds and folds that the study names are nobody else's to change") {
  CHECK(errors_of(whole, {"seed=3", "folds.fold=1"}) ==
        "--set seed=3: error: the study already sets the seeds; remove one of the two\n"
        "--set folds.fold=1: error: the study already sets the folds; remove one of the two");
  CHECK(errors_of("recipe = 'base.toml'\nseeds = [1]\nset.seed = 4\n").find("s.toml:3:12: error: ") == 0);
  CHECK(StudyFolder(one_arm).runs({"seed=3", "folds.fold=2"})[0].plan.seed == 3);
}

TEST_CASE("variants that come to the same recipe are an error: one is measured in vain") {
  CHECK(errors_of(
            "recipe = 'base.toml'\n[[axis]]\nkey = 'augmentation.random_patch.prob'\nvalues = [0.1, 0.5]\n",
            {"augmentation.random_patch.prob=0.3"})
            .find("what it changes has no effect, or --set changes it once more") != std::string::npos);
  CHECK(errors_of("recipe = 'base.toml'\n[[variant]]\nname = 'a'\n[[variant]]\nname = 'b'\n"
                  "set.augmentation.random_patch.prob = 0.3\n") ==
        "s.toml:4:1: error: variant 'b' is the same recipe as variant 'a'; what it changes has no effect");
  CHECK(errors_of("recipe = 'base.toml'\nset.augmentation.random_patch.enabled = false\n[[axis]]\n"
                  "key = 'augmentation.random_patch.prob'\nvalues = [0.1, 0.5]\n") ==
        "s.toml:5:16: error: variant 'prob=0.5' is the same recipe as variant 'prob=0.1'; what it changes "
        "has no "
        "effect");
}

}  // namespace
