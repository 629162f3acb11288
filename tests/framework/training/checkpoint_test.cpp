#include "training/checkpoint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "file/read_error.h"
#include "kindred/core/error.h"
#include "no_more_files.h"
#include "recipe/recipe.h"
#include "recipe/recipe_difference.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/loss_meter.h"
#include "training/run_directory.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

class Notes : public progress::ProgressSink {
 public:
  void update(const progress::Progress&) override {}
  void finish(const progress::Progress&) override {}
  void note(const std::string& note) override { text += note; }
  std::string text;
};

Checkpoint example(std::int64_t epoch) {
  Checkpoint checkpoint;
  checkpoint.epoch = epoch;
  checkpoint.batch = 17;
  checkpoint.identity = "seed = 1\n";
  checkpoint.data = "20 images, 0badcafe";
  checkpoint.metrics_position = 12345;
  checkpoint.last_loss = 0.1;
  checkpoint.environment = "LibTorch 1 on cpu with 2 threads";
  checkpoint.state.tensors = {{"a", torch::arange(100, torch::kFloat32)}};
  return checkpoint;
}

void replace_in(const fs::path& file, const std::string& what, const std::string& by) {
  auto bytes = read_bytes(file);
  const auto place = bytes.find(what);
  REQUIRE(place != std::string::npos);
  REQUIRE(what.size() == by.size());
  write_bytes(file, bytes.replace(place, what.size(), by));
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  Notes notes;
  CHECK(!read_checkpoint(file, notes));
  auto checkpoint = example(3);
  write_checkpoint(file, checkpoint);
  auto back = read_checkpoint(file, notes);
  REQUIRE(back.has_value());
  CHECK(back->epoch == 3);
  CHECK(back->batch == 17);
  CHECK(back->identity == checkpoint.identity);
  CHECK(back->data == checkpoint.data);
  CHECK(back->metrics_position == 12345);
  CHECK(!back->best_score);
  CHECK(back->last_loss == 0.1);
  CHECK(back->environment == checkpoint.environment);
  CHECK(torch::equal(*back->state.find("a"), checkpoint.state.tensors[0].second));
  checkpoint.evaluation = "best_by = \"mAP\"\n";
  checkpoint.best_score = 1.0 / 3;
  write_checkpoint(file, checkpoint);
  CHECK(read_checkpoint(file, notes)->evaluation == checkpoint.evaluation);
  CHECK(read_checkpoint(file, notes)->best_score == 1.0 / 3);
  CHECK(read_checkpoint_position(file)->best_score == 1.0 / 3);
  CHECK(notes.text.empty());
}

TEST_CASE("the checkpoint before is kept, and only that") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  for (int epoch = 1; epoch <= 4; ++epoch) write_checkpoint(file, example(epoch));
  CHECK(files_in(folder.path()) == 2);
  CHECK(read_checkpoint_position(file)->epoch == 4);
  CHECK(read_checkpoint_position(previous_checkpoint(file))->epoch == 3);
  CHECK(previous_checkpoint(file) == folder / "checkpoint.previous.safetensors");
}

TEST_CASE("a kill between keeping a checkpoint and writing the next leaves no file behind") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  write_checkpoint(file, example(1));
  fs::create_hard_link(file, previous_checkpoint(file));
  write_checkpoint(file, example(2));
  CHECK(read_checkpoint_position(previous_checkpoint(file))->epoch == 1);
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("a checkpoint that cannot be written leaves both older ones alone") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  write_checkpoint(file, example(1));
  write_checkpoint(file, example(2));
  auto impossible = example(3);
  impossible.state.tensors.emplace_back("b", torch::ones(1, torch::kComplexFloat));
  CHECK_THROWS_AS(write_checkpoint(file, impossible), DataError);
  CHECK(read_checkpoint_position(file)->epoch == 2);
  Notes notes;
  CHECK(read_checkpoint(file, notes)->epoch == 2);
}

