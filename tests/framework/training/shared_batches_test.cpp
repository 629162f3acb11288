#include "training/shared_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

using namespace kindred::training;

namespace {

using Images = std::vector<std::size_t>;

/// Two parts: images 0 to 99 are of part 0 with 10 images of each identity, from 100 on of part 1 with 5.
std::vector<std::int64_t> identities_of_two() {
  std::vector<std::int64_t> identities;
  for (std::size_t i = 0; i < 100; ++i) identities.push_back(static_cast<std::int64_t>(i / 10));
  for (std::size_t i = 0; i < 50; ++i) identities.push_back(static_cast<std::int64_t>(10 + i / 5));
  return identities;
}

/// Batches of 4 identities with 2 images each, turned by one identity with each pass.
BatchPart p_times_k(double share, std::size_t first, std::size_t of_each, std::size_t rounds) {
  return {share, [=](std::int64_t pass) {
            std::vector<Images> batches;
            for (std::size_t round = 0; round < rounds; ++round) {
              Images batch;
              for (std::size_t i = 0; i < 4; ++i) {
                const auto identity = (4 * round + i + static_cast<std::size_t>(pass)) % 10;
                for (std::size_t k = 0; k < 2; ++k)
                  batch.push_back(first + identity * of_each + (round + k) % of_each);
              }
              batches.push_back(batch);
            }
            return batches;
          }};
}

std::vector<Images> two_parts(double share_of_first, double share_of_second) {
  return shared_batches({p_times_k(share_of_first, 0, 10, 12), p_times_k(share_of_second, 100, 5, 4)},
                        identities_of_two());
}

std::size_t of_first(const Images& batch) {
  std::size_t count = 0;
  for (const auto image : batch) count += image < 100 ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("batches keep P identities with K images, and an epoch has the images of one pass over all parts") {
  const auto identities = identities_of_two();
  const auto batches = two_parts(3, 1);
  CHECK(batches.size() == 16);
  for (const auto& batch : batches) {
    REQUIRE(batch.size() == 8);
    std::map<std::int64_t, int> images;
    for (const auto image : batch) ++images[identities[image]];
    CHECK(images.size() == 4);
    for (const auto& [identity, count] : images) CHECK(count == 2);
  }
}

TEST_CASE("each part has its share of every batch, relative to the others") {
  for (const auto& batch : two_parts(3, 1)) CHECK(of_first(batch) == 6);
  for (const auto& batch : two_parts(0.5, 0.5)) CHECK(of_first(batch) == 4);
}

TEST_CASE("a share that is no whole number of identities is kept over the batches") {
  std::size_t first = 0;
  std::set<std::size_t> different;
  const auto batches = two_parts(0.65, 0.35);
  for (const auto& batch : batches) {
    first += of_first(batch);
    different.insert(of_first(batch));
  }
  CHECK(different == std::set<std::size_t>{4, 6});
  const double wanted = 0.65 * 8 * static_cast<double>(batches.size());
  CHECK(static_cast<double>(first) > wanted - 2);
  CHECK(static_cast<double>(first) < wanted + 2);
}

TEST_CASE("a part of which more is wanted than it has begins another pass") {
  const auto batches = two_parts(1, 3);
  std::map<std::size_t, int> uses;
  for (const auto& batch : batches) {
    CHECK(of_first(batch) == 2);
    for (const auto image : batch) ++uses[image];
  }
  int most = 0;
  for (const auto& [image, count] : uses) {
    if (image >= 100) most = std::max(most, count);
  }
  CHECK(most >= 3);
}

TEST_CASE("a part with fewer people than its share of a batch needs takes all of a pass before the next") {
  // Images 0 to 9 are of 2 identities; from 10 on each is of one of its own.
  std::vector<std::int64_t> identities;
  for (std::int64_t i = 0; i < 10; ++i) identities.push_back(i / 5);
  for (std::int64_t i = 0; i < 400; ++i) identities.push_back(2 + i);
  std::size_t passes = 0;
  const BatchPart few{9, [&](std::int64_t) {
                        ++passes;
                        return std::vector<Images>{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
                      }};
  const BatchPart many{1, [](std::int64_t) {
                         std::vector<Images> batches(10);
                         for (std::size_t i = 0; i < 400; ++i) batches[i / 40].push_back(10 + i);
                         return batches;
                       }};
  std::size_t of_few = 0;
  for (const auto& batch : shared_batches({few, many}, identities)) {
    for (const auto image : batch) of_few += image < 10 ? 1 : 0;
  }
  CHECK(of_few > 300);
  CHECK(passes == (of_few + 9) / 10);
}

TEST_CASE("batches without identity groups are mixed, too, and no image is lost before its part is used up") {
  const auto shuffled = [](std::size_t first, std::size_t count) {
    return [=](std::int64_t) {
      std::vector<Images> batches;
      for (std::size_t i = 0; i < count; i += 5) {
        Images batch;
        for (std::size_t j = i; j < i + 5; ++j) batch.push_back(first + (j * 7) % count);
        batches.push_back(batch);
      }
      return batches;
    };
  };
  const auto batches = shared_batches({{2, shuffled(0, 100)}, {1, shuffled(100, 50)}}, identities_of_two());
  CHECK(batches.size() == 30);
  std::set<std::size_t> seen;
  for (const auto& batch : batches) {
    CHECK(batch.size() >= 5);
    CHECK(batch.size() <= 9);
    seen.insert(batch.begin(), batch.end());
  }
  CHECK(seen.size() > 140);
}

TEST_CASE("shares and the images of an epoch are kept where groups do not fill the batches") {
  // Images 0 to 99 are of 2 identities, 5 of each in a batch; from 100 on of 20, one of each in a batch.
  std::vector<std::int64_t> identities;
  for (std::size_t i = 0; i < 100; ++i) identities.push_back(static_cast<std::int64_t>(i / 50));
  for (std::size_t i = 0; i < 900; ++i) identities.push_back(static_cast<std::int64_t>(2 + i / 45));
  const auto of_few = [](std::int64_t) {
    std::vector<Images> batches(10);
    for (std::size_t i = 0; i < 100; ++i) batches[i % 50 / 5].push_back(i);
    return batches;
  };
  const auto of_many = [](std::int64_t) {
    std::vector<Images> batches(90);
    for (std::size_t i = 0; i < 900; ++i) batches[i / 10].push_back(100 + 45 * (i % 20) + i / 20);
    return batches;
  };
  for (const double share : {0.1, 0.9}) {
    CAPTURE(share);
    const auto batches = shared_batches({{share, of_few}, {1 - share, of_many}}, identities);
    std::size_t first = 0;
    std::size_t all = 0;
    std::size_t largest = 0;
    for (const auto& batch : batches) {
      first += of_first(batch);
      all += batch.size();
      largest = std::max(largest, batch.size());
    }
    CHECK(largest > 10);
    CHECK(std::abs(static_cast<double>(first) - share * static_cast<double>(all)) < 5);
    // To half a batch and what the last one has beyond its size.
    CHECK(std::abs(static_cast<double>(all) - 1000) < 10);
  }
}

TEST_CASE("a part without a batch gives no batch at all") {
  const BatchPart nothing{1, [](std::int64_t) { return std::vector<Images>(); }};
  CHECK(shared_batches({p_times_k(1, 0, 10, 12), nothing}, identities_of_two()).empty());
}
