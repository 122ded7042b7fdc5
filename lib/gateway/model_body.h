// Model bodies: what the body of a request says of who is asked, JSON or form,
// held in memory or not; and the same body with another model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/edited_body.h"
#include "gateway/model_paths.h"
#include "llmproxy/gateway.h"
#include "llmproxy/parse_limits.h"

namespace llmproxy::gateway {

/// A text of the body that names the model, or the place of one that is
/// missing: what stands around the name there.
struct ModelText {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string before;
  std::string after;
};

struct ModelBody {
  std::string model;  ///< as the client said; empty = it names none
  std::string user;   ///< of the client's, as the body names it
  bool stream = false;
  /// Of what may be text; files are none.
  std::uint64_t text_bytes = 0;
  std::vector<ModelText> texts;
  bool json = false;  ///< the texts stand in JSON
};

/// Of a request's body, wherever it is; for run_sized(): what is read of a disk
/// takes time.
std::size_t body_bytes(const HttpRequest& request);

/// True for a request whose body is a form.
bool has_form(const HttpRequest& request);

/// Reads the body of a request to `match`, which outlives nothing of it.
/// Errors: what cannot be read, or names a model twice.
Result<ModelBody> read_model_body(const HttpRequest& request,
                                  const ModelPathMatch& match,
                                  const ParseLimits& limits);

/// Where a form has its one part `model`, whatever the path.
Result<ModelBody> read_form_model(const HttpRequest& request);

/// What makes it a request for `model`.
std::vector<BodyEdit> edits_for(const ModelBody& body, std::string_view model);
/// Makes them.
void edit_body(std::vector<BodyEdit> edits, std::string& body,
               std::shared_ptr<const LargeBody>& large_body);

}  // namespace llmproxy::gateway
