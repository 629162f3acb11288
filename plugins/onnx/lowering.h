// From the operations of a traced graph to those of ONNX.
#pragma once

#include <onnx/onnx_pb.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph_facts.h"
#include "kindred/role/exporter.h"
#include "model_writer.h"

namespace kindred::onnx {

/// The version of ONNX's operations: the newest that Debian 12's library knows.
inline constexpr std::int64_t opset = 17;

/// What a value of the traced graph is in ONNX: known already, or computed, or a list of both.
struct Term {
  c10::IValue known{};        ///< unless there is a name or a list
  std::string name{};         ///< of a tensor; numbers have no dimension
  ElementType type = 0;       ///< of that tensor
  std::vector<Term> items{};  ///< of a list that is not wholly known
  bool is_list = false;

  [[nodiscard]] bool is_known() const { return name.empty() && !is_list; }
};

/// An operation has no counterpart; says why.
class CannotLower : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Lowers one graph. The members between run() and the end are for the functions that lower an operation
/// each.
class Lowering {
 public:
  /// @param proto that is written to; outlives this
  Lowering(const ExportedModel& model, ::onnx::ModelProto& proto);

  /// Writes inputs, nodes and output. Throws ComponentError for an operation that cannot be lowered.
  void run();

  [[nodiscard]] ModelWriter& out() { return writer_; }
  [[nodiscard]] const GraphFacts::Fact& fact(const torch::jit::Value* value) const {
    return facts_.of(value);
  }
  [[nodiscard]] const Term& term(const torch::jit::Value* value) const;
  [[nodiscard]] std::int64_t rank(const torch::jit::Value* value) const { return fact(value).rank(); }
  /// 16-bit floats where that is asked for.
  [[nodiscard]] ElementType compute_type() const { return compute_type_; }

  /// The argument of that name in the operation's schema.
  [[nodiscard]] static const torch::jit::Value* argument(const torch::jit::Node& node, const char* name);
  [[nodiscard]] static bool has_argument(const torch::jit::Node& node, const char* name);
  /// Known arguments. Throw CannotLower for one that is computed.
  [[nodiscard]] const c10::IValue& known(const torch::jit::Node& node, const char* name) const;
  [[nodiscard]] bool is_none(const torch::jit::Node& node, const char* name) const;
  [[nodiscard]] std::int64_t integer(const torch::jit::Node& node, const char* name) const;
  [[nodiscard]] double real(const torch::jit::Node& node, const char* name) const;
  [[nodiscard]] bool flag(const torch::jit::Node& node, const char* name) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const torch::jit::Node& node, const char* name) const;
  /// From 0.
  [[nodiscard]] std::int64_t axis(const torch::jit::Node& node, const char* name, std::int64_t rank) const;
  [[nodiscard]] std::vector<std::int64_t> axes(const torch::jit::Node& node, const char* name,
                                               std::int64_t rank) const;

  /// The type that a value has or, where it is known, takes: floats are of the compute type.
  [[nodiscard]] ElementType type_of(const torch::jit::Value* value) const;
  /// The type of an operation's result of two operands: the wider of theirs; known values and numbers adapt.
  [[nodiscard]] ElementType common_type(const torch::jit::Value* a, const torch::jit::Value* b) const;
  /// The name of a tensor or a number in a type: as a constant, or converted, where it has to be.
  std::string tensor(const torch::jit::Value* value, ElementType type);
  std::string tensor(const Term& value, ElementType type);
  std::string tensor(const torch::jit::Value* value) { return tensor(value, type_of(value)); }
  std::string cast(const std::string& name, ElementType from, ElementType to);
  /// A list of whole numbers or one number, [n].
  std::string list(const Term& numbers);

  void set(const torch::jit::Value* value, std::string name, ElementType type);
  void set(const torch::jit::Value* value, Term term) { terms_[value] = std::move(term); }

 private:
  void write_inputs();
  void write_output();
  void lower(const torch::jit::Node& node);

  const ExportedModel& model_;
  ::onnx::ModelProto& proto_;
  GraphFacts facts_;
  ModelWriter writer_;
  ElementType compute_type_;
  std::unordered_map<const torch::jit::Value*, Term> terms_;
};

/// Lowers one operation: sets its outputs.
using LowerOperation = std::function<void(Lowering&, const torch::jit::Node&)>;
/// By qualified name: "aten::relu".
using LoweringTable = std::unordered_map<std::string, LowerOperation>;

void add_arithmetic(LoweringTable& table);
void add_shapes(LoweringTable& table);
void add_reductions(LoweringTable& table);
void add_layers(LoweringTable& table);

}  // namespace kindred::onnx
