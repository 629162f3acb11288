// What a post-processor costs beside the bare product and NumPy.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "common.h"
#include "file/npy.h"
#include "jpeg_files.h"
#include "kindred/core/error.h"
#include "made_features.h"
#include "memory.h"
#include "peer.h"
#include "ranking/evaluation.h"
#include "ranking/post_processing.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"
#include "results/evaluation_text.h"
#include "system/device.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::bench {
namespace {

struct RerankOptions {
  std::string size = "market";
  std::int64_t threads = 0;
  std::string device = "cpu";
  std::string post_processor = "k_reciprocal";
  std::vector<std::string> overrides;
  bool numpy = false;
  bool float64 = false;
  bool bare_product = true;
};

/// The product of all rows with all rows in 32 bits, by blocks, thrown away.
double bare_product_seconds(const torch::Tensor& descriptors, torch::Device device) {
  constexpr std::int64_t block = 4096;
  const at::NoTF32Guard all_bits;
  const auto rows = descriptors.to(device);
  auto out = torch::empty({block * block}, rows.options());
  const auto product = [&](std::int64_t i, std::int64_t j) {
    const auto a = rows.slice(0, i, std::min(i + block, rows.size(0)));
    const auto b = rows.slice(0, j, std::min(j + block, rows.size(0)));
    auto part = out.slice(0, 0, a.size(0) * b.size(0)).view({a.size(0), b.size(0)});
    at::mm_out(part, a, b.t());
  };
  product(0, 0);
  system::wait_for(device);
  return seconds_of([&] {
    for (std::int64_t i = 0; i < rows.size(0); i += block) {
      for (std::int64_t j = 0; j < rows.size(0); j += block) product(i, j);
    }
    system::wait_for(device);
  });
}

/// What rerank_reference.py measured.
struct NumpyRun {
  double seconds = 0;
  double peak_mib = 0;
  torch::Tensor distances;
};

NumpyRun run_numpy(const ranking::SearchInput& input, const torch::Tensor& descriptors,
                   const recipe::RankingPlan& plan, std::int64_t threads, bool float64) {
  const ScratchFolder scratch;
  const auto& folder = scratch.path();
  const auto queries = static_cast<std::int64_t>(input.query.size());
  file::write_npy(folder / "query.npy", descriptors.slice(0, 0, queries));
  file::write_npy(folder / "gallery.npy", descriptors.slice(0, queries));
  const auto& choice = plan.post_processors.front();
  const auto params = choice.factory->write(choice.params.get());
  const auto text = [&](const char* name) { return params.as<Table>()->find(name)->to_toml(); };
  // By which of them a BLAS goes depends on the BLAS, and each may be set already.
  std::vector<std::string> command = {"env"};
  for (const auto* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    command.push_back(std::string(name) + "=" + std::to_string(threads));
  }
  command.insert(command.end(),
                 {"python3", (scripts_folder() / "rerank_reference.py").string(), folder.string(), text("k1"),
                  text("k2"), text("lambda"), float64 ? "float64" : "float32"});
  if (!run_program(command)) {
    throw Error("bench: error: rerank_reference.py failed; it needs python3 and python3-numpy");
  }
  NumpyRun run;
  std::ifstream(folder / "cost.txt") >> run.seconds >> run.peak_mib;
  run.distances = file::read_npy(folder / "distances.npy").to(torch::kFloat);
  return run;
}

void require_comparable(const RerankOptions& options, const recipe::RankingPlan& plan) {
  if (plan.post_processors.empty()) {
    throw Error("bench: error: --set has disabled the post-processor, so there is nothing to measure");
  }
  if (options.numpy && options.post_processor != "k_reciprocal") {
    throw Error("bench: error: --numpy runs k-reciprocal re-ranking, which cannot be compared with '" +
                options.post_processor + "'; leave out --numpy, or --post");
  }
}

int rerank(const RerankOptions& options) {
  const auto size = parse_size(options.size);
  const auto plugins = bench_plugins();
  const auto plan = recipe::choose_ranking(
      recipe::parse_recipe("[[post_processor]]\ntype = \"" + options.post_processor + "\"\n", "bench",
                           options.overrides),
      plugins.catalog);
  require_comparable(options, plan);
  const auto device = system::resolve_device(options.device);
  system::set_threads(options.threads);
  const auto threads = static_cast<std::int64_t>(at::get_num_threads());
  std::cout << options.post_processor << ", " << size.text() << ", " << threads << " threads, "
            << system::blas_name() << ", " << system::device_text(device) << '\n';

  auto input = made_features(size);
  const auto descriptors = input.descriptors;
  const auto plain = ranking::evaluate(
      input.query, input.gallery,
      ranking::cosine_distances(descriptors.slice(0, 0, size.queries), descriptors.slice(0, size.queries)),
      ranking::DistanceScale::cosine, plan);
  const double held = held_mib();
  const double product = options.bare_product ? bare_product_seconds(descriptors, device) : 0;

  NotesOnly silent;
  reset_peak();
  DistanceBlock distances;
  const double preparing =
      seconds_of([&] { distances = ranking::post_process(plan, input, device, silent); });
  const auto block = std::max<std::int64_t>(1, (std::int64_t{16} << 20) / size.gallery);
  const double delivering = seconds_of([&] {
    for (std::int64_t first = 0; first < size.queries; first += block) {
      static_cast<void>(distances(first, std::min(first + block, size.queries)));
    }
  });
  const double whole_peak = peak_mib();
  const auto scores =
      ranking::evaluate(input.query, input.gallery, distances, ranking::DistanceScale::other, plan);

  text::TextTable table;
  table.heads = {"", "SECONDS", "OF THE PRODUCT", "PEAK MiB"};
  const auto figures = results::figures_of({&scores}, Prominence::headline);
  for (const auto& figure : figures) table.heads.push_back(figure.label);
  table.widths.assign(table.heads.size() - 1, 40);
  const auto row = [&](const std::string& what, double seconds, const std::string& peak) {
    table.rows.push_back({what, number(seconds), product > 0 ? number(seconds / product) : "-", peak});
  };
  const auto add_figures = [&](const results::Evaluation& evaluation) {
    for (const auto& figure : figures) {
      table.rows.back().push_back(results::figure_text(figure.kind, evaluation.find(figure.name)->value));
    }
  };
  if (product > 0) row("bare product, float32", product, "");
  row("neighbors and encoding", preparing, "");
  row("distances", delivering, "");
  row("both", preparing + delivering, number(whole_peak, 0) + " (" + number(held, 0) + " before)");
  add_figures(scores);
  table.rows.push_back({"descriptors only", "", "", ""});
  add_figures(plain);
  if (options.numpy) {
    const auto numpy = run_numpy(input, descriptors, plan, threads, options.float64);
    row(options.float64 ? "NumPy in 64 bits, as published" : "NumPy, the published algorithm", numpy.seconds,
        number(numpy.peak_mib, 0));
    double difference = 0;
    for (std::int64_t first = 0; first < size.queries; first += block) {
      const auto last = std::min(first + block, size.queries);
      difference = std::max(
          difference,
          (distances(first, last) - numpy.distances.slice(0, first, last)).abs().max().item<double>());
    }
    for (auto& cells : table.rows) cells.resize(table.heads.size());
    std::cout << table.str();
    // Twice the bits cost more: no figure for how much faster Kindred is.
    if (!options.float64) {
      std::cout << "NumPy takes " << number(numpy.seconds / (preparing + delivering), 1)
                << " times as long; ";
    }
    std::cout << "the largest difference of NumPy's distances is " << text::significant_text(difference, 2)
              << '\n';
    return 0;
  }
  for (auto& cells : table.rows) cells.resize(table.heads.size());
  std::cout << table.str();
  return 0;
}

}  // namespace

void add_rerank(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<RerankOptions>();
  auto* command = app.add_subcommand("rerank", "Compare a post-processor with the bare product and NumPy");
  add_size(*command, options->size);
  add_threads(*command, options->threads);
  command->add_option("--post", options->post_processor, "The post-processor")->capture_default_str();
  command->add_option("--set", options->overrides, "A parameter: post_processor.k_reciprocal.k1=20")
      ->take_all();
  command->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  auto* numpy = command->add_flag("--numpy", options->numpy,
                                  "Run the published algorithm in NumPy as well (k_reciprocal)");
  command->add_flag("--float64", options->float64, "Run NumPy in 64 bits, to compare the results")
      ->needs(numpy);
  command->add_flag("!--no-product", options->bare_product, "Do not time the bare product");
  command->callback([options, &chosen] { chosen = [options] { return rerank(*options); }; });
}

}  // namespace kindred::bench
