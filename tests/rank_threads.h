// Ranks as threads of one process, which for LibTorch's c10d are the same.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "system/ranks.h"

namespace kindred::test {

/// Calls work(ranks) on so many ranks.
/// @param work may end its rank early, by resetting the pointer
/// @return what each has thrown; null for nothing
inline std::vector<std::exception_ptr> errors_on_ranks(
    int count, const std::function<void(std::unique_ptr<system::Ranks>&)>& work,
    std::chrono::seconds patience = std::chrono::seconds(60)) {
  const system::MeetingPoint meeting;
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      system::RankPlace place;
      place.rank = place.local_rank = rank;
      place.count = place.local_count = count;
      place.address = "127.0.0.1";
      place.port = meeting.port();
      place.is_served = true;
      try {
        auto ranks = std::make_unique<system::Ranks>(place, patience);
        work(ranks);
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return errors;
}

/// Calls work(ranks) on so many ranks, and rethrows what the first of them has thrown.
inline void on_ranks(int count, const std::function<void(const system::Ranks&)>& work) {
  const auto errors = errors_on_ranks(count, [&](std::unique_ptr<system::Ranks>& ranks) {
    work(*ranks);
    if (ranks->is_first()) {
      ranks->dismiss();
    } else {
      static_cast<void>(ranks->await_post());
    }
  });
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace kindred::test
