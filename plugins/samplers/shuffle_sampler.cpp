#include "shuffle_sampler.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>

#include "kindred/core/error.h"

namespace kindred::samplers {

Schema<ShuffleSampler::Params> ShuffleSampler::schema() {
  Schema<Params> s("Every image once per epoch, in random order, regardless of identity.");
  s.add("batch_size", &Params::batch_size, "images in a batch")
      .range(1, 65536)
      .unit("images")
      .also_called({"bs", "ims_per_batch", "batch"});
  s.add("drop_last", &Params::drop_last,
        "skip the last batch if it is not full; other images are skipped in each epoch");
  return s;
}

ShuffleSampler::ShuffleSampler(const Params& params, const Context& context)
    : batch_size_(static_cast<std::size_t>(params.batch_size)),
      drop_last_(params.drop_last),
      count_(context.samples.size()) {
  if (count_ == 0) {
    throw ComponentError("sampler/shuffle", "the training data has no images; check the data set");
  }
  if (!drop_last_ && count_ % batch_size_ == 1) {
    throw ComponentError("sampler/shuffle",
                         "with " + std::to_string(count_) + " images in batches of " +
                             std::to_string(batch_size_) +
                             ", the last batch has a single image, which cannot be trained on; choose "
                             "another batch_size, or set drop_last = true");
  }
  if (drop_last_ && count_ < batch_size_) {
    throw ComponentError("sampler/shuffle",
                         "batch_size = " + std::to_string(batch_size_) + ", but the training data has " +
                             std::to_string(count_) + (count_ == 1 ? " image" : " images") + "; choose " +
                             std::to_string(count_) + " or fewer, or set drop_last = false");
  }
}

std::vector<std::vector<std::size_t>> ShuffleSampler::batches(std::int64_t /*epoch*/,
                                                              RandomStream& random) const {
  std::vector<std::size_t> order(count_);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t from = 0; from < count_; from += batch_size_) {
    const std::size_t to = std::min(from + batch_size_, count_);
    if (drop_last_ && to - from < batch_size_) break;
    batches.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(from),
                         order.begin() + static_cast<std::ptrdiff_t>(to));
  }
  return batches;
}

}  // namespace kindred::samplers
