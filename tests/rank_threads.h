// Ranks as threads of one process, which for LibTorch's c10d are the same.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "system/ranks.h"

namespace kindred::test {

/// A port that nobody uses at the moment.
inline std::uint16_t unused_port() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool known = bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(listener);
  if (!known) throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

/// Calls work(ranks) on so many ranks, and rethrows what the first of them has thrown.
inline void on_ranks(int count, const std::function<void(const system::Ranks&)>& work) {
  const auto port = unused_port();
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        system::RankPlace place;
        place.rank = place.local_rank = rank;
        place.count = place.local_count = count;
        place.address = "127.0.0.1";
        place.port = port;
        const system::Ranks ranks(place, std::chrono::seconds(60));
        work(ranks);
        if (ranks.is_first()) {
          ranks.dismiss();
        } else {
          static_cast<void>(ranks.await_post());
        }
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace kindred::test
