// Decoding and augmenting images, beside decoding alone and PyTorch's way; and whether it keeps up with a
// training.
#include <ATen/Parallel.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench_report.h"
#include "common.h"
#include "data/loader.h"
#include "data/planned_loader.h"
#include "jpeg_decoding.h"
#include "jpeg_files.h"
#include "kindred/core/error.h"
#include "model/population.h"
#include "model_choice.h"
#include "peer.h"
#include "progress/text_progress.h"
#include "speed/model_steps.h"
#include "speed/turns.h"
#include "system/device.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::bench {
namespace {

struct LoadOptions {
  ModelOptions model;
  std::string data;
  std::int64_t images = 512;
  std::int64_t height = 256;
  std::int64_t width = 128;
  double seconds = 5;
  std::int64_t repeats = 5;
  bool network = true;
  bool pytorch = false;
  std::string python = "python3";
  std::string json;
};

/// Batches of a list of samples, over and over.
std::vector<std::vector<std::size_t>> batches_of(std::size_t samples, std::int64_t batch,
                                                 std::int64_t count) {
  std::vector<std::vector<std::size_t>> batches(static_cast<std::size_t>(count));
  std::size_t next = 0;
  for (auto& own : batches) {
    for (std::int64_t i = 0; i < batch; ++i) own.push_back(next++ % samples);
  }
  return batches;
}

/// The project's loader, whose passes are as long as the turns: it works ahead within them alone.
class Loading final : public speed::Contestant {
 public:
  /// @param device where the images go
  Loading(const recipe::ExtractionPlan& plan, const Dataset& dataset, std::optional<std::int64_t> workers,
          std::int64_t batch, torch::Device device)
      : samples_(dataset.samples()),
        augmentations_(data::create_augmentations(plan)),
        options_(options_of(plan, workers, device)),
        loader_(dataset, samples_, augmentations_, options_, /*training=*/true),
        batch_(batch) {}
  [[nodiscard]] std::string name() const override {
    return std::string("decode and augment, the loader, ") +
           (options_.workers == 1 ? "1 worker" : std::to_string(options_.workers) + " workers");
  }
  [[nodiscard]] std::int64_t workers() const { return options_.workers; }
  [[nodiscard]] double run(std::int64_t steps) override {
    return seconds_of([&] {
      start(steps);
      while (loader_.next()) {
      }
    });
  }
  void start(std::int64_t steps) { loader_.start(batches_of(samples_.size(), batch_, steps), ++epoch_); }
  [[nodiscard]] std::optional<data::Batch> next() { return loader_.next(); }

 private:
  static data::LoaderOptions options_of(const recipe::ExtractionPlan& plan,
                                        std::optional<std::int64_t> workers, torch::Device device) {
    auto options = data::loader_options(plan, device);
    if (workers) options.workers = *workers;
    return options;
  }

  std::vector<Sample> samples_;
  std::vector<std::unique_ptr<Augmentation>> augmentations_;
  data::LoaderOptions options_;
  data::Loader loader_;
  std::int64_t batch_;
  std::int64_t epoch_ = 0;
};

/// Training with images of the loader, as a run has them.
class LoadedTraining final : public speed::Contestant {
 public:
  LoadedTraining(Loading& loading, training::Trainer& trainer, torch::Device device)
      : loading_(loading), trainer_(trainer), device_(device) {}
  [[nodiscard]] std::string name() const override { return "train, with the loader"; }
  [[nodiscard]] double run(std::int64_t steps) override {
    return seconds_of([&] {
      loading_.start(steps);
      for (;;) {
        const double before = progress::monotonic_seconds();
        const auto batch = loading_.next();
        if (!batch) break;
        if (!system::is_busy(device_)) waited_ += progress::monotonic_seconds() - before;
        const auto images = static_cast<std::int64_t>(batch->samples.size());
        trainer_.step(batch->images,
                      speed::synthetic_labels(images, trainer_.model().population().identities), 1,
                      static_cast<std::int64_t>(batch->index), 0.01);
        worked_ += progress::monotonic_seconds() - before;
      }
      system::wait_for(device_);
    });
  }
  /// Of the time, from 0 to 1.
  [[nodiscard]] double waiting() const { return worked_ > 0 ? waited_ / worked_ : 0; }

