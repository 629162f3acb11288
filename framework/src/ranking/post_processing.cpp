#include "ranking/post_processing.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "file/feature_files.h"
#include "file/presence.h"
#include "inference/equal_descriptors.h"
#include "kindred/core/error.h"
#include "ranking/evaluation.h"
#include "ranking/search_host.h"
#include "ranking/similarity.h"
#include "recipe/idle_settings.h"

namespace kindred::ranking {
namespace {

using Step = PostProcessor::Step;

/// What the search keeps as long as its distances are used.
struct Searched {
  std::vector<std::unique_ptr<PostProcessor>> processors;
  std::unique_ptr<SearchHost> host;
  Retrieval retrieval;
};

/// Applies those post-processors that are for this domain.
std::shared_ptr<Searched> search(const recipe::RankingPlan& plan, const std::string* domain,
                                 torch::Tensor descriptors, std::unique_ptr<SearchHost> host,
                                 std::int64_t queries) {
  auto searched = std::make_shared<Searched>();
  searched->processors = create_post_processors(plan);
  searched->host = std::move(host);
  auto& retrieval = searched->retrieval;
  retrieval.descriptors = std::move(descriptors);
  retrieval.queries = queries;
  const auto cosine = [&] {
    if (retrieval.distances) return;
    retrieval.distances = cosine_distances(retrieval.query(), retrieval.gallery(), "query", "gallery",
                                           searched->host->device());
  };
  for (std::size_t i = 0; i < plan.post_processors.size(); ++i) {
    const auto& choice = plan.post_processors[i];
    const bool meant =
        domain == nullptr || choice.domains.empty() ||
        std::find(choice.domains.begin(), choice.domains.end(), *domain) != choice.domains.end();
    if (!meant) continue;
    const auto& processor = *searched->processors[i];
    if (processor.step() == Step::changes_of_distances) cosine();
    try {
      processor.apply(retrieval, *searched->host);
    } catch (const ComponentError& error) {
      throw RecipeError(choice.location, choice.subject() +
                                             (domain == nullptr ? "" : " in the domain '" + *domain + "'") +
                                             ": " + error.reason());
    }
  }
  cosine();
  return searched;
}

/// Whether some domain sees both.
bool meet(const recipe::PostProcessorChoice& a, const recipe::PostProcessorChoice& b) {
  return a.domains.empty() || b.domains.empty() ||
         std::any_of(a.domains.begin(), a.domains.end(), [&](const std::string& domain) {
           return std::find(b.domains.begin(), b.domains.end(), domain) != b.domains.end();
         });
}

std::vector<std::int64_t> rows_from(std::int64_t first, std::size_t count) {
  std::vector<std::int64_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = first + static_cast<std::int64_t>(i);
  return rows;
}

std::map<std::string, SearchPart> parts_by_domain(const SearchInput& input) {
  std::map<std::string, SearchPart> parts;
  for (std::size_t i = 0; i < input.query.size(); ++i) {
    parts[input.query[i].domain].query.push_back(static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < input.gallery.size(); ++i) {
    parts[input.gallery[i].domain].gallery.push_back(static_cast<std::int64_t>(i));
  }
  return parts;
}

void require_domains(const recipe::RankingPlan& plan, const std::map<std::string, SearchPart>& parts) {
  std::vector<std::string> names;
  for (const auto& [name, part] : parts) names.push_back(name);
  Diagnostics diagnostics;
  for (const auto& choice : plan.post_processors) {
    for (const auto& domain : choice.domains) {
      if (parts.contains(domain)) continue;
      diagnostics.error(choice.location,
                        "post_processor '" + choice.name + "': no image has the domain '" + domain + "'; " +
                            (names == std::vector<std::string>{""}
                                 ? "the images have none: fill the column 'domain' of the CSV "
                                   "files beside the features"
                                 : "the domains are " + quoted_list(names)));
    }
  }
  diagnostics.throw_if_any();
}

/// @param to [N, D], of as many images as the features
void copy_rows(const file::FeatureReader& from, torch::Tensor to) {
  constexpr std::int64_t block = 4096;
  for (std::int64_t first = 0; first < from.size(); first += block) {
    const auto last = std::min(first + block, from.size());
    to.slice(0, first, last).copy_(from.rows(first, last));
  }
}

class ByDomain {
 public:
  ByDomain(const recipe::RankingPlan& plan, SearchInput& input, torch::Device device,
           progress::ProgressSink& progress, const system::Ranks& ranks) {
    const auto queries = static_cast<std::int64_t>(input.query.size());
    cosine_ = cosine_distances(input.descriptors.slice(0, 0, queries), input.descriptors.slice(0, queries),
                               input.query_file.string(), input.gallery_file.string(), device);
    const auto parts = parts_by_domain(input);
    require_domains(plan, parts);
    for (const auto& [domain, part] : parts) {
      if (part.query.empty() || part.gallery.empty()) continue;  // nothing of its own to find
      auto rows = part.query;
      for (const auto image : part.gallery) rows.push_back(queries + image);
      Group group;
      group.query = part.query;
      group.gallery = torch::tensor(part.gallery, torch::kLong);
      group.searched =
          search(plan, &domain, input.descriptors.index_select(0, torch::tensor(rows, torch::kLong)),
                 std::make_unique<SearchHost>(input, part, device, progress, ranks),
                 static_cast<std::int64_t>(part.query.size()));
      groups_.push_back(std::move(group));
    }
  }

  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t last) const {
    auto result = cosine_(first, last);
    for (const auto& group : groups_) {
      const auto begin = std::lower_bound(group.query.begin(), group.query.end(), first);
      const auto end = std::lower_bound(begin, group.query.end(), last);
      if (begin == end) continue;
      const auto from = begin - group.query.begin();
      const auto own = group.searched->retrieval.distances(from, end - group.query.begin());
      const auto behind = std::get<0>(own.max(1)).add(1);
      for (auto query = begin; query != end; ++query) {
        const auto i = query - begin;
        auto row = result[*query - first];
        row.add_(behind[i]);
        row.index_copy_(0, group.gallery, own[i]);
      }
    }
    return result;
  }

 private:
  struct Group {
    std::vector<std::int64_t> query;
    torch::Tensor gallery;
    std::shared_ptr<Searched> searched;
  };
  DistanceBlock cosine_;
  std::vector<Group> groups_;
};

}  // namespace

SearchInput read_search_input(const std::filesystem::path& query_file,
                              const std::filesystem::path& gallery_file, progress::ProgressSink& progress,
                              const system::Ranks& ranks) {
  const auto version = file::version_of_features(query_file);
  const file::FeatureReader query(query_file);
  const file::FeatureReader gallery(gallery_file);
  version.require_unchanged();
  if (query.dim() != gallery.dim()) {
    throw dim_mismatch(query_file.string(), query.dim(), gallery_file.string(), gallery.dim());
  }
  query.require_arrays();
  gallery.require_arrays();
  SearchInput input{torch::empty({query.size() + gallery.size(), query.dim()}), query.samples(),
                    gallery.samples(), query_file, gallery_file};
  copy_rows(query, input.descriptors.slice(0, 0, query.size()));
  copy_rows(gallery, input.descriptors.slice(0, query.size()));
  input.same_images = same_images(input.query, input.descriptors.slice(0, 0, query.size()), input.gallery,
                                  input.descriptors.slice(0, query.size()));
  if (ranks.is_first()) {
    inference::warn_of_equal_descriptors(input.descriptors.slice(0, 0, query.size()), "query", progress);
    inference::warn_of_equal_descriptors(input.descriptors.slice(0, query.size()), "gallery", progress);
  }
  return input;
}

SearchInput read_folder_input(const std::filesystem::path& folder, progress::ProgressSink& progress,
                              const system::Ranks& ranks) {
  const auto query_file = folder / "query.npy";
  const auto gallery_file = folder / "gallery.npy";
  // A list without its descriptors is damage, which reading both says.
  const bool has_queries = file::has_features(query_file) || file::is_there(folder / "query.csv");
  const bool has_gallery = file::has_features(gallery_file) || file::is_there(folder / "gallery.csv");
  if (has_queries && has_gallery) return read_search_input(query_file, gallery_file, progress, ranks);
  if (!has_queries && !has_gallery) {
    throw DataError(folder,
                    "has neither query.npy nor gallery.npy; extract the features of query and gallery images "
                    "with `kindred embed`");
  }
  const file::FeatureReader images(has_queries ? query_file : gallery_file);
  images.require_arrays();
  SearchInput input{torch::empty({images.size(), images.dim()}), {}, {}, query_file, gallery_file};
  (has_queries ? input.query : input.gallery) = images.samples();
  copy_rows(images, input.descriptors);
  if (ranks.is_first()) {
    inference::warn_of_equal_descriptors(input.descriptors, has_queries ? "query" : "gallery", progress);
  }
  return input;
}

std::vector<std::unique_ptr<PostProcessor>> create_post_processors(const recipe::RankingPlan& plan) {
  std::vector<std::unique_ptr<PostProcessor>> made;
  Diagnostics diagnostics;
  for (std::size_t i = 0; i < plan.post_processors.size(); ++i) {
    const auto& choice = plan.post_processors[i];
    made.push_back(choice.create({}));
    if (made[i]->step() == Step::changes_of_distances) continue;
    for (std::size_t j = 0; j < i; ++j) {
      const auto& earlier = plan.post_processors[j];
      if (made[j]->step() == Step::descriptors || !meet(earlier, choice)) continue;
      diagnostics.error(
          choice.location,
          "post_processor '" + choice.name + "' works on descriptors, but '" + earlier.name +
              "' before it has already computed distances; place it before that one, or remove one of them");
      break;
    }
  }
  diagnostics.throw_if_any();
  return made;
}

DistanceBlock post_process(const recipe::RankingPlan& plan, SearchInput& input, torch::Device device,
                           progress::ProgressSink& progress, const system::Ranks& ranks) {
  const torch::NoGradGuard no_gradients;
  if (ranks.is_first()) {
    for (const auto& warning : recipe::idle_post_processors(plan)) progress.note(warning);
  }
  const auto queries = static_cast<std::int64_t>(input.query.size());
  require_directions(input.descriptors.slice(0, 0, queries), input.query_file.string());
  require_directions(input.descriptors.slice(0, queries), input.gallery_file.string());
  if (plan.ranking.by_domain) {
    const auto by_domain = std::make_shared<const ByDomain>(plan, input, device, progress, ranks);
    input.descriptors.reset();
    return [by_domain](std::int64_t first, std::int64_t last) { return by_domain->rows(first, last); };
  }
  SearchPart all{rows_from(0, input.query.size()), rows_from(0, input.gallery.size())};
  const auto searched =
      search(plan, nullptr, std::exchange(input.descriptors, torch::Tensor()),
             std::make_unique<SearchHost>(input, std::move(all), device, progress, ranks), queries);
  return [searched](std::int64_t first, std::int64_t last) {
    return searched->retrieval.distances(first, last);
  };
}

}  // namespace kindred::ranking
