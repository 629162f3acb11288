// kindred-bench as a user starts it, with a tiny model.
#include <ATen/Context.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "model_choice.h"
#include "peer.h"
#include "plugin/plugin_loader.h"
#include "program.h"
#include "speed/model_steps.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const std::string tiny_recipe_file = std::string(source_directory) + "/tests/e2e/tiny.toml";

Outcome bench_outcome(std::vector<std::string> arguments, const TemporaryFolder& folder) {
  arguments.insert(arguments.begin(), std::string(build_directory) + "/bin/kindred-bench");
  return Program(std::move(arguments), folder.path()).wait();
}

/// What a benchmark of the tiny model writes to --json; its standard output goes to `out`.
nlohmann::json tiny_figures(std::vector<std::string> arguments, std::string& out) {
  const TemporaryFolder folder;
  const auto file = folder / "figures.json";
  arguments.insert(arguments.end(),
                   {"--threads", "1", "--seconds", "0.05", "--repeats", "2", "--json", file.string()});
  const auto outcome = bench_outcome(std::move(arguments), folder);
  INFO(outcome.err);
  REQUIRE(outcome.exit_code == 0);
  out = outcome.out;
  std::ifstream in(file);
  return nlohmann::json::parse(in);
}

void check_side(const nlohmann::json& side, double images) {
  const auto& rate = side.at("images_per_second");
  CHECK(rate.at("low").get<double>() > 0);
  CHECK(rate.at("low") <= rate.at("median"));
  CHECK(rate.at("median") <= rate.at("high"));
  REQUIRE(side.at("seconds_per_step").size() == 2);
  const double mean =
      (side.at("seconds_per_step")[0].get<double>() + side.at("seconds_per_step")[1].get<double>()) / 2;
  CHECK(rate.at("median").get<double>() == doctest::Approx(images / mean).epsilon(1e-6));
}

