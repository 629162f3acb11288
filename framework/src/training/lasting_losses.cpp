#include "training/lasting_losses.h"

#include <boost/crc.hpp>

#include <cstddef>

#include "file/safetensors.h"
#include "kindred/nn/lasting_tensors.h"
#include "recipe/guarded.h"
#include "text/number_text.h"
#include "weights/loss_weights.h"

namespace kindred::training {

std::string classes_of(const TrainingData& data) {
  std::vector<const Sample*> first(static_cast<std::size_t>(data.identities), nullptr);
  for (std::size_t i = 0; i < data.samples.size(); ++i) {
    auto& found = first[static_cast<std::size_t>(data.labels[i])];
    if (found == nullptr || data.samples[i].path < found->path) found = &data.samples[i];
  }
  boost::crc_32_type crc;
  for (const auto* sample : first) {
    const auto text = std::to_string(sample->identity) + '\0' + sample->path + '\n';
    crc.process_bytes(text.data(), text.size());
  }
  return std::to_string(data.identities) + " identities, " + text::hex_digits(crc.checksum());
}

void write_lasting_losses(const std::filesystem::path& file, const std::vector<model::LossTerm>& terms,
                          const TrainingData& data) {
  file::TensorFile content;
  for (const auto& term : terms) {
    auto* lasting = dynamic_cast<LastingTensors*>(term.loss.get());
    if (lasting == nullptr) continue;
    for (const auto& [name, tensor] :
         recipe::guarded(term.subject, [&] { return lasting->lasting_tensors(); })) {
      if (!tensor.defined() || (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>())) {
        throw recipe::ComponentFault(
            term.subject, "gave a lasting tensor '" + name + "' that is not defined or not finite");
      }
      content.tensors.emplace_back(term.name + "." + name, tensor.detach());
    }
  }
  if (content.tensors.empty()) return;
  content.metadata[weights::classes_key] = classes_of(data);
  file::write_safetensors(file, content);
}

}  // namespace kindred::training
