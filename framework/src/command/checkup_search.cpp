#include <ATen/Parallel.h>
#include <torch/nn/functional/normalization.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "command/checkup_steps.h"
#include "kindred/core/error.h"
#include "kindred/role/labeler.h"
#include "kindred/role/post_processor.h"
#include "kindred/search/nearest_rows.h"
#include "progress/text_progress.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "ranking/post_processing.h"
#include "ranking/search_host.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "results/evaluation.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

struct SearchSize {
  const char* name;
  std::int64_t queries;
  std::int64_t gallery;
  std::int64_t dim;
  std::int64_t people;

  [[nodiscard]] std::string text() const {
    return text::grouped_digits(queries) + " x " + text::grouped_digits(gallery) + " x " +
           text::grouped_digits(dim);
  }
};

/// Of people that do not exist: rows of length 1 that vary in few dimensions, so that strangers are often
/// nearer than images of one person, as with real descriptors. The same every time.
ranking::SearchInput made_descriptors(const SearchSize& size) {
  constexpr std::int64_t dimensions = 24;
  constexpr std::int64_t at_once = 4096;
  torch::manual_seed(5);
  const auto spread = torch::randn({dimensions, size.dim}) / std::sqrt(static_cast<double>(dimensions));
  const auto points = torch::randn({size.people, dimensions});
  const auto rows = size.queries + size.gallery;
  ranking::SearchInput input;
  input.query_file = "query";
  input.gallery_file = "gallery";
  input.descriptors = torch::empty({rows, size.dim});
  for (std::int64_t first = 0; first < rows; first += at_once) {
    const auto last = std::min(first + at_once, rows);
    const auto own = points.index_select(0, torch::arange(first, last) % size.people);
    const auto values = torch::mm(own + 0.7 * torch::randn(own.sizes()), spread) +
                        0.05 * torch::randn({last - first, size.dim});
    input.descriptors.slice(0, first, last)
        .copy_(
            torch::nn::functional::normalize(values, torch::nn::functional::NormalizeFuncOptions().dim(1)));
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    Sample sample;
    sample.split = i < size.queries ? Split::query : Split::gallery;
    sample.path = std::to_string(i) + ".jpg";
    sample.identity = i % size.people;
    sample.camera = (i / size.people) % 6;
    (i < size.queries ? input.query : input.gallery).push_back(std::move(sample));
  }
  return input;
}

/// A copy that a search may take over.
ranking::SearchInput copy_of(const ranking::SearchInput& input) {
  auto copy = input;
  copy.descriptors = input.descriptors.clone();
  return copy;
}

/// The plain way: the CPU with one thread.
template <class Compute>
auto with_one_thread(const Compute& compute) {
  struct Threads {
    int before = at::get_num_threads();
    Threads() { at::set_num_threads(1); }
    ~Threads() { at::set_num_threads(before); }
  } const one;
  return compute();
}

recipe::RankingPlan plan_with(const std::string& post_processor, const Catalog& catalog) {
  const std::string text =
      post_processor.empty() ? "" : "[[post_processor]]\ntype = " + Value(post_processor).to_toml() + "\n";
  return recipe::choose_ranking(recipe::parse_recipe(text, "the checkup's search", {}), catalog);
}

/// Whether it makes distances, and can be made without being told anything.
bool makes_distances(const recipe::RankingPlan& plan) {
  const auto made = ranking::create_post_processors(plan);
  return made.front()->step() == PostProcessor::Step::distances;
}

struct Searched {
  torch::Tensor distances;
  results::Evaluation scores;
};

Searched search(const ranking::SearchInput& input, const recipe::RankingPlan& plan, torch::Device device) {
  progress::SilentProgress silent;
  auto taken = copy_of(input);
  const auto distances = ranking::post_process(plan, taken, device, silent);
  Searched result;
  result.distances = distances(0, static_cast<std::int64_t>(input.query.size())).clone();
  result.scores = ranking::evaluate_search(copy_of(input), plan, device, silent);
  return result;
}

double difference_of_scores(const results::Evaluation& found, const results::Evaluation& expected) {
  double worst = 0;
  for (const auto& figure : expected.figures) {
    const auto* other = found.find(figure.info.name);
    if (other == nullptr) return 1;
    if (std::isnan(other->value) && std::isnan(figure.value)) continue;
    const double one = std::abs(other->value - figure.value);
    if (std::isnan(one)) return one;  // a figure that only one of them has
    worst = std::max(worst, one);
  }
  return worst;
}

