// Trainings by several ranks, as threads.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/stage/train_runs.h"
#include "kindred/core/error.h"
#include "rank_threads.h"
#include "results/environment_file.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::stage;
using namespace kindred::test;

namespace {

/// In one epoch, a batch with images of one identity alone, of which TinyDataset has four in a row.
class UnevenSampler : public Sampler {
 public:
  struct Params {
    std::int64_t epoch = 2;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two batches.");
    s.add("epoch", &Params::epoch, "the one in which the first batch is of one identity");
    return s;
  }
  UnevenSampler(const Params& params, const Context&) : epoch_(params.epoch) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream&) const override {
    if (epoch == epoch_) return {{0, 1, 2, 3}, {4, 5, 8, 9}};
    return {{0, 1, 4, 5}, {8, 9, 12, 13}};
  }

 private:
  std::int64_t epoch_;
};

Catalog uneven_catalog() {
  auto catalog = tiny_catalog();
  Catalog own;
  own.add<UnevenSampler>("uneven");
  catalog.merge(std::move(own), "own", "own.so");
  return catalog;
}

}  // namespace

TEST_CASE(
    "ranks leave out a batch of a later epoch that cannot be divided among them, and train to the end") {
  const auto catalog = uneven_catalog();
  const auto plan = tiny_plan(catalog, {"sampler={type='uneven'}"});
  const TemporaryFolder folder;
  std::array<ActingSink, 2> sinks;
  std::array<TrainOutcome, 2> outcomes;
  on_ranks(2, [&](const system::Ranks& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    outcomes[rank] = train(plan, folder / "run", sinks[rank], never, ranks);
  });
  for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
    CHECK(outcomes[rank].epochs_done == 3);
    CHECK(sinks[rank].notes.find("warning: batch 1 of epoch 2 is skipped: a rank would have one of its "
                                 "images at most") != std::string::npos);
  }
  CHECK(fs::exists(folder / "run/model.safetensors"));
}

TEST_CASE("a batch that cannot be divided among ranks is refused before anything is trained") {
  const auto catalog = uneven_catalog();
  const auto plan = tiny_plan(catalog, {"sampler={type='uneven', epoch=1}"});
  const TemporaryFolder folder;
  std::array<std::string, 2> messages;
  on_ranks(2, [&](const system::Ranks& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    messages[rank] = message_of<ComponentError>([&] {
      ActingSink sink;
      static_cast<void>(train(plan, folder / "run", sink, never, ranks));
    });
  });
  for (const auto& message : messages) {
    CHECK(message ==
          "sampler/uneven: error: batch 1 has 4 images, of which rank 0 of 2 would get 0; each needs at "
          "least two, those of an identity staying together: use fewer ranks or larger batches");
  }
}

TEST_CASE("ranks whose recipe leaves the precision to their devices compute in the same one") {
  const auto catalog = uneven_catalog();
  const auto plan = tiny_plan(catalog, {"sampler={type='uneven'}", "train.precision=auto", "train.epochs=1"});
  const TemporaryFolder folder;
  std::array<ActingSink, 2> sinks;
  on_ranks(2, [&](const system::Ranks& ranks) {
    static_cast<void>(
        train(plan, folder / "run", sinks[static_cast<std::size_t>(ranks.rank())], never, ranks));
  });
  const auto precision = results::EnvironmentFile::read(folder / "run/environment.json").precision;
  const auto told = "train.precision = \"auto\": computing in " + precision;
  for (const auto& sink : sinks) CHECK(sink.notes.find(told) != std::string::npos);
}