/// @param work of a step, as often as forwards at most
void check_model_figures(const nlohmann::json& figures, const std::string& out, double work) {
  CHECK(figures.at("batch") == 4);
  CHECK(figures.at("height") == 48);
  CHECK(figures.at("width") == 24);
  REQUIRE(figures.at("sides").size() == 1);
  const auto& side = figures.at("sides")[0];
  CHECK(side.at("name") == "Kindred");
  check_side(side, 4);
  const auto forward = figures.at("forward_flops_per_image").get<double>();
  const auto step = figures.at("step_flops_per_image").get<double>();
  // Without the gradient of the images.
  CHECK(step >= (work - 1) * forward);
  CHECK(step <= work * forward);
  const auto& limit = figures.at("limit");
  CHECK(limit.at("calls_left_out") == 0);
  CHECK(side.at("share_of_limit").get<double>() ==
        doctest::Approx(side.at("images_per_second").at("median").get<double>() /
                        limit.at("images_per_second").get<double>()));
  CHECK(limit.at("product_flops_per_second").get<double>() > 0);
  CHECK(limit.at("copied_bytes_per_second").get<double>() > 0);
  for (const auto* text :
       {"tiny.toml, batch 4 of 48 x 24, fp32, 1 thread,", "IMAGES/S", "OF THE LIMIT", "Kindred ",
        "the limit: its products alone", "the machine: products of matrices"}) {
    CHECK(out.find(text) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("embed measures a recipe's model") {
  std::string out;
  const auto figures = tiny_figures({"embed", tiny_recipe_file, "--batch", "4"}, out);
  CHECK(figures.at("benchmark") == "embed");
  CHECK(figures.at("step_flops_per_image") == figures.at("forward_flops_per_image"));
  check_model_figures(figures, out, 1);
}

TEST_CASE("train measures a recipe's model") {
  std::string out;
  const auto figures = tiny_figures({"train", tiny_recipe_file, "--batch", "4"}, out);
  CHECK(figures.at("benchmark") == "train");
  check_model_figures(figures, out, 3);
}

TEST_CASE("load measures decoding, the loader, and the training that it feeds") {
  std::string out;
  const auto figures = tiny_figures(
      {"load", tiny_recipe_file, "--batch", "4", "--images", "8", "--height", "64", "--width", "32"}, out);
  CHECK(figures.at("images") == 8);
  CHECK(figures.at("augmentations") == "resize, horizontal_flip, pad_crop, normalize");
  for (const auto& side : figures.at("sides")) check_side(side, 4);
  CHECK(figures.at("sides").size() >= 5);
  CHECK(figures.at("profile").at("loader_of_training").get<double>() > 0);
  const auto waiting = figures.at("profile").at("waiting_for_images").get<double>();
  CHECK(waiting >= 0);
  CHECK(waiting <= 1);
  for (const auto* text : {"decode alone, OpenCV, 1 thread", "decode and augment, the loader, 1 worker",
                           "train, with the loader", "of its time for images"}) {
    CHECK(out.find(text) != std::string::npos);
  }
}

TEST_CASE("options that do not fit are refused before anything is measured") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> arguments, const std::string& message) {
    const auto outcome = bench_outcome(std::move(arguments), folder);
    INFO(outcome.err);
    CHECK(outcome.exit_code != 0);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(message) != std::string::npos);
  };
  refused({"embed"}, "no model is given; name a recipe or a model file, or --model mgn or resnet50");
  refused({"embed", tiny_recipe_file, "--model", "mgn"}, "--model");
  refused({"embed", "--model", "other"}, "mgn");
  refused({"train", tiny_recipe_file, "--batch", "1"}, "--batch 1 cannot be trained with");
  refused({"embed", tiny_recipe_file, "--no-compile"}, "--pytorch");
  refused({"embed", tiny_recipe_file, "--pytorch", "--python", "/bin/true"},
          "PyTorch's side has the models mgn and resnet50");
  refused({"embed", "--model", "resnet50", "--set", "embed.flip_test=true", "--pytorch"}, "leave out --set");
  refused({"embed", "--model", "resnet50", "--pytorch", "--python", "/bin/false"}, "cannot import torch");
  refused({"load", tiny_recipe_file, "--data", folder.path().string()}, "there is no JPEG");
  refused({"embed", tiny_recipe_file, "--json", "/proc/none/figures.json"}, "/proc/none");
  refused({"embed", tiny_recipe_file, "--json", "/proc/version"}, "/proc/version");
  refused({"embed", tiny_recipe_file, "--json", folder.path().string()}, "is a folder");
  refused({"rerank", "--post", "gnn_rerank", "--numpy"}, "cannot be compared with 'gnn_rerank'");
  refused({"rerank", "--set", "post_processor.k_reciprocal.enabled=false"}, "there is nothing to measure");
  refused({"rerank", "--float64"}, "--numpy");
  refused({"search", "--index", "hnsw", "--set", "hnws.search=128"}, "hnws.search=128 is of no index");
  refused({"search", "--index", "hnsw", "--set", "hnsw"}, "hnsw is of no index");
}

namespace {

/// The line that begins so.
std::string line_of(const std::string& text, const std::string& start) {
  const auto at = ("\n" + text).find("\n" + start);
  REQUIRE(at != std::string::npos);
  return text.substr(at, text.find('\n', at) - at);
}

double last_number(const std::string& line) {
  const auto end = line.find_last_not_of(' ') + 1;
  return std::stod(line.substr(line.find_last_of(' ', end - 1)));
}

double number_before(const std::string& line, const std::string& mark) {
  return last_number(line.substr(0, line.find(mark)));
}

}  // namespace

