#include "system/ranks.h"

#include <arpa/inet.h>
#include <c10/util/Exception.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <thread>
#include <utility>

#include "system/gpu_exchange.h"

namespace kindred::system {
namespace {

using c10d::ProcessGroupGloo;

std::string reason_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch == nullptr ? error.what() : of_torch->what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// The address under which this machine reaches another one: what its own name resolves to may be of no use
/// there. "" when the other one cannot be reached.
std::string own_address_towards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  std::string address;
  for (auto* candidate = found; candidate != nullptr && address.empty(); candidate = candidate->ai_next) {
    const int socket_of = socket(candidate->ai_family, candidate->ai_socktype, candidate->ai_protocol);
    if (socket_of < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    // Nothing is sent: a datagram socket only looks up the way.
    if (connect(socket_of, candidate->ai_addr, candidate->ai_addrlen) == 0 &&
        getsockname(socket_of, reinterpret_cast<sockaddr*>(&own), &size) == 0) {
      std::array<char, NI_MAXHOST> text{};
      if (getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
        address = text.data();
      }
    }
    close(socket_of);
  }
  freeaddrinfo(found);
  return address;
}

/// Gloo writes to the sockets of ranks that are gone, which is to be an error and not the end of the process.
/// A handler of an application stays.
void ignore_broken_pipes() {
  struct sigaction present {};
  if (sigaction(SIGPIPE, nullptr, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 &&
      present.sa_handler == SIG_DFL) {
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  }
}

std::string name_of(const RankPlace& place) {
  return "rank " + std::to_string(place.rank) + " of " + std::to_string(place.count);
}

/// Calls work(), and says whose fault it is when that throws.
template <class Work>
auto with_others(const RankPlace& place, Work&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    throw LostRankError(name_of(place) +
                        ": error: has lost another rank: it has ended, or does not answer; what it printed "
                        "itself says why (" +
                        reason_of(error) + ")");
  }
}

template <class Work>
class RunningSum final : public Ranks::Sum {
 public:
  RunningSum(const RankPlace& place, Work work) : place_(place), work_(std::move(work)) {}
  void wait() override {
    with_others(place_, [&] { return work_->wait(); });
  }

 private:
  const RankPlace& place_;
  Work work_;
};

class NoSum final : public Ranks::Sum {
 public:
  void wait() override {}
};

constexpr const char* dismissed_key = "dismissed";

std::string post_key(std::int64_t number) {
  return "post/" + std::to_string(number);
}

}  // namespace

struct MeetingPoint::Store {
  c10::intrusive_ptr<c10d::TCPStore> server;
};

MeetingPoint::MeetingPoint() : store_(std::make_unique<Store>()) {
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  try {
    store_->server = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
  } catch (const std::exception& error) {
    throw Error("ranks: error: those of this machine cannot be given a port to meet at: " + reason_of(error));
  }
}

MeetingPoint::~MeetingPoint() = default;

std::uint16_t MeetingPoint::port() const {
  return store_->server->getPort();
}

struct Ranks::Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<Exchange> of_processors;  ///< Gloo
  c10::intrusive_ptr<Exchange> of_gpus;        ///< NCCL, or Gloo too

  [[nodiscard]] Exchange& for_tensor(const torch::Tensor& tensor) const {
    return tensor.is_cuda() ? *of_gpus : *of_processors;
  }
  std::int64_t posts = 0;
};

Ranks::Ranks() = default;

Ranks::Ranks(const RankPlace& place, std::chrono::seconds patience) : place_(place) {
  if (place.count == 1) return;
  ignore_broken_pipes();
  group_ = std::make_unique<Group>();
  const auto meeting = place.address + ":" + std::to_string(place.port);
  try {
    c10d::TCPStoreOptions options;
    options.port = place.port;
    options.isServer = place.rank == 0 && !place.is_served;
    options.waitWorkers = !place.is_served;
    if (!place.is_served) options.numWorkers = static_cast<std::size_t>(place.count);
    options.timeout = patience;
    group_->store = c10::make_intrusive<c10d::PrefixStore>(
        "kindred/" + place.attempt, c10::make_intrusive<c10d::TCPStore>(place.address, options));
    auto ways = ProcessGroupGloo::Options::create();
    ways->timeout = patience;
    ways->devices.push_back(
        ProcessGroupGloo::createDeviceForHostname(own_address_towards(place.address, place.port)));
    group_->of_processors =
        c10::make_intrusive<ProcessGroupGloo>(group_->store, place.rank, place.count, std::move(ways));
    group_->of_gpus = make_gpu_exchange(c10::make_intrusive<c10d::PrefixStore>("gpus", group_->store),
                                        place.rank, place.count, patience);
    if (!group_->of_gpus) group_->of_gpus = group_->of_processors;
  } catch (const std::exception& error) {
    throw Error(name_of(place) + ": error: cannot meet the others at " + meeting + ": " + reason_of(error) +
                "; MASTER_ADDR and MASTER_PORT must name the machine of rank 0 and a port of it that is free "
                "and can be reached");
  }
}

Ranks::~Ranks() = default;

