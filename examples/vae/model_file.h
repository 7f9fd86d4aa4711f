// A checkpoint as a model: which file it is, how large the network in it, and whether it is the network that is built
// here.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "weft/examples/vae/model.h"
#include "weft/graph/runtime/checkpoint.h"

namespace weft {

// What a file says of its model beside the variables: sizes, the text if it is one, and what each node of Encoder/ and
// Decoder/ is that has a name but no variables, as "node.Encoder/H" = "Relu f32[N, 512]".
Metadata DescribeModel(const Model& model, Graph& graph);

// Sizes by the shapes of the variables that are there, by name: where they disagree, those that most of them tell. What
// none of them tells is as in a default Model.
Model MeasuredModel(const std::map<std::string, Shape>& shapes);

struct ModelFile {
  std::filesystem::path path = {};
  Model model = {};
  Metadata metadata = {};
};

// The model in the file `from`, or in the newest complete checkpoint of the directory `from`; newer ones that are
// damaged are noted on stderr. A file without sizes in its metadata is measured by its shapes. Throws CheckpointError,
// also for sizes that the file cannot hold, and std::system_error.
ModelFile OpenModel(const std::filesystem::path& from);

// Fills the variables of `scope`, "Encoder" or "Decoder", all of them, and notes their number on stderr; of a text,
// whose scopes may be others, those of the whole model. Throws like
// Restore, and CheckpointError for a file in which a node of the scope is another one than in `graph`.
void RestorePart(const ModelFile& file, Graph& graph, std::string_view scope, VariableStore& store);

}  // namespace weft
