// What looking for a person in a large gallery costs, exactly and by approximate indexes.
#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench_report.h"
#include "common.h"
#include "kindred/core/error.h"
#include "kindred/search.h"
#include "made_features.h"
#include "memory.h"
#include "system/device.h"
#include "text/number_text.h"
#include "text/text_table.h"

namespace kindred::bench {
namespace {

struct GalleryOptionsOfBench {
  std::string size = "1000x1000000x512";
  std::int64_t threads = 0;
  std::vector<std::string> indexes;
  std::vector<std::string> parameters;
  std::int64_t singles = 50;
  std::string json;
};

/// So many gallery rows are added at once.
constexpr std::int64_t rows_at_once = 10'000;
constexpr std::int64_t depth = 10;

cv::Mat matrix(const torch::Tensor& rows) {
  return {static_cast<int>(rows.size(0)), static_cast<int>(rows.size(1)), CV_32F, rows.data_ptr<float>()};
}

struct Measured {
  std::string name;
  double build_seconds = 0;
  double single_ms = 0;   ///< median of queries one by one
  double batch_rate = 0;  ///< queries a second, all together
  double recall_at_1 = 1;
  double recall_at_10 = 1;
  std::vector<std::vector<Match>> matches;
};

void time_searches(const Gallery& gallery, const cv::Mat& queries, std::int64_t singles, Measured& measured) {
  const SearchOptions options{.top = depth};
  static_cast<void>(gallery.search(queries.row(0), options));
  std::vector<double> times;
  for (int q = 0; q < static_cast<int>(std::min<std::int64_t>(singles, queries.rows)); ++q) {
    times.push_back(seconds_of([&] { static_cast<void>(gallery.search(queries.row(q), options)); }));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  measured.single_ms = 1000 * times[times.size() / 2];
  measured.batch_rate =
      queries.rows / seconds_of([&] { measured.matches = gallery.search(queries, options); });
}

void compare(const Measured& exact, Measured& measured) {
  double first = 0;
  double all = 0;
  double wanted = 0;
  for (std::size_t q = 0; q < exact.matches.size(); ++q) {
    const auto& right = exact.matches[q];
    const auto& found = measured.matches[q];
    if (!right.empty() && !found.empty() && right.front().id == found.front().id) ++first;
    for (const auto& match : right) {
      const auto same = [&](const Match& other) { return other.id == match.id; };
      all += std::any_of(found.begin(), found.end(), same) ? 1 : 0;
      ++wanted;
    }
  }
  measured.recall_at_1 = first / static_cast<double>(exact.matches.size());
  measured.recall_at_10 = all / wanted;
}

/// Each is one of an index that is built.
void require_indexes_of(const std::vector<std::string>& parameters, const std::vector<std::string>& indexes) {
  for (const auto& text : parameters) {
    const auto is_of = [&](const std::string& name) { return text.starts_with(name + "."); };
    if (std::none_of(indexes.begin(), indexes.end(), is_of)) {
      throw Error("bench: error: --set " + text +
                  " is of no index that --index names; it is written INDEX.PARAMETER=VALUE");
    }
  }
}

int search(const GalleryOptionsOfBench& options) {
  const auto size = parse_size(options.size);
  require_indexes_of(options.parameters, options.indexes);
  if (!options.json.empty()) require_writable(options.json);
  system::set_threads(options.threads);
  std::cout << "search, " << size.text() << ", " << at::get_num_threads() << " threads, "
            << system::blas_name() << '\n';
  torch::Tensor query_rows;
  Gallery gallery(static_cast<int>(size.dim));
  {
    const auto input = made_features(size);
    query_rows = input.descriptors.slice(0, 0, size.queries).clone();
    for (std::int64_t first = 0; first < size.gallery; first += rows_at_once) {
      const auto last = std::min(first + rows_at_once, size.gallery);
      std::vector<std::string> ids;
      for (auto at = first; at < last; ++at) ids.push_back(std::to_string(at));
      const auto rows = input.descriptors.slice(0, size.queries + first, size.queries + last);
      gallery.add(ids, matrix(rows));
    }
  }
  const auto queries = matrix(query_rows);

  std::vector<Measured> all(1);
  all[0].name = "exact";
  time_searches(gallery, queries, options.singles, all[0]);
  for (const auto& name : options.indexes) {
    Measured measured;
    measured.name = name;
    IndexOptions index{name, {}, {}};
    for (const auto& text : options.parameters) {
      if (text.starts_with(name + ".")) index.parameters.push_back(text.substr(name.size() + 1));
    }
    measured.build_seconds = gallery.build_index(index).seconds;
    time_searches(gallery, queries, options.singles, measured);
    compare(all[0], measured);
    measured.matches.clear();
    gallery.drop_index();
    all.push_back(std::move(measured));
  }

  text::TextTable table;
  table.heads = {"", "BUILT IN S", "MS A QUERY", "QUERIES/S TOGETHER", "RECALL@1", "RECALL@10"};
  table.widths.assign(table.heads.size() - 1, 40);
  auto json = nlohmann::json::array();
  for (const auto& one : all) {
    table.rows.push_back({one.name, number(one.build_seconds, 1), number(one.single_ms),
                          number(one.batch_rate, 0), text::percent_text(one.recall_at_1),
                          text::percent_text(one.recall_at_10)});
    json.push_back({{"name", one.name},
                    {"build_seconds", one.build_seconds},
                    {"milliseconds_per_query", one.single_ms},
                    {"queries_per_second_together", one.batch_rate},
                    {"recall_at_1", one.recall_at_1},
                    {"recall_at_10", one.recall_at_10}});
  }
  std::cout << table.str();
  write_json(options.json,
             {{"size", size.text()}, {"machine", machine_json(torch::kCPU)}, {"searches", json}});
  return 0;
}

}  // namespace

void add_search(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<GalleryOptionsOfBench>();
  auto* command = app.add_subcommand("search", "Compare exact search of a gallery with approximate indexes");
  add_size(*command, options->size);
  add_threads(*command, options->threads);
  command->add_option("--index", options->indexes, "Indexes to build (see kindred list)")->take_all();
  command->add_option("--set", options->parameters, "A parameter of an index: hnsw.search=128")->take_all();
  command->add_option("--singles", options->singles, "Queries that are timed one by one")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--json", options->json, "Write the figures to this file");
  command->callback([options, &chosen] { chosen = [options] { return search(*options); }; });
}

}  // namespace kindred::bench
