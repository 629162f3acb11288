// Starts a command as torchrun does: several times, each as one of the ranks.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "program.h"
#include "temporary_folder.h"

namespace kindred::test {

/// A port that nobody uses at the moment.
inline int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(listener);
  return ntohs(address.sin_port);
}

/// The same command as each of so many ranks, with the variables that torchrun sets.
inline std::vector<std::unique_ptr<Program>> start(const std::vector<std::string>& command, int ranks,
                                                   const TemporaryFolder& folder) {
  const auto port = free_port();
  std::vector<std::unique_ptr<Program>> programs;
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<std::string> whole{"/usr/bin/env",
                                   "RANK=" + std::to_string(rank),
                                   "WORLD_SIZE=" + std::to_string(ranks),
                                   "LOCAL_RANK=" + std::to_string(rank),
                                   "LOCAL_WORLD_SIZE=" + std::to_string(ranks),
                                   "MASTER_ADDR=127.0.0.1",
                                   "MASTER_PORT=" + std::to_string(port)};
    whole.insert(whole.end(), command.begin(), command.end());
    const auto scratch = folder / ("rank" + std::to_string(rank));
    std::filesystem::create_directories(scratch);
    programs.push_back(std::make_unique<Program>(whole, scratch));
  }
  return programs;
}

/// Waits for all of them.
inline void require_success(const std::vector<std::unique_ptr<Program>>& programs) {
  for (const auto& program : programs) {
    const auto outcome = program->wait();
    CAPTURE(outcome.err);
    REQUIRE(outcome.exit_code == 0);
  }
}

}  // namespace kindred::test