CheckList::Finding same_search(const ranking::SearchInput& input, const recipe::RankingPlan& plan,
                               torch::Device device) {
  const auto expected = with_one_thread([&] { return search(input, plan, torch::kCPU); });
  const auto found = search(input, plan, device);
  const double distances = (found.distances - expected.distances).abs().max().item<double>();
  const double scores = difference_of_scores(found.scores, expected.scores);
  return {
      "distances " + text::significant_text(distances, 2) + ", scores " + text::significant_text(scores, 2),
      distances <= 1e-5 && scores <= 1e-5,
      "distances or scores differ from those that the CPU gives with one thread"};
}

CheckList::Finding same_neighbors(const torch::Tensor& rows, torch::Device device) {
  NearestOptions options;
  options.count = 20;
  options.farthest = true;
  options.precision = SearchPrecision::float32;
  const auto expected = with_one_thread([&] { return nearest_rows(rows, options); });
  options.device = device;
  options.whole_rows = true;  // as GPUs search
  const auto found = nearest_rows(rows, options);
  const bool same = found.rows == expected.rows && found.distances == expected.distances &&
                    found.farthest == expected.farthest;
  return {same ? "the same" : "others", same,
          "the neighbors, or their distances, are not those that the CPU finds with one thread"};
}

CheckList::Finding same_labels(const ranking::SearchInput& input, const Labeler& labeler,
                               torch::Device device) {
  const auto label = [&](torch::Device on) {
    progress::SilentProgress silent;
    ranking::SearchHost host(input, {}, on, silent);
    return labeler.label({input.descriptors, static_cast<std::int64_t>(input.query.size()), {}}, host)
        .identities;
  };
  const auto expected = with_one_thread([&] { return label(torch::kCPU); });
  const auto found = label(device);
  std::int64_t others = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) others += found.at(i) == expected[i] ? 0 : 1;
  const auto identities = *std::max_element(expected.begin(), expected.end()) + 1;
  return {std::to_string(identities) + " identities, " + std::to_string(others) + " images differ",
          others == 0, "pseudo identities are not those that the CPU gives with one thread"};
}

}  // namespace

void check_searches(const Catalog& catalog, torch::Device device, CheckList& checks) {
  constexpr SearchSize small{"small", 150, 1500, 256, 75};
  const auto input = made_descriptors(small);
  checks.check("neighbors", "the same", [&] { return same_neighbors(input.descriptors, device); });
  checks.check("evaluation", "up to 1e-5",
               [&] { return same_search(input, plan_with("", catalog), device); });
  for (const auto* component : catalog.components(PostProcessor::role_name)) {
    const auto& name = component->info().name;
    recipe::RankingPlan plan;
    try {
      plan = plan_with(name, catalog);
      if (!makes_distances(plan)) continue;
    } catch (const RecipeError&) {
      continue;  // it needs files or other parameters
    }
    checks.check(name, "up to 1e-5", [&] { return same_search(input, plan, device); });
  }
  for (const auto* component : catalog.components(Labeler::role_name)) {
    const auto& name = component->info().name;
    std::unique_ptr<Labeler> labeler;
    try {
      Value recipe;
      Value table;
      table.as<Table>()->set("type", Value(name));
      recipe.as<Table>()->set("labeler", table);
      labeler = recipe::choose_component<Labeler>(recipe, catalog).create({});
    } catch (const RecipeError&) {
      continue;
    }
    checks.check(name, "0 images differ", [&] { return same_labels(input, *labeler, device); });
  }
}

void measure_search(const std::string& recipe, const Catalog& catalog, torch::Device device, bool quick,
                    CheckList& checks) {
  constexpr SearchSize market{"market", 3368, 15913, 2048, 637};
  constexpr SearchSize naic{"naic", 2900, 77000, 2048, 3080};
  const auto plan = recipe::choose_ranking(recipe::parse_recipe(recipe, "the checkup's search", {}), catalog);
  for (const auto& size : {market, naic}) {
    const auto name = plan.post_processors_text() + ", size of " + size.name;
    if (size.queries == naic.queries && quick && device.is_cpu()) {
      checks.leave_out(name, "left out by --quick");
      continue;
    }
    checks.check(name, "", [&]() -> CheckList::Finding {
      auto input = made_descriptors(size);
      progress::SilentProgress silent;
      const double start = progress::monotonic_seconds();
      const auto distances = ranking::post_process(plan, input, device, silent);
      const double found = progress::monotonic_seconds();
      const auto block = std::max<std::int64_t>(1, (std::int64_t{16} << 20) / size.gallery);
      for (std::int64_t first = 0; first < size.queries; first += block) {
        static_cast<void>(distances(first, std::min(first + block, size.queries)));
      }
      const double end = progress::monotonic_seconds();
      return {text::fixed_text(end - start, 2) + " s (" + text::fixed_text(found - start, 2) +
                  " s to find neighbors), " + size.text(),
              {}};
    });
  }
}

}  // namespace kindred::command
