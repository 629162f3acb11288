// The nodes and constants of an ONNX model that is being made.
#pragma once

#include <onnx/onnx_pb.h>
#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace kindred::onnx {

/// ::onnx::TensorProto_DataType
using ElementType = std::int32_t;
inline constexpr ElementType float32 = ::onnx::TensorProto::FLOAT;
inline constexpr ElementType int64 = ::onnx::TensorProto::INT64;
inline constexpr ElementType boolean = ::onnx::TensorProto::BOOL;

using AttributeValue = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

[[nodiscard]] ElementType element_type(torch::ScalarType type);
[[nodiscard]] bool is_float(ElementType type);

/// Appends to a graph. Values have names that are unique in it.
class ModelWriter {
 public:
  /// @param model outlives this
  explicit ModelWriter(::onnx::ModelProto& model) : graph_(*model.mutable_graph()) {}

  /// Names what stands in the scope of a node until the next call: its nodes are named for it.
  void enter(const std::string& scope) { scope_ = scope; }

  /// @param inputs names; "": an optional one that is left out
  /// @return the output's name
  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {});
  /// The same with several outputs.
  std::vector<std::string> nodes(const std::string& op, const std::vector<std::string>& inputs,
                                 std::size_t outputs, const Attributes& attributes = {});

  /// A tensor as a constant, once for each tensor and type.
  std::string constant(const torch::Tensor& tensor, ElementType type);
  /// A number, of no dimension.
  std::string number(double value, ElementType type);
  /// [n], int64
  std::string numbers(const std::vector<std::int64_t>& values);

 private:
  std::string add_tensor(const torch::Tensor& tensor, ElementType type, const std::string& kind);
  std::string unique(const std::string& kind);

  ::onnx::GraphProto& graph_;
  std::string scope_;
  std::map<std::pair<const void*, ElementType>, std::string> constants_;
  std::vector<torch::Tensor> kept_;  ///< whose addresses are keys
  std::map<std::pair<double, ElementType>, std::string> single_;
  std::map<std::vector<std::int64_t>, std::string> lists_;
  std::map<std::string, int> counts_;
};

}  // namespace kindred::onnx
