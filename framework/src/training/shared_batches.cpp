#include "training/shared_batches.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "kindred/core/error.h"

namespace kindred::training {
namespace {

using Images = std::vector<std::size_t>;

/// Images of one identity.
struct OfPerson {
  std::int64_t identity;
  Images images;
};

/// What is left of a part's passes, by identity.
class Supply {
 public:
  Supply(const BatchPart& part, const std::vector<std::int64_t>& identities)
      : part_(part), identities_(identities) {
    refill();
  }

  /// Of the first pass.
  [[nodiscard]] std::size_t images() const { return images_; }
  [[nodiscard]] std::size_t largest_batch() const { return largest_batch_; }

  /// The next group of an identity that is not among `taken`, where there is one.
  OfPerson next(const std::set<std::int64_t>& taken) {
    if (groups_.empty()) refill();
    auto found = groups_.end();
    // A part that has nobody else would begin a pass for each group, and take one of it.
    if (has_others(taken)) {
      found = first_new(taken);
      if (found == groups_.end()) {
        refill();
        found = first_new(taken);
      }
    }
    if (groups_.empty()) throw Error("sampler: error: formed batches in one pass and none in the next");
    if (found == groups_.end()) found = groups_.begin();
    auto group = std::move(*found);
    groups_.erase(found);
    return group;
  }

 private:
  [[nodiscard]] bool has_others(const std::set<std::int64_t>& taken) const {
    return std::any_of(people_.begin(), people_.end(),
                       [&](std::int64_t identity) { return taken.count(identity) == 0; });
  }
  [[nodiscard]] std::deque<OfPerson>::iterator first_new(const std::set<std::int64_t>& taken) {
    return std::find_if(groups_.begin(), groups_.end(),
                        [&](const OfPerson& group) { return taken.count(group.identity) == 0; });
  }

  void refill() {
    for (const auto& batch : part_.batches(pass_)) {
      const auto first = groups_.size();
      for (const auto image : batch) {
        const auto identity = identities_[image];
        people_.insert(identity);
        const auto begin = groups_.begin() + static_cast<std::ptrdiff_t>(first);
        auto group = std::find_if(begin, groups_.end(),
                                  [&](const OfPerson& candidate) { return candidate.identity == identity; });
        if (group == groups_.end()) group = groups_.insert(groups_.end(), {identity, {}});
        group->images.push_back(image);
      }
      if (pass_ > 0) continue;
      images_ += batch.size();
      largest_batch_ = std::max(largest_batch_, batch.size());
    }
    ++pass_;
  }

  const BatchPart& part_;
  const std::vector<std::int64_t>& identities_;
  std::deque<OfPerson> groups_;
  std::set<std::int64_t> people_;  ///< of all passes so far
  std::int64_t pass_ = 0;
  std::size_t images_ = 0;
  std::size_t largest_batch_ = 0;
};

}  // namespace

std::vector<Images> shared_batches(const std::vector<BatchPart>& parts,
                                   const std::vector<std::int64_t>& identities) {
  std::vector<Supply> supplies;
  double shares = 0;
  std::size_t images = 0;
  std::size_t size = 0;
  for (const auto& part : parts) {
    const auto& supply = supplies.emplace_back(part, identities);
    if (supply.images() == 0) return {};
    shares += part.share;
    images += supply.images();
    size = std::max(size, supply.largest_batch());
  }
  std::vector<double> due(parts.size(), 0);  // images that a part should have had and has not
  std::vector<Images> batches;
  std::size_t given = 0;
  // To the nearest number of batches, of which there is one at least.
  while (batches.empty() || 2 * given + size <= 2 * images) {
    const auto owe = [&](double count) {
      for (std::size_t part = 0; part < parts.size(); ++part) due[part] += count * parts[part].share / shares;
    };
    owe(static_cast<double>(size));
    Images batch;
    std::set<std::int64_t> taken;
    while (batch.size() < size) {
      const auto part = static_cast<std::size_t>(std::max_element(due.begin(), due.end()) - due.begin());
      const auto group = supplies[part].next(taken);
      taken.insert(group.identity);
      due[part] -= static_cast<double>(group.images.size());
      batch.insert(batch.end(), group.images.begin(), group.images.end());
    }
    // What the batch has beyond its size is shared, too.
    owe(static_cast<double>(batch.size() - size));
    given += batch.size();
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace kindred::training
