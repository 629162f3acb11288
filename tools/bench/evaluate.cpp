// What evaluating rankings costs.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "common.h"
#include "made_features.h"
#include "ranking/evaluation.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"
#include "results/evaluation_text.h"
#include "system/device.h"

namespace kindred::bench {
namespace {

struct EvaluateOptions {
  std::string size = "market";
  std::int64_t threads = 0;
};

int evaluation(const EvaluateOptions& options) {
  const auto size = parse_size(options.size);
  const auto plugins = bench_plugins();
  const auto plan = recipe::choose_ranking(Value(), plugins.catalog);
  system::set_threads(options.threads);
  const auto input = made_features(size);
  const auto query = input.descriptors.slice(0, 0, size.queries);
  const auto gallery = input.descriptors.slice(0, size.queries);
  const auto cosine = ranking::cosine_distances(query, gallery);
  std::cout << "evaluation, " << size.text() << ", " << at::get_num_threads() << " threads, "
            << system::blas_name() << '\n';
  const auto whole = cosine(0, size.queries);
  const double computing = seconds_of([&] { static_cast<void>(cosine(0, size.queries)); });
  results::Evaluation scores;
  const double judging = seconds_of([&] {
    scores = ranking::evaluate(
        input.query, input.gallery,
        [&](std::int64_t first, std::int64_t last) { return whole.slice(0, first, last); },
        ranking::DistanceScale::cosine, plan);
  });
  const double both = seconds_of([&] {
    static_cast<void>(
        ranking::evaluate(input.query, input.gallery, cosine, ranking::DistanceScale::cosine, plan));
  });
  std::cout << "distances " << number(computing) << " s, evaluating them " << number(judging) << " s, both "
            << number(both) << " s\n"
            << results::evaluation_text(scores);
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<EvaluateOptions>();
  auto* command = app.add_subcommand("evaluate", "Time the evaluation of rankings");
  add_size(*command, options->size);
  add_threads(*command, options->threads);
  command->callback([options, &chosen] { chosen = [options] { return evaluation(*options); }; });
}

}  // namespace kindred::bench