TEST_CASE("rerank compares with NumPy in a folder of any name, and leaves nothing there") {
  const TemporaryFolder folder;
  const auto scratch = folder / "it's a folder";
  std::filesystem::create_directory(scratch);
  const std::string program = std::string(build_directory) + "/bin/kindred-bench";
  const std::vector<std::string> command = {
      "/usr/bin/env", "TMPDIR=" + scratch.string(), program, "rerank", "--size", "20x60x16", "--threads", "1",
      "--numpy"};
  if (!bench::run_program({"python3", "-c", "import numpy"})) {
    MESSAGE("skipped: python3 has no NumPy");
    return;
  }
  const auto single = Program(command, folder.path()).wait();
  INFO(single.err);
  CHECK(single.exit_code == 0);
  CHECK(single.out.find("NumPy, the published algorithm ") != std::string::npos);
  CHECK(single.out.find(" times as long; the largest difference of NumPy's distances is ") !=
        std::string::npos);
  // A little NumPy takes less than LibTorch, but for what it would have of the program that starts it.
  const auto numpy_peak = last_number(line_of(single.out, "NumPy, the published algorithm"));
  CHECK(numpy_peak > 1);
  CHECK(numpy_peak < number_before(line_of(single.out, "both "), " ("));
  auto in_double = command;
  in_double.push_back("--float64");
  const auto twice = Program(in_double, folder.path()).wait();
  INFO(twice.err);
  CHECK(twice.exit_code == 0);
  CHECK(twice.out.find("NumPy in 64 bits, as published") != std::string::npos);
  CHECK(twice.out.find("times as long") == std::string::npos);
  CHECK(std::filesystem::is_empty(scratch));
}

TEST_CASE("a GPU computes in a benchmark as the recipe's machine says it, and so does PyTorch's side") {
  const auto plugins = plugin::load_plugins({std::string(build_directory) + "/lib/kindred/plugins"});
  const auto& context = at::globalContext();
  for (const bool benchmark : {true, false}) {
    const bench::ModelOptions options{
        .name = "resnet50",
        .overrides = {std::string("machine.cudnn_benchmark=") + (benchmark ? "true" : "false"),
                      std::string("machine.tf32=") + (benchmark ? "all" : "off")},
        .identities = 5};
    const auto chosen = bench::choose_model(options, plugins.catalog);
    CHECK(context.benchmarkCuDNN() == benchmark);
    CHECK(context.allowTF32CuDNN() == benchmark);
    CHECK(context.allowTF32CuBLAS() == benchmark);
    bench::ModelOptions unchanged = options;
    unchanged.overrides.clear();
    const auto work = bench::peer_work("train", chosen, unchanged, {2, 64, 32});
    CHECK(work.at("cudnn_benchmark") == benchmark);
  }
}

namespace {

/// What starts PyTorch's side; nothing, with a message, where there is no PyTorch.
std::vector<std::string> found_pytorch_command() {
  const auto* named = std::getenv("KINDRED_PYTHON");
  const std::string python = named != nullptr ? named : "python3";
  try {
    return bench::pytorch_command(python);
  } catch (const std::exception&) {
    MESSAGE("skipped: '" << python << "' has no PyTorch; KINDRED_PYTHON names another");
    return {};
  }
}

}  // namespace

TEST_CASE("PyTorch's side trains with a batch of more people than there are identities") {
  const auto command = found_pytorch_command();
  if (command.empty()) return;
  bench::Peer peer("PyTorch", command,
                   {{"task", "train"},
                    {"model", "resnet50"},
                    {"identities", 2},
                    {"batch", 12},
                    {"height", 64},
                    {"width", 32},
                    {"threads", 1},
                    {"precision", "fp32"},
                    {"device", "cpu"},
                    {"cudnn_benchmark", false},
                    {"compile", false}});
  CHECK(peer.run(1) > 0);
}

TEST_CASE("PyTorch's networks have the parameters and FLOP of Kindred's") {
  const auto command = found_pytorch_command();
  if (command.empty()) return;
  const auto plugins = plugin::load_plugins({std::string(build_directory) + "/lib/kindred/plugins"});
  for (const std::string name : {"resnet50", "mgn"}) {
    const bench::ModelOptions options{.name = name, .batch = 2, .identities = 5};
    const auto chosen = bench::choose_model(options, plugins.catalog);
    for (const std::string task : {"embed", "train"}) {
      CAPTURE(name);
      CAPTURE(task);
      const auto shape = speed::batch_shape(chosen.plan, options.batch, task == "embed");
      bench::Peer peer("PyTorch", command, bench::peer_work(task, chosen, options, shape));
      CHECK_NOTHROW(bench::require_same_network(peer.about(), bench::parameters_of(*chosen.model),
                                                bench::forward_flops(*chosen.model, shape, task == "train")));
      if (name == "resnet50") CHECK(peer.run(1) > 0);
    }
  }
}
