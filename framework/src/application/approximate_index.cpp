#include "application/approximate_index.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ratio>
#include <string>

#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::application {
namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Index::Handle make_index(const IndexOptions& options, const Catalog& catalog, const Index::Context& context) {
  std::vector<std::string> overrides;
  for (const auto& parameter : options.parameters) overrides.push_back("index." + parameter);
  auto recipe = recipe::parse_recipe("[index]\n", "the index", overrides);
  auto& index = *recipe.as<Table>()->find("index")->as<Table>();
  if (const auto* other = index.find("type")) {
    throw RecipeError(other->location(),
                      "the index is '" + options.type +
                          "' already, and its type no parameter; leave it out, or name the "
                          "other index instead");
  }
  index.set("type", Value(options.type, {"the index '" + options.type + "'", 0, 0}));
  return recipe::choose_component<Index>(recipe, catalog).create(context);
}

}  // namespace

ApproximateIndex::ApproximateIndex(const IndexOptions& options, std::shared_ptr<const Catalog> catalog,
                                   const GalleryRows& rows)
    : catalog_(std::move(catalog)), options_(options) {
  fill(rows);
}

void ApproximateIndex::fill(const GalleryRows& rows) {
  auto index = make_index(options_, *catalog_, {rows.dim(), rows.size()});
  if (const auto wanted = index->training_rows(); wanted > 0 && rows.size() > 0) {
    const auto count = std::min(wanted, rows.size());
    std::vector<std::int64_t> chosen;
    for (std::int64_t i = 0; i < count; ++i) chosen.push_back(i * rows.size() / count);
    index->train(rows.gathered(chosen));
  }
  for (std::int64_t first = 0; first < rows.size(); first += GalleryRows::at_a_time) {
    index->add(rows.units(first, std::min(first + GalleryRows::at_a_time, rows.size())));
  }
  index_ = std::move(index);
}

std::vector<ApproximateIndex::Found> ApproximateIndex::search(const torch::Tensor& queries, std::int64_t top,
                                                              const GalleryRows& rows,
                                                              std::span<const std::uint8_t> removed) const {
  std::vector<Found> result(static_cast<std::size_t>(queries.size(0)));
  for (std::int64_t q = 0; q < queries.size(0); ++q) {
    const auto query = queries.slice(0, q, q + 1).contiguous();
    std::vector<std::int64_t> found;
    // Of what was removed the index does not know.
    for (auto ask = top;; ask = std::min(2 * ask, rows.size())) {
      const auto answer = index_->search(query, ask);
      const auto* row = answer.data_ptr<std::int64_t>();
      found.clear();
      bool all = true;
      for (std::int64_t i = 0; i < ask; ++i) {
        if (row[i] < 0) {
          all = false;
          break;
        }
        if (removed[static_cast<std::size_t>(row[i])] == 0) found.push_back(row[i]);
      }
      if (static_cast<std::int64_t>(found.size()) >= top || ask == rows.size() || !all) break;
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    auto& matches = result[static_cast<std::size_t>(q)];
    if (found.empty()) continue;
    const auto similarities = torch::mv(rows.gathered(found), query.view({-1})).contiguous();
    const auto* similarity = similarities.data_ptr<float>();
    for (std::size_t i = 0; i < found.size(); ++i) matches.emplace_back(found[i], similarity[i]);
    std::stable_sort(matches.begin(), matches.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (static_cast<std::int64_t>(matches.size()) > top) matches.resize(static_cast<std::size_t>(top));
  }
  return result;
}

IndexReport ApproximateIndex::measure(const GalleryRows& rows, std::span<const std::uint8_t> removed) const {
  constexpr std::int64_t most_queries = 100;
  constexpr std::int64_t depth = 10;
  IndexReport report;
  std::vector<std::int64_t> queries;
  std::vector<std::int64_t> alive;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    if (removed[static_cast<std::size_t>(i)] == 0) alive.push_back(i);
  }
  const auto count = static_cast<std::int64_t>(alive.size());
  if (count < 2) {
    // Nothing to measure, but an index that cannot be searched is none.
    if (count == 1) static_cast<void>(search(rows.gathered(alive), 1, rows, removed));
    return report;
  }
  report.queries = std::min(most_queries, count);
  for (std::int64_t i = 0; i < report.queries; ++i) {
    queries.push_back(alive[static_cast<std::size_t>(i * count / report.queries)]);
  }
  const auto descriptors = rows.gathered(queries);
  const auto top = std::min(depth + 1, count);
  auto start = std::chrono::steady_clock::now();
  const auto exact = rows.rank(descriptors, top, removed);
  report.exact_ms = milliseconds_since(start) / static_cast<double>(report.queries);
  start = std::chrono::steady_clock::now();
  const auto found = search(descriptors, top, rows, removed);
  report.indexed_ms = milliseconds_since(start) / static_cast<double>(report.queries);

  const auto* row = exact.images.data_ptr<std::int64_t>();
  for (std::size_t q = 0; q < queries.size(); ++q, row += top) {
    std::vector<std::int64_t> right;
    for (std::int64_t i = 0; i < top; ++i) {
      if (row[i] != queries[q] && static_cast<std::int64_t>(right.size()) < top - 1) right.push_back(row[i]);
    }
    std::vector<std::int64_t> given;
    for (const auto& [candidate, similarity] : found[q]) {
      if (candidate != queries[q]) given.push_back(candidate);
    }
    const auto has = [&](std::int64_t wanted) {
      return std::find(given.begin(), given.end(), wanted) != given.end() ? 1.0 : 0.0;
    };
    double hits = 0;
    for (const auto wanted : right) hits += has(wanted);
    report.recall_at_1 += !given.empty() && given.front() == right.front() ? 1 : 0;
    report.recall_at_10 += hits / static_cast<double>(right.size());
  }
  report.recall_at_1 /= static_cast<double>(report.queries);
  report.recall_at_10 /= static_cast<double>(report.queries);
  return report;
}

}  // namespace kindred::application
