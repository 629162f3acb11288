// Images a second of a model, in training and in extracting features.
#include <ATen/Parallel.h>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench_report.h"
#include "common.h"
#include "kindred/core/error.h"
#include "model_choice.h"
#include "peer.h"
#include "speed/machine_limits.h"
#include "speed/model_steps.h"
#include "speed/turns.h"
#include "system/device.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::bench {
namespace {

struct ModelBenchOptions {
  ModelOptions model;
  double seconds = 20;
  std::int64_t repeats = 5;
  bool pytorch = false;
  bool compile = true;
  std::string python = "python3";
  std::string json;
};

/// Kindred's side, which can say what it computes.
struct OwnSide {
  std::unique_ptr<speed::Contestant> steps;
  speed::NetworkWork work;
};

OwnSide own_side(const ChosenModel& chosen, const speed::BatchShape& shape, bool training) {
  if (training) {
    auto steps =
        std::make_unique<speed::TrainSteps>(chosen.plan, chosen.model, shape, chosen.computing.device);
    auto work = steps->work();
    return {std::move(steps), std::move(work)};
  }
  auto steps = std::make_unique<speed::EmbedSteps>(chosen.model, chosen.plan, shape, chosen.computing);
  auto work = steps->work();
  return {std::move(steps), std::move(work)};
}

/// PyTorch as it is, and with torch.compile where that works; why it does not is a remark.
std::vector<std::unique_ptr<Peer>> pytorch_sides(const ModelBenchOptions& options, nlohmann::json work,
                                                 std::string& remark) {
  const auto command = pytorch_command(options.python);
  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(std::make_unique<Peer>("PyTorch, eager", command, work));
  if (!options.compile) return peers;
  work["compile"] = true;
  try {
    peers.push_back(std::make_unique<Peer>("PyTorch, torch.compile", command, work));
  } catch (const Error& error) {
    remark = std::string("torch.compile does not work here: ") + error.what();
  }
  return peers;
}

int run_model_bench(const ModelBenchOptions& options, bool training) {
  const std::string task = training ? "train" : "embed";
  if (training && options.model.batch < 2) {
    throw Error("bench: error: --batch 1 cannot be trained with: batch norms need two images");
  }
  require_writable(options.json);
  const auto plugins = bench_plugins();
  const auto chosen = choose_model(options.model, plugins.catalog);
  const auto shape = speed::batch_shape(chosen.plan, options.model.batch, !training);
  const auto parameters = parameters_of(*chosen.model);
  const double forward = forward_flops(*chosen.model, shape, training);

  std::string remark;
  std::vector<std::unique_ptr<Peer>> peers;
  if (options.pytorch) {
    peers = pytorch_sides(options, peer_work(task, chosen, options.model, shape), remark);
    for (const auto& peer : peers) require_same_network(peer->about(), parameters, forward);
  }
  auto own = own_side(chosen, shape, training);
  std::vector<speed::Contestant*> sides = {own.steps.get()};
  for (const auto& peer : peers) sides.push_back(peer.get());

  auto machine = machine_json(chosen.computing.device);
  if (!peers.empty()) {
    machine["pytorch"] = peers.front()->about().at("torch");
    machine["python"] = peers.front()->about().at("python");
  }
  std::cout << task << ' ' << chosen.title << ", batch " << shape.images << " of " << shape.height << " x "
            << shape.width << ", " << system::precision_name(chosen.computing.precision) << ", "
            << text::count_text(at::get_num_threads(), "thread", "threads") << ", "
            << system::device_text(chosen.computing.device) << "\nLibTorch " << system::torch_version()
            << ", " << system::blas_name();
  if (!peers.empty()) std::cout << ", PyTorch " << machine["pytorch"].get<std::string>();
  std::cout << '\n'
            << text::count_text(parameters) << " parameters, " << number(forward / 1e9)
            << " GFLOP an image forwards, "
            << number(own.work.flops() / 1e9 / static_cast<double>(shape.images)) << " in a step\n"
            << std::flush;

  const auto times = speed::in_turns(sides, {.turns = options.repeats, .seconds = options.seconds});
  const auto alone = speed::time_alone(own.work);
  const double product = speed::product_flops_per_second(chosen.computing);
  const double copied = speed::copied_bytes_per_second(chosen.computing.device);

  const auto images = static_cast<double>(shape.images);
  // Of all FLOP, as if calls that could not be measured alone were as fast as the others.
  const double limit = alone.seconds > 0 ? images / alone.seconds * (alone.flops / own.work.flops()) : 0;
  text::TextTable table;
  table.heads = {"", "IMAGES/S", "LOWEST", "HIGHEST", "GFLOP/S", "OF THE LIMIT"};
  table.widths.assign(table.heads.size() - 1, 60);
  const auto row = [&](const std::string& name, const speed::Spread& rate) {
    const double flops = rate.median / images * own.work.flops();
    table.rows.push_back({name, number(rate.median), number(rate.low), number(rate.high),
                          number(flops / 1e9, 1), limit > 0 ? text::percent_text(rate.median / limit) : "-"});
  };
  nlohmann::json report = {{"benchmark", task},
                           {"machine", machine},
                           {"model", chosen.title},
                           {"batch", shape.images},
                           {"height", shape.height},
                           {"width", shape.width},
                           {"precision", system::precision_name(chosen.computing.precision)},
                           {"parameters", parameters},
                           {"forward_flops_per_image", forward},
                           {"step_flops_per_image", own.work.flops() / images},
                           {"limit",
                            {{"images_per_second", limit},
                             {"calls", own.work.calls.size()},
                             {"calls_left_out", alone.left_out},
                             {"product_flops_per_second", product},
                             {"copied_bytes_per_second", copied}}},
                           {"sides", nlohmann::json::array()},
                           {"ratios", nlohmann::json::object()}};
  for (std::size_t i = 0; i < sides.size(); ++i) {
    row(sides[i]->name(), times[i].spread().rate(images));
    report["sides"].push_back(side_json(sides[i]->name(), times[i], shape.images));
    report["sides"].back()["share_of_limit"] = limit > 0 ? times[i].spread().rate(images).median / limit : 0;
  }
  if (limit > 0) row("the limit: its products alone", {limit, limit, limit, 1});
  std::cout << table.str();
  for (std::size_t i = 1; i < sides.size(); ++i) {
    const auto ratio = speed::ratio_of(times[0], times[i]);
    report["ratios"][sides[i]->name()] = spread_json(ratio);
    std::cout << "Kindred is " << spread_text(ratio) << " times as fast as " << sides[i]->name() << ", "
              << ratio.count << " turns each\n";
  }
  if (alone.left_out > 0) {
    std::cout
        << alone.left_out << " of " << own.work.calls.size()
        << " different products could not be measured alone; they are taken to be as fast as the others\n";
  }
  if (!remark.empty()) {
    std::cout << remark << '\n';
    report["remark"] = remark;
  }
  std::cout << "the machine: products of matrices " << number(product / 1e9, 1) << " GFLOP/s, copies "
            << number(copied / 1e9, 1) << " GB/s\n";
  write_json(options.json, report);
  return 0;
}

void add_model_bench(CLI::App& app, Chosen& chosen, bool training) {
  const auto options = std::make_shared<ModelBenchOptions>();
  auto* command = training
                      ? app.add_subcommand("train", "Images a second of training steps, from memory")
                      : app.add_subcommand("embed", "Images a second of extracting features, from memory");
  add_model_options(*command, options->model);
  command->add_option("--seconds", options->seconds, "About how long each side is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--repeats", options->repeats, "Turns of each side")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* pytorch = command->add_flag("--pytorch", options->pytorch,
                                    "Measure the same in PyTorch, in turns (models mgn and resnet50)");
  command->add_flag("!--no-compile", options->compile, "Leave out torch.compile")->needs(pytorch);
  command->add_option("--python", options->python, "The Python that has PyTorch")
      ->needs(pytorch)
      ->capture_default_str();
  command->add_option("--json", options->json, "Write all figures to this file");
  command->callback([options, training, &chosen] {
    chosen = [options, training] { return run_model_bench(*options, training); };
  });
}

}  // namespace

void add_embed(CLI::App& app, Chosen& chosen) {
  add_model_bench(app, chosen, false);
}

void add_train(CLI::App& app, Chosen& chosen) {
  add_model_bench(app, chosen, true);
}

}  // namespace kindred::bench