TEST_CASE("a damaged checkpoint gives way to the previous one, which the next does not lose") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  write_checkpoint(file, example(1));
  write_checkpoint(file, example(2));
  auto bytes = read_bytes(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(file, bytes);
  Notes notes;
  for (int rank = 0; rank < 2; ++rank) {
    const auto found = read_checkpoint(file, notes);
    CHECK(found->epoch == 1);
    CHECK(found->is_previous);
  }
  restore_previous_checkpoint(file);
  CHECK_FALSE(read_checkpoint(file, notes)->is_previous);
  CHECK(notes.text.rfind("warning: " + file.string() + ": error: is damaged: its checksum is ", 0) == 0);
  CHECK(read_checkpoint_position(file)->epoch == 1);
  write_checkpoint(file, example(2));
  CHECK(read_checkpoint_position(previous_checkpoint(file))->epoch == 1);
}

TEST_CASE("a checkpoint that cannot be read is an error, and does not give way to the previous one") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  write_checkpoint(file, example(1));
  write_checkpoint(file, example(2));
  Notes notes;
  {
    const NoMoreFiles limit;
    CHECK_THROWS_AS(static_cast<void>(read_checkpoint(file, notes)), file::ReadError);
    CHECK_THROWS_AS(static_cast<void>(read_checkpoint_position(file)), file::ReadError);
  }
  fs::rename(file, folder / "elsewhere");
  {
    const NoMoreFiles limit;
    CHECK_THROWS_AS(static_cast<void>(read_checkpoint(file, notes)), file::ReadError);
  }
  fs::rename(folder / "elsewhere", file);
  CHECK(notes.text.empty());
  CHECK(read_checkpoint(file, notes)->epoch == 2);
}

TEST_CASE("a previous checkpoint serves when the newest is missing") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  write_checkpoint(previous_checkpoint(file), example(5));
  Notes notes;
  CHECK(read_checkpoint(file, notes)->epoch == 5);
  CHECK(notes.text.find("is missing; continuing from the previous checkpoint") != std::string::npos);
  restore_previous_checkpoint(file);
  CHECK(message_of<DataError>([&] { restore_previous_checkpoint(file); }).find("cannot be replaced") !=
        std::string::npos);
}

TEST_CASE("a file that is no checkpoint, of another format or without its checksum is refused by name") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  Notes notes;
  const auto message = [&] {
    return message_of<DataError>([&] { static_cast<void>(read_checkpoint(file, notes)); });
  };
  file::write_safetensors(file, {{{"a", torch::ones(1)}}, {}});
  CHECK(message().find("is not a checkpoint: it has no 'kindred.checkpoint'") != std::string::npos);
  CHECK(message().find("remove it to train from the start") != std::string::npos);
  file::write_safetensors(file, {{}, {{"kindred.checkpoint", "1"}}});
  CHECK(message().find("is a checkpoint of format 1; this version of Kindred reads format 2") !=
        std::string::npos);
  fs::remove(file);
  write_checkpoint(file, example(1));
  replace_in(file, "kindred.crc32", "kindred.crc33");
  CHECK(message().find("is damaged: it has no checksum") != std::string::npos);
  fs::remove(file);
  write_checkpoint(file, example(1));
  replace_in(file, "20 images", "21 images");
  CHECK(message().find("is damaged: its checksum is") != std::string::npos);
  write_bytes(file, "");
  CHECK(!read_checkpoint_position(file));
}

TEST_CASE("a checkpoint with numbers that none has is refused with what they are") {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  Notes notes;
  const auto refusal = [&](const auto& damage) {
    fs::remove(file);
    fs::remove(previous_checkpoint(file));
    auto checkpoint = example(1);
    damage(checkpoint);
    write_checkpoint(file, checkpoint);
    CHECK(!read_checkpoint_position(file));
    return message_of<DataError>([&] { static_cast<void>(read_checkpoint(file, notes)); });
  };
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal([&](auto& damaged) {
          damaged.last_loss = nan;
        }).find("is damaged: its 'last_loss' is 'nan', not a finite number") != std::string::npos);
  CHECK(refusal([](auto& damaged) {
          damaged.best_score = std::numeric_limits<double>::infinity();
        }).find("is damaged: its 'best_score' is 'inf', not a finite number") != std::string::npos);
  CHECK(refusal([](auto& damaged) {
          damaged.epoch = 0;
        }).find("is damaged: its 'epoch' is '0', not a number from 1 on") != std::string::npos);
  CHECK(refusal([](auto& damaged) {
          damaged.batch = -1;
        }).find("is damaged: its 'batch' is '-1', not a number from 0 on") != std::string::npos);
  CHECK(refusal([](auto& damaged) {
          damaged.metrics_position = -1;
        }).find("is damaged: its 'metrics_position' is '-1', not a number from 0 on") != std::string::npos);
}

