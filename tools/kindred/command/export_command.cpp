#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "command.h"
#include "command/export.h"
#include "common_options.h"
#include "session.h"
#include "text/number_text.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::ExportRequest request;
  std::string batch = "dynamic";
  std::string precision = "fp32";
  RecipeOptions recipe;
};

/// 0: not a number that is allowed.
std::int64_t images_of(const std::string& text) {
  std::int64_t images = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, images);
  constexpr std::int64_t most = 4096;
  const bool allowed = failure == std::errc() && rest == end && images >= 1 && images <= most;
  return allowed ? images : 0;
}

std::string wrong_batch(std::string& text) {
  if (text == "dynamic" || images_of(text) > 0) return "";
  return "'" + text + "' is not allowed; say 'dynamic' or a number of images from 1 to 4096";
}

std::string comparison_text(const command::ExportOutcome& outcome) {
  if (!outcome.why_not.empty()) return "NOT verified: " + outcome.why_not;
  char figures[96];
  std::snprintf(figures, sizeof(figures), "cosine at least %.7f, largest difference %.1e",
                outcome.least_cosine, outcome.largest_difference);
  return "verified by " + outcome.runtime + " on " + std::to_string(outcome.images) +
         (outcome.are_random ? " random" : "") + " images: " + figures;
}

int export_model(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto progress = session.make_progress();
  auto request = options.request;
  if (options.batch != "dynamic") request.batch = images_of(options.batch);
  request.half = options.precision == "fp16";
  request.overrides = options.recipe.overrides();
  if (const char* python = std::getenv("KINDRED_PYTHON"); python != nullptr && *python != '\0') {
    request.python = python;
  }
  const auto outcome = command::export_model(request, catalog, *progress);
  std::cout << request.out.string() << "  " << text::size_text(outcome.bytes) << '\n'
            << outcome.shapes << '\n';
  if (!outcome.preparation.empty()) std::cout << "images: " << outcome.preparation << '\n';
  std::cout << comparison_text(outcome) << '\n';
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("--weights", request.model, "The model file: model.safetensors")
      ->required()
      ->type_name("FILE");
  app.add_option("--to,--exporter", request.format,
                 "An exporter: onnx or torchscript; `kindred list` has all")
      ->required()
      ->type_name("FORMAT");
  app.add_option("--out", request.out, "The file to write, which does not exist: NAME.onnx, NAME.pt")
      ->required()
      ->type_name("FILE");
  app.add_option("--batch", options->batch, "Images in a batch: dynamic (any number), or a number")
      ->check(CLI::Validator(wrong_batch, ""))
      ->capture_default_str()
      ->type_name("dynamic|N");
  app.add_option("--precision", options->precision, "fp32 or fp16: of weights and computation")
      ->check(CLI::IsMember({"fp32", "fp16"}))
      ->capture_default_str()
      ->type_name("PRECISION");
  app.add_flag(
      "--with-preprocessing", request.with_preprocessing,
      "Take 8-bit RGB images of any size [N, H, W, 3]: resizing and normalizing become a part of the file");
  app.add_option("--images", request.images,
                 "A folder of images, or one, to compare the file with the model on [random images]")
      ->type_name("PATH");
  options->recipe.add_to(app, Computing::on_processors);
  return [options](Session& session) { return export_model(*options, session); };
}

}  // namespace

const Command export_command = {"export", "Write a trained model for other programs: ONNX, TorchScript",
                                add_options};

}  // namespace kindred::launcher
