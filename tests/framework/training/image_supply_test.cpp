#include "training/image_supply.h"

#include <doctest/doctest.h>

using namespace kindred;
using namespace kindred::training;

TEST_CASE(
    "a training that waits for images for more than 5 % of an epoch says so, the first time with advice") {
  CHECK(waiting_text(0.9, 20, true).empty());
  CHECK(waiting_text(1, 20, true).empty());
  CHECK(waiting_text(4, 9, true).empty());  // an epoch of seconds
  CHECK(waiting_text(2.4, 20, false) ==
        "warning: 12 % of the time of this epoch was spent waiting for images");
  CHECK(waiting_text(2.4, 20, true) ==
        "warning: 12 % of the time of this epoch was spent waiting for images; to train faster, keep decoded "
        "images in memory (loader.cache_mib), raise loader.workers if processors are free, or store smaller "
        "images");
}

TEST_CASE("a cache says how many images it holds, how much that is, and whether all fit") {
  CHECK(kept_text({1200, 356'000'001, true}, 512) ==
        "1200 decoded images are kept in memory (340 of 512 MiB, loader.cache_mib)");
  CHECK(
      kept_text({3, 100, false}, 1) ==
      "3 decoded images are kept in memory (1 of 1 MiB, loader.cache_mib); there is no room for the others, "
      "which are decoded in every epoch");
}
