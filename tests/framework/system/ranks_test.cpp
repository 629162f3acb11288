#include "system/ranks.h"

#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kindred/core/error.h"
#include "rank_threads.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::system;

namespace {

constexpr std::chrono::seconds enough{20};

/// @return what each rank has thrown, "" for nothing
std::vector<std::string> with_ranks(int count, const std::function<void(std::unique_ptr<Ranks>&)>& work,
                                    std::chrono::seconds patience = enough) {
  std::vector<std::string> thrown;
  for (const auto& error : test::errors_on_ranks(count, work, patience)) {
    thrown.push_back(error ? test::message_of<std::exception>([&] { std::rethrow_exception(error); }) : "");
  }
  return thrown;
}

/// Fails on what a rank throws.
void require_of_ranks(int count, const std::function<bool(const Ranks&)>& holds) {
  std::vector<char> results(static_cast<std::size_t>(count), 0);
  const auto thrown = with_ranks(count, [&](std::unique_ptr<Ranks>& ranks) {
    results[static_cast<std::size_t>(ranks->rank())] = holds(*ranks) ? 1 : 0;
  });
  for (int rank = 0; rank < count; ++rank) {
    CAPTURE(rank);
    CHECK(thrown[static_cast<std::size_t>(rank)] == "");
    CHECK(results[static_cast<std::size_t>(rank)] == 1);
  }
}

bool holds_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a rank alone has what it gives, and meets nobody") {
  const auto& alone = Ranks::alone();
  CHECK_FALSE(alone.are_many());
  CHECK(alone.is_first());
  auto values = torch::tensor({1.0F, 2.0F});
  alone.sum(values);
  alone.broadcast(values);
  CHECK(values.equal(torch::tensor({1.0F, 2.0F})));
  CHECK(alone.gather(values).size() == 1);
  CHECK(alone.any(true));
  CHECK_FALSE(alone.any(false));
  CHECK(alone.broadcast(2.5) == 2.5);
  alone.post("nobody reads it");
  alone.dismiss();
}