 private:
  Loading& loading_;
  training::Trainer& trainer_;
  torch::Device device_;
  double waited_ = 0;
  double worked_ = 0;
};

nlohmann::json peer_load_work(const std::vector<std::filesystem::path>& files, const LoadOptions& options,
                              const speed::BatchShape& shape) {
  auto names = nlohmann::json::array();
  for (const auto& file : files) names.push_back(file.string());
  return {{"task", "load"},         {"files", names},       {"batch", options.model.batch},
          {"height", shape.height}, {"width", shape.width}, {"threads", 1}};
}

/// What the loader does after decoding: "resize, horizontal_flip".
std::string augmentations_text(const recipe::ExtractionPlan& plan) {
  std::string text;
  for (const auto& choice : plan.augmentations) {
    text += (text.empty() ? "" : ", ") + choice.factory->info().name;
  }
  return text.empty() ? "none" : text;
}

int run_load(LoadOptions options) {
  if (options.model.recipe.empty() && options.model.name.empty()) options.model.name = "resnet50";
  if (options.network && options.model.batch < 2) {
    throw Error(
        "bench: error: --batch 1 cannot be trained with: batch norms need two images; add --no-network");
  }
  require_writable(options.json);
  const auto plugins = bench_plugins();
  const auto chosen = choose_model(options.model, plugins.catalog);
  const auto shape = speed::batch_shape(chosen.plan, options.model.batch, /*at_test_time=*/false);
  const ScratchFolder scratch;
  const auto files = options.data.empty()
                         ? write_synthetic_jpegs(scratch.path(), options.images, options.height,
                                                 options.width, plugins.catalog)
                         : jpegs_of(options.data, options.images);
  const JpegDataset dataset(files);
  const auto threads = static_cast<std::int64_t>(at::get_num_threads());

  std::vector<std::unique_ptr<speed::Contestant>> sides;
  const auto add_decoding = [&](JpegDecoder decoder, std::int64_t count) {
    sides.push_back(std::make_unique<JpegDecoding>(files, decoder, count, options.model.batch));
  };
  for (const auto decoder : {JpegDecoder::opencv, JpegDecoder::turbojpeg}) {
    if (decoder == JpegDecoder::turbojpeg && !has_turbojpeg()) continue;
    add_decoding(decoder, 1);
    if (threads > 1) add_decoding(decoder, threads);
  }
  const auto one = sides.size();
  const auto loading_by = [&](std::optional<std::int64_t> workers) {
    return std::make_unique<Loading>(chosen.plan, dataset, workers, options.model.batch,
                                     chosen.computing.device);
  };
  sides.push_back(loading_by(1));
  auto default_loading = loading_by(std::nullopt);
  auto* loading = default_loading.get();
  sides.push_back(std::move(default_loading));
  auto machine = machine_json(chosen.computing.device);
  std::optional<std::size_t> pytorch;
  std::string remark;
  if (options.pytorch) {
    auto peer =
        std::make_unique<Peer>("decode and augment, PIL and PyTorch, 1 thread",
                               pytorch_command(options.python), peer_load_work(files, options, shape));
    for (const auto* key : {"torch", "python", "pillow", "transforms"}) {
      machine[key == std::string("torch") ? "pytorch" : key] = peer->about().at(key);
    }
    remark = "PyTorch's side: Pillow " + peer->about().at("pillow").get<std::string>() + ", " +
             peer->about().at("transforms").get<std::string>() +
             "; resize, flip, pad and crop, normalize. Kindred's loader: " + augmentations_text(chosen.plan);
    pytorch = sides.size();
    sides.push_back(std::move(peer));
  }
  std::cout << "load " << files.size() << " JPEGs ("
            << (options.data.empty()
                    ? "synthetic, " + std::to_string(options.height) + " x " + std::to_string(options.width)
                    : options.data)
            << ") for " << chosen.title << ", batch " << shape.images << " of " << shape.height << " x "
            << shape.width << ", " << system::device_text(chosen.computing.device) << '\n'
            << std::flush;

  std::vector<speed::Contestant*> all;
  for (const auto& side : sides) all.push_back(side.get());
  const auto times = speed::in_turns(all, {.turns = options.repeats, .seconds = options.seconds});
  text::TextTable table;
  table.heads = {"", "IMAGES/S", "LOWEST", "HIGHEST"};
  table.widths.assign(table.heads.size() - 1, 60);
  nlohmann::json report = {{"benchmark", "load"},
                           {"machine", machine},
                           {"model", chosen.title},
                           {"augmentations", augmentations_text(chosen.plan)},
                           {"data", options.data.empty() ? "synthetic" : options.data},
                           {"images", files.size()},
                           {"batch", shape.images},
                           {"height", shape.height},
                           {"width", shape.width},
                           {"sides", nlohmann::json::array()},
                           {"ratios", nlohmann::json::object()}};
  const auto add = [&](const speed::Contestant& side, const speed::StepTimes& own) {
    const auto rate = own.spread().rate(static_cast<double>(shape.images));
    table.rows.push_back({side.name(), number(rate.median, 1), number(rate.low, 1), number(rate.high, 1)});
    report["sides"].push_back(side_json(side.name(), own, shape.images));
  };
  for (std::size_t i = 0; i < all.size(); ++i) add(*all[i], times[i]);
  std::string lines;
  const auto share = speed::ratio_of(times[one], times[0]);
  report["ratios"]["loader_of_opencv_decoding"] = spread_json(share);
  lines += "a worker of the loader is " + spread_text(share) + " times as fast as OpenCV's decoding alone\n";
  if (pytorch) {
    const auto ratio = speed::ratio_of(times[one], times[*pytorch]);
    report["ratios"]["loader_of_pytorch"] = spread_json(ratio);
    lines +=
        "a worker of the loader is " + spread_text(ratio) + " times as fast as a thread of PIL and PyTorch\n";
  }
  if (options.network) {
    speed::TrainSteps steps(chosen.plan, chosen.model, shape, chosen.computing.device);
    LoadedTraining loaded(*loading, steps.trainer(), chosen.computing.device);
    const auto training = speed::in_turns(
        {&steps, &loaded}, {.warm_up = 1, .turns = options.repeats, .seconds = options.seconds});
    const auto rate = training[0].spread().rate(static_cast<double>(shape.images));
    table.rows.push_back(
        {"train, images in memory", number(rate.median, 1), number(rate.low, 1), number(rate.high, 1)});
    report["sides"].push_back(side_json("train, images in memory", training[0], shape.images));
    add(loaded, training[1]);
    const double capacity =
        times[one + 1].spread().rate(static_cast<double>(shape.images)).median / rate.median;
    const auto cost = speed::ratio_of(training[0], training[1]);
    report["profile"] = {{"loader_of_training", capacity},
                         {"waiting_for_images", loaded.waiting()},
                         {"step_with_loader_of_step", spread_json(cost)}};
    lines += "the loader with " + std::to_string(loading->workers()) + " workers, its default, can feed " +
             number(capacity, 1) + " such trainings; with it the training waits " +
             text::percent_text(loaded.waiting()) + " of its time for images, and a step takes " +
             spread_text(cost) + " times as long as with images in memory\n";
  }
  std::cout << table.str() << lines;
  if (!remark.empty()) std::cout << remark << '\n';
  write_json(options.json, report);
  return 0;
}

}  // namespace

void add_load(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<LoadOptions>();
  auto* command = app.add_subcommand(
      "load", "Images a second of decoding and augmenting, and whether a training waits for them");
  add_model_options(*command, options->model);
  auto* data = command->add_option("--data", options->data, "A folder with JPEGs; without it synthetic ones")
                   ->check(CLI::ExistingDirectory);
  command->add_option("--images", options->images, "Files that are read over and over")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--height", options->height, "Of synthetic images")
      ->check(CLI::Range(16, 4096))
      ->excludes(data)
      ->capture_default_str();
  command->add_option("--width", options->width, "Of synthetic images")
      ->check(CLI::Range(16, 4096))
      ->excludes(data)
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "About how long each side is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--repeats", options->repeats, "Turns of each side")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("!--no-network", options->network, "Do not train beside the loader");
  auto* pytorch = command->add_flag("--pytorch", options->pytorch,
                                    "Measure PIL and PyTorch's transforms as well, in turns");
  command->add_option("--python", options->python, "The Python that has PyTorch and Pillow")
      ->needs(pytorch)
      ->capture_default_str();
  command->add_option("--json", options->json, "Write all figures to this file");
  command->callback([options, &chosen] { chosen = [options] { return run_load(*options); }; });
}

}  // namespace kindred::bench
