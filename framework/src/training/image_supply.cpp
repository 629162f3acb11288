#include "training/image_supply.h"

#include <cmath>

namespace kindred::training {

std::string waiting_text(double waited, double worked, bool with_advice) {
  constexpr double shortest = 10;  // seconds
  if (worked < shortest || waited <= 0.05 * worked) return "";
  std::string text = "warning: " + std::to_string(std::lround(100 * waited / worked)) +
                     " % of the time of this epoch was spent waiting for images";
  if (with_advice) {
    text +=
        "; to train faster, keep decoded images in memory (loader.cache_mib), raise loader.workers if "
        "processors "
        "are free, or store smaller images";
  }
  return text;
}

std::string kept_text(const data::CachedDataset::Kept& kept, std::int64_t limit_mib) {
  const auto used = (kept.bytes + (1 << 20) - 1) >> 20;
  return std::to_string(kept.images) + " decoded images are kept in memory (" + std::to_string(used) +
         " of " + std::to_string(limit_mib) + " MiB, loader.cache_mib)" +
         (kept.all ? "" : "; there is no room for the others, which are decoded in every epoch");
}

}  // namespace kindred::training