TEST_CASE("sums are those of all ranks, to the same bits on each, also several at a time") {
  std::vector<torch::Tensor> sums(3);
  require_of_ranks(3, [&](const Ranks& ranks) {
    const auto rank = static_cast<float>(ranks.rank());
    const auto small = torch::tensor({1.0F, rank});
    torch::manual_seed(0);
    const auto large = torch::linspace(0.1, 0.7, 300'000) * (rank + 0.37F);
    auto first = ranks.begin_sum(small);
    auto second = ranks.begin_sum(large);
    second->wait();
    first->wait();
    sums[static_cast<std::size_t>(ranks.rank())] = large;
    return small.equal(torch::tensor({3.0F, 3.0F})) &&
           large.allclose(torch::linspace(0.1, 0.7, 300'000) * 4.11F);
  });
  CHECK(sums[0].equal(sums[1]));
  CHECK(sums[0].equal(sums[2]));
}

TEST_CASE("rows of all ranks are gathered in order, whatever their numbers and types") {
  require_of_ranks(3, [](const Ranks& ranks) {
    const auto own = torch::full({ranks.rank() * 2, 3}, ranks.rank(), torch::kLong);
    const auto all = ranks.gather(own);
    auto nothing = torch::empty({0, 4});
    ranks.sum(nothing);
    ranks.broadcast(nothing);
    const auto none = ranks.gather(nothing);
    return all.size() == 3 && all[0].sizes() == torch::IntArrayRef({0, 3}) &&
           all[1].equal(torch::full({2, 3}, 1, torch::kLong)) &&
           all[2].equal(torch::full({4, 3}, 2, torch::kLong)) &&
           torch::cat(none).sizes() == torch::IntArrayRef({0, 4});
  });
}

TEST_CASE("several tensors are gathered as each by itself, whatever their types and sizes") {
  require_of_ranks(3, [](const Ranks& ranks) {
    const auto rows = ranks.rank();  // rank 0 has none
    const auto flags = torch::full({rows}, ranks.rank() == 2, torch::kBool);
    const auto halves = torch::full({rows, 3}, 0.5 * ranks.rank(), torch::kHalf);
    const auto labels = torch::arange(rows, torch::kLong) + 10 * ranks.rank();
    const auto maps = (torch::arange(rows * 2 * 3, torch::kFloat64) + ranks.rank()).view({rows, 2, 3});
    const auto empty = torch::empty({rows, 0});
    const auto all = ranks.gather({flags, halves, labels, maps.transpose(1, 2), empty});
    bool same = all.size() == 5;
    for (int rank = 0; rank < 3 && same; ++rank) {
      const auto at = static_cast<std::size_t>(rank);
      const auto expected =
          (torch::arange(rank * 6, torch::kFloat64) + rank).view({rank, 2, 3}).transpose(1, 2);
      same = all[0][at].equal(torch::full({rank}, rank == 2, torch::kBool)) &&
             all[1][at].equal(torch::full({rank, 3}, 0.5 * rank, torch::kHalf)) &&
             all[2][at].equal(torch::arange(rank, torch::kLong) + 10 * rank) && all[3][at].equal(expected) &&
             all[4][at].sizes() == torch::IntArrayRef({rank, 0});
    }
    return same && ranks.gather(std::vector<torch::Tensor>{}).empty();
  });
}

TEST_CASE("rows whose numbers all ranks know are gathered alike") {
  require_of_ranks(3, [](const Ranks& ranks) {
    const auto own = torch::arange(2 * ranks.rank(), torch::kFloat32) + ranks.rank();
    const auto labels = torch::full({2 * ranks.rank()}, ranks.rank(), torch::kLong);
    const auto all = ranks.gather({own, labels}, {0, 2, 4});
    return torch::cat(all[0]).equal(torch::tensor({1.0F, 2.0F, 2.0F, 3.0F, 4.0F, 5.0F})) &&
           torch::cat(all[1]).equal(torch::tensor({1, 1, 2, 2, 2, 2}, torch::kLong));
  });
}

TEST_CASE("any is so on all ranks when it is so on one, and rank 0's values are everybody's") {
  require_of_ranks(3, [](const Ranks& ranks) {
    const bool last = ranks.any(ranks.rank() == 2);
    const bool none = ranks.any(false);
    auto values = torch::full({5}, ranks.rank() + 7, torch::kDouble);
    ranks.broadcast(values);
    const auto number = ranks.broadcast(0.1 + ranks.rank());
    return last && !none && values.equal(torch::full({5}, 7, torch::kDouble)) && number == 0.1;
  });
}

TEST_CASE("texts come in order, after waits, and the last one lets everybody end") {
  require_of_ranks(2, [](const Ranks& ranks) {
    if (ranks.is_first()) {
      ranks.post("model");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      ranks.post("ranking \"b\"\n");
      ranks.dismiss();
      return true;
    }
    return ranks.await_post() == "model" && ranks.await_post() == "ranking \"b\"\n" &&
           ranks.await_post().empty();
  });
}

TEST_CASE("a rank that has ended is an error with words for all others, whatever they wait in") {
  using Exchange = std::function<void(const Ranks&)>;
  const std::vector<Exchange> exchanges = {
      [](const Ranks& ranks) { ranks.sum(torch::ones({10})); },
      [](const Ranks& ranks) {
        static_cast<void>(ranks.gather(torch::ones({ranks.rank() + 1, 2})));
      },
      [](const Ranks& ranks) { static_cast<void>(ranks.any(true)); }};
  for (const auto& exchange : exchanges) {
    const auto before = std::chrono::steady_clock::now();
    const auto thrown = with_ranks(3, [&](std::unique_ptr<Ranks>& ranks) {
      ranks->sum(torch::ones({1}));
      if (ranks->rank() == 1) {
        ranks.reset();
        return;
      }
      exchange(*ranks);
      // One exchange may still succeed for a rank that needs nothing of the lost one.
      exchange(*ranks);
    });
    CHECK(thrown[1] == "");
    for (const int rank : {0, 2}) {
      const auto& text = thrown[static_cast<std::size_t>(rank)];
      CAPTURE(text);
      CHECK(holds_text(text, "rank " + std::to_string(rank) + " of 3: error: has lost another rank"));
    }
    CHECK(std::chrono::steady_clock::now() - before < enough);
  }
}

TEST_CASE("what is written to a rank that has gone is an error, and does not end the process") {
  const auto write_to_nobody = [] {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    ::close(ends[0]);
    errno = 0;
    const auto written = ::write(ends[1], "x", 1);
    const int reason = errno;
    ::close(ends[1]);
    return written == -1 && reason == EPIPE;
  };
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  require_of_ranks(2, [](const Ranks& ranks) { return ranks.any(true); });
  CHECK(write_to_nobody());

  static volatile std::sig_atomic_t handled = 0;
  std::signal(SIGPIPE, [](int) { handled = 1; });
  require_of_ranks(2, [](const Ranks& ranks) { return ranks.any(true); });
  CHECK(write_to_nobody());
  CHECK(handled == 1);
  std::signal(SIGPIPE, before);
}

TEST_CASE("a rank that does not answer is given up when patience ends") {
  // Patience is also the time that the ranks have to meet, on a machine that may be busy.
  std::promise<void> given_up;
  const auto thrown = with_ranks(
      2,
      [&](std::unique_ptr<Ranks>& ranks) {
        ranks->sum(torch::ones({1}));
        if (ranks->rank() == 0) {
          CHECK_THROWS_AS(ranks->sum(torch::ones({1})), LostRankError);
          given_up.set_value();
          return;
        }
        given_up.get_future().wait_for(enough);
      },
      std::chrono::seconds(3));
  CHECK(thrown[0] == "");
}

TEST_CASE("a meeting point that is not there, or has no name, is an error that says what to set") {
  for (const auto* address : {"127.0.0.1", "no.such.machine.invalid"}) {
    RankPlace place;
    place.rank = 1;
    place.count = 2;
    place.address = address;
    {
      const MeetingPoint closed;
      place.port = closed.port();
    }
    std::string text;
    try {
      const Ranks ranks(place, std::chrono::seconds(1));
    } catch (const Error& error) {
      text = error.what();
    }
    CAPTURE(text);
    CHECK(holds_text(text, "rank 1 of 2: error: cannot meet the others at " + std::string(address) + ":"));
    CHECK(holds_text(text, "MASTER_ADDR and MASTER_PORT must name"));
    CHECK_FALSE(holds_text(text, "\n"));
  }
}

}  // namespace