TEST_CASE("a tensor that a checkpoint lacks is named") {
  const auto state = example(1).state;
  CHECK(torch::equal(state_tensor(state, "a", "x.safetensors"), torch::arange(100, torch::kFloat32)));
  CHECK(message_of<DataError>([&] { static_cast<void>(state_tensor(state, "b", "x.safetensors")); }) ==
        "x.safetensors: error: is not a checkpoint of this training: it has no 'b'");
}

TEST_CASE("a loss meter names the step and the terms that are not finite, however late it looks") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  LossMeter meter({"a(x)", "b(y)", "c(z)"}, 4);
  meter.add(torch::tensor({1.F, 2.F, 3.F, 6.F}), 2, 0, 0.1);
  CHECK(meter.means().empty());
  meter.add(torch::tensor({3.F, inf, -inf, 6.F}), 2, 1, 0.25);
  meter.add(torch::tensor({3.F, inf, -inf, 6.F}), 2, 2, 0.5);
  CHECK(message_of<Error>([&] { meter.add(torch::ones(4), 2, 3, 0.1); })
            .rfind("training: error: the loss is no longer finite in epoch 2, batch 2: 'b(y)' and 'c(z)'. "
                   "Lower the learning "
                   "rate, which was 0.25, ",
                   0) == 0);
  LossMeter sum({"a(x)"}, 1);
  CHECK(message_of<Error>([&] {
          sum.add(torch::tensor({1e38F, inf}), 1, 0, 0.1);
        }).find("batch 1: the sum of all terms.") != std::string::npos);
}

TEST_CASE("a loss meter's means are over the steps looked at, and its state comes back") {
  LossMeter meter({"a", "b"}, 2);
  meter.add(torch::tensor({1.F, 2.F, 3.F}), 1, 0, 0.1);
  meter.add(torch::tensor({3.F, 4.F, 8.F}), 1, 1, 0.1);
  meter.add(torch::tensor({5.F, 9.F, 4.F}), 1, 2, 0.1);
  CHECK(meter.means() == std::map<std::string, double>{{"loss", 5.5}, {"loss/a", 2}, {"loss/b", 3}});
  meter.flush();
  CHECK(meter.means().at("loss") == 5);
  LossMeter other({"a", "b"}, 1);
  CHECK(other.restore(meter.state()));
  CHECK(other.means() == meter.means());
  CHECK(!LossMeter({"a"}, 1).restore(meter.state()));
  CHECK(!other.restore(torch::ones(4)));
  meter.clear();
  CHECK(meter.means().empty());
  LossMeter one({"a"}, 1);
  one.add(torch::tensor({1.F, 0.5F}), 1, 0, 0.1);
  CHECK(one.means() == std::map<std::string, double>{{"loss", 0.5}});
}

TEST_CASE(
    "a loss meter follows the gradient's norm where it is asked to, and names the step where it is none") {
  LossMeter meter({"a", "b"}, 1, true);
  meter.add(torch::tensor({1.F, 2.F, 3.F, 7.F}), 1, 0, 0.1);
  meter.add(torch::tensor({1.F, 2.F, 3.F, 8.F}), 1, 1, 0.1);
  CHECK(meter.means() ==
        std::map<std::string, double>{{"gradient_norm", 7.5}, {"loss", 3}, {"loss/a", 1}, {"loss/b", 2}});
  LossMeter other({"a", "b"}, 1, true);
  CHECK(other.restore(meter.state()));
  CHECK(other.means() == meter.means());
  CHECK(!LossMeter({"a", "b"}, 1).restore(meter.state()));
  CHECK(message_of<Error>([&] {
          meter.add(torch::tensor({1.F, 2.F, 3.F, std::numeric_limits<float>::infinity()}), 2, 4, 0.25);
        })
            .rfind("training: error: the gradient is no longer finite in epoch 2, batch 5 and cannot be "
                   "clipped, although the "
                   "loss is finite. Lower the learning rate, which was 0.25, ",
                   0) == 0);
}

