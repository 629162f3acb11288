#include "ranking/images_hash.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "file/sha256.h"
#include "ranking/gallery_index.h"

namespace kindred::ranking {
namespace {

/// Numbers in the order in which they first come.
class Order {
 public:
  std::int64_t add(std::int64_t number) {
    return places_.try_emplace(number, static_cast<std::int64_t>(places_.size())).first->second;
  }
  [[nodiscard]] bool knows(std::int64_t number) const { return places_.contains(number); }

 private:
  std::unordered_map<std::int64_t, std::int64_t> places_;
};

/// The length of the folder, with its '/', in which all images lie.
std::size_t length_of_common_folder(const std::vector<Sample>& query, const std::vector<Sample>& gallery) {
  std::string_view common;
  bool first = true;
  for (const auto* images : {&query, &gallery}) {
    for (const auto& sample : *images) {
      const std::string_view path = sample.path;
      if (first) common = path.substr(0, path.rfind('/') + 1);
      first = false;
      const auto [end, other] = std::mismatch(common.begin(), common.end(), path.begin(), path.end());
      const auto same = common.substr(0, static_cast<std::size_t>(end - common.begin()));
      common = same.substr(0, same.rfind('/') + 1);
    }
  }
  return common.size();
}

}  // namespace

std::string images_hash(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                        bool single_shots) {
  const auto folder = length_of_common_folder(query, gallery);
  Order identities;
  for (const auto& sample : query) {
    if (labeled(sample)) identities.add(sample.identity);
  }
  Order others;
  const auto identity_of = [&](const Sample& sample) -> std::string {
    if (!labeled(sample)) return std::to_string(sample.identity);
    if (identities.knows(sample.identity)) return std::to_string(identities.add(sample.identity));
    return single_shots ? "another, " + std::to_string(others.add(sample.identity)) : "another";
  };
  Order cameras;
  // Within an identity: clothes of different people are not compared, and others' do not matter.
  std::unordered_map<std::int64_t, Order> outfits;
  const auto clothes_of = [&](const Sample& sample) {
    const bool count = sample.clothes >= 0 && identities.knows(sample.identity);
    return count ? outfits[sample.identity].add(sample.clothes) : unknown_clothes;
  };
  file::Sha256 hash;
  for (const auto* images : {&query, &gallery}) {
    std::string line = std::to_string(images->size()) + '\n';
    for (const auto& sample : *images) {
      line.append(sample.path, folder).push_back('\0');
      line += identity_of(sample) + '\0' +
              std::to_string(sample.camera < 0 ? sample.camera : cameras.add(sample.camera)) + '\0' +
              std::to_string(clothes_of(sample)) + '\n';
      hash.add(line.data(), line.size());
      line.clear();  // a gallery may have more names than there is memory for twice
    }
    hash.add(line.data(), line.size());
  }
  return hash.finish();
}

}  // namespace kindred::ranking
