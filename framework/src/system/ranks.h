// The processes that compute one thing together: ranks, as torchrun, mpirun and srun start them.
#pragma once

#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::system {

/// Where a process stands among those that were started together, and where they meet.
struct RankPlace {
  int rank = 0;
  int count = 1;
  int local_rank = 0;   ///< among those of its machine
  int local_count = 1;  ///< of its machine
  std::string address;  ///< of the machine of rank 0
  std::uint16_t port = 0;
  bool is_served = false;     ///< not by rank 0, but by a MeetingPoint
  std::string attempt;        ///< tells this start of the processes from those before it
  bool may_be_bound = false;  ///< by who started it, to processors of its own
};

/// Another rank has ended, or does not answer.
class LostRankError : public Error {
 public:
  using Error::Error;
};

/// Where ranks of this machine can meet, for whoever starts them. It must outlive them.
class MeetingPoint {
 public:
  /// Throws Error when the machine has no free port.
  MeetingPoint();
  ~MeetingPoint();
  MeetingPoint(const MeetingPoint&) = delete;
  MeetingPoint& operator=(const MeetingPoint&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};

/// Sums and exchanges over all ranks, by LibTorch's c10d: with Gloo, and between GPUs with NCCL
/// in a build that has it (gpu_exchange.h). All ranks call the same functions in the
/// same order; each returns when all have called it. When a rank has ended, or does not answer for
/// `patience`, they throw LostRankError. One process alone is a rank, too, for which they do nothing.
class Ranks {
 public:
  /// One process.
  Ranks();
  /// Meets the others. Throws Error when they cannot be reached. From then on the process ignores SIGPIPE,
  /// unless it handles it.
  Ranks(const RankPlace& place, std::chrono::seconds patience);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  /// One process that nobody needs to make.
  [[nodiscard]] static const Ranks& alone();

  [[nodiscard]] int rank() const { return place_.rank; }
  [[nodiscard]] int count() const { return place_.count; }
  [[nodiscard]] const RankPlace& place() const { return place_; }
  [[nodiscard]] bool are_many() const { return place_.count > 1; }
  [[nodiscard]] bool is_first() const { return place_.rank == 0; }

  /// A sum that is under way.
  class Sum {
   public:
    virtual ~Sum() = default;
    /// Returns when the tensor holds it.
    virtual void wait() = 0;
  };
  /// The elementwise sum over all ranks, in the place of the values: the same bits on all ranks.
  /// @param values contiguous, and left alone until wait() has returned
  [[nodiscard]] std::unique_ptr<Sum> begin_sum(const torch::Tensor& values) const;
  void sum(const torch::Tensor& values) const { begin_sum(values)->wait(); }

  /// The rows of all ranks, by rank. Numbers of rows may differ; types and further sizes are the same.
  [[nodiscard]] std::vector<torch::Tensor> gather(const torch::Tensor& rows) const;
  /// The same of several tensors of one device with as many rows each, in one exchange: for each of them, the
  /// rows by rank.
  [[nodiscard]] std::vector<std::vector<torch::Tensor>> gather(
      const std::vector<torch::Tensor>& several) const;
  /// The same without a first exchange of how many rows there are.
  /// @param rows_by_rank which all of them know
  [[nodiscard]] std::vector<std::vector<torch::Tensor>> gather(
      const std::vector<torch::Tensor>& several, const std::vector<std::int64_t>& rows_by_rank) const;

  /// Whether it is so on any rank.
  [[nodiscard]] bool any(bool here) const;

  /// What rank 0 gives, on all ranks.
  void broadcast(torch::Tensor& values) const;
  [[nodiscard]] double broadcast(double value) const;

  /// Leaves a text for the others, on rank 0, and waits for one however long that takes, on the others: the
  /// n-th text for the n-th call.
  void post(const std::string& text) const;
  [[nodiscard]] std::string await_post() const;
  /// Posts "" as the last text, and waits until the others have read it, since they would take an earlier end
  /// of rank 0 for a loss; a few seconds at most, as one that has failed will not.
  void dismiss() const noexcept;

 private:
  struct Group;

  RankPlace place_;
  std::unique_ptr<Group> group_;
};

}  // namespace kindred::system