TEST_CASE("differences between recipes are told by key, entries of lists by name, order too") {
  const auto difference = [](const char* there, const char* here) {
    return recipe::differences_text(recipe::recipe_differences(recipe::parse_recipe(there, "a", {}),
                                                               recipe::parse_recipe(here, "b", {})));
  };
  CHECK(difference("a = 1\n[b]\nc = [1, 2]\n", "a = 1\n[b]\nc = [1, 2]\n").empty());
  CHECK(difference("a = 1\n[b]\nc = 'x'\n", "a = 2\n[b]\nd = 'x'\n") ==
        "\n  a: 1 there, 2 here\n  b.c: \"x\" there, not set here\n  b.d: not set there, \"x\" here");
  CHECK(difference("[[l]]\ntype = 'a'\n[[l]]\ntype = 'b'\nname = 'n'\np = 1\n",
                   "[[l]]\ntype = 'b'\nname = 'n'\np = 2\n[[l]]\ntype = 'a'\n") ==
        "\n  l: [a, n] there, [n, a] here\n  l.n.p: 1 there, 2 here");
  CHECK(difference("[[l]]\ntype = 'a'\np = 1\n[[l]]\ntype = 'a'\np = 1\n",
                   "[[l]]\ntype = 'a'\np = 1\n[[l]]\ntype = 'a'\np = 3\n") == "\n  l.a'.p: 1 there, 3 here");
  std::string many;
  for (int i = 0; i < 13; ++i) many += "k" + std::to_string(i) + " = 1\n";
  const auto text = difference(many.c_str(), "");
  CHECK(std::count(text.begin(), text.end(), '\n') == 11);
  CHECK(text.find("\n  and 3 more") != std::string::npos);
}

TEST_CASE("a run directory belongs to one process, until that has let go of it") {
  const TemporaryFolder folder;
  {
    const RunDirectory held(folder / "deep/run");
    CHECK(message_of<DataError>([&] { const RunDirectory second(folder / "deep/run"); }) ==
          (folder / "deep/run").string() + ": error: is in use by process " + std::to_string(::getpid()) +
              "; wait until it ends, or use another run directory");
  }
  const RunDirectory again(folder / "deep/run");
  CHECK(again.folder() == folder / "deep/run");
}

TEST_CASE("a run directory that cannot be made is named") {
  const TemporaryFolder folder;
  write_bytes(folder / "plain", "x");
  CHECK(message_of<DataError>([&] {
          const RunDirectory run(folder / "plain");
        }).rfind((folder / "plain").string(), 0) == 0);
  CHECK(message_of<DataError>([&] {
          const RunDirectory run(folder / "plain/run");
        }).find("Not a directory") != std::string::npos);
}

TEST_CASE("a resolved recipe gives the same plan, and what does not decide the result may change") {
  const auto catalog = tiny_catalog();
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto plan = tiny_plan(catalog);
  run.record_recipe(plan);
  CHECK(recipe::make_plan(recipe::load_recipe(run.recipe(), {}), catalog).resolved() == plan.resolved());
  run.record_recipe(tiny_plan(
      catalog, {"machine.threads=7", "name=other", "train.checkpoint_minutes=1", "loader.workers=9"}));
  CHECK(read_bytes(run.recipe()).find("threads = 7") != std::string::npos);
  run.record_recipe(tiny_plan(catalog, {"seed=5"}));  // nothing has been trained: nothing is bound
  run.record_recipe(plan);
  write_bytes(run.checkpoint(), "whatever");
  CHECK(message_of<DataError>([&] { run.record_recipe(tiny_plan(catalog, {"seed=4"})); }) ==
        run.folder().string() +
            ": error: belongs to another recipe; use another run directory, or revert these changes of the "
            "recipe:\n  seed: "
            "3 there, 4 "
            "here");
  CHECK(read_bytes(run.recipe()).find("seed = 3") != std::string::npos);
}