const Ranks& Ranks::alone() {
  static const Ranks one;
  return one;
}

std::unique_ptr<Ranks::Sum> Ranks::begin_sum(const torch::Tensor& values) const {
  // Gloo divides by the number of bytes.
  if (!are_many() || values.numel() == 0) return std::make_unique<NoSum>();
  std::vector<torch::Tensor> list{values};
  auto work = with_others(place_, [&] { return group_->for_tensor(values).allreduce(list); });
  return std::make_unique<RunningSum<decltype(work)>>(place_, std::move(work));
}

std::vector<torch::Tensor> Ranks::gather(const torch::Tensor& rows) const {
  return gather(std::vector<torch::Tensor>{rows}).front();
}

std::vector<std::vector<torch::Tensor>> Ranks::gather(const std::vector<torch::Tensor>& several) const {
  if (!are_many() || several.empty()) return gather(several, {});
  auto counts = torch::zeros({count()}, torch::kLong);
  counts[rank()] = several.front().size(0);
  sum(counts);
  const auto* numbers = counts.data_ptr<std::int64_t>();
  return gather(several, {numbers, numbers + count()});
}

std::vector<std::vector<torch::Tensor>> Ranks::gather(const std::vector<torch::Tensor>& several,
                                                      const std::vector<std::int64_t>& rows_by_rank) const {
  std::vector<std::vector<torch::Tensor>> found(several.size());
  if (several.empty()) return found;
  if (!are_many()) {
    for (std::size_t i = 0; i < several.size(); ++i) found[i] = {several[i]};
    return found;
  }
  const auto most = *std::max_element(rows_by_rank.begin(), rows_by_rank.end());
  // Pieces of one size are exchanged: the bytes of all tensors, one after the other, with rows for the
  // longest.
  std::vector<torch::Tensor> bytes;
  for (const auto& rows : several) {
    auto sizes = rows.sizes().vec();
    sizes[0] = most;
    auto padded = torch::zeros(sizes, rows.options());
    padded.narrow(0, 0, rows.size(0)).copy_(rows);
    bytes.push_back(padded.view({-1}).view(torch::kByte));
  }
  auto own = torch::cat(bytes);
  std::vector<torch::Tensor> given{own};
  std::vector<std::vector<torch::Tensor>> all(1);
  for (int i = 0; i < count(); ++i) all[0].push_back(torch::empty_like(own));
  // Gloo divides by the number of bytes.
  if (own.numel() > 0) {
    auto work = with_others(place_, [&] { return group_->for_tensor(own).allgather(all, given); });
    with_others(place_, [&] { return work->wait(); });
  }
  for (int i = 0; i < count(); ++i) {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < several.size(); ++k) {
      auto sizes = several[k].sizes().vec();
      sizes[0] = most;
      const auto size = bytes[k].numel();
      // Aligned as its type wants it.
      const auto piece = all[0][static_cast<std::size_t>(i)].narrow(0, at, size).clone();
      found[k].push_back(piece.view(several[k].scalar_type())
                             .view(sizes)
                             .narrow(0, 0, rows_by_rank[static_cast<std::size_t>(i)]));
      at += size;
    }
  }
  return found;
}

bool Ranks::any(bool here) const {
  if (!are_many()) return here;
  const auto flag = torch::full({1}, here ? 1 : 0, torch::kInt32);
  sum(flag);
  return flag.item<std::int32_t>() > 0;
}

void Ranks::broadcast(torch::Tensor& values) const {
  if (!are_many() || values.numel() == 0) return;
  std::vector<torch::Tensor> list{values};
  with_others(place_, [&] { return group_->for_tensor(values).broadcast(list)->wait(); });
}

double Ranks::broadcast(double value) const {
  auto values = torch::full({1}, value, torch::kFloat64);
  broadcast(values);
  return values.item<double>();
}

void Ranks::post(const std::string& text) const {
  if (!are_many()) return;
  with_others(place_, [&] {
    group_->store->set(post_key(group_->posts++), std::vector<std::uint8_t>(text.begin(), text.end()));
  });
}

std::string Ranks::await_post() const {
  const auto key = post_key(group_->posts++);
  return with_others(place_, [&] {
    // Asked again and again: a wait of c10d has an end, and the first rank's work between two posts has not.
    for (;;) {
      try {
        group_->store->wait({key}, std::chrono::seconds(5));
        break;
      } catch (const std::exception&) {
        if (!group_->store->check({key})) continue;  // throws when nobody serves the store any more
        break;
      }
    }
    const auto bytes = group_->store->get(key);
    if (bytes.empty()) static_cast<void>(group_->store->add(dismissed_key, 1));
    return std::string(bytes.begin(), bytes.end());
  });
}

void Ranks::dismiss() const noexcept {
  if (!are_many()) return;
  constexpr std::chrono::seconds longest{5};
  try {
    post("");
    const auto begin = std::chrono::steady_clock::now();
    while (group_->store->add(dismissed_key, 0) < count() - 1 &&
           std::chrono::steady_clock::now() - begin < longest) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  } catch (const std::exception&) {
    // They have ended, and have said why.
  }
}

}  // namespace kindred::system
