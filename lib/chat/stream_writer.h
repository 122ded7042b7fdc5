// StreamWriter: what all stream encoders share, as StreamReader is for
// decoders. Brings parts into turn, takes events apart, tells each loss once
// and nothing behind the end.
//
// An encoder says how its dialect writes each thing. They all define the
// members below, in this order, and their own helpers behind them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/sequencer.h"
#include "chat/tool_arguments.h"
#include "json/writer.h"
#include "llmproxy/stream.h"

namespace llmproxy {

/// How many parts may be open at once in a client's stream.
enum class PartOrder : std::uint8_t {
  interleaved,  ///< any: parts come as they come
  in_turn,      ///< one
};

/// A dialect's encoder derives from this and writes one thing at a time.
/// Nothing here allocates for an event.
class StreamWriter : public StreamEncoder, private EventSink {
 public:
  void on_event(const StreamEvent& event, std::string& out) final;
  const Losses& losses() const final { return losses_; }

 protected:
  /// `title`: the dialect, as losses call it; it must outlive this.
  StreamWriter(std::string_view title, PartOrder order)
      : w_(data_, json::Spacing::none),
        title_(title),
        order_(order),
        sequencer_(*this) {}

  virtual void on_started(const StreamEvent& event) = 0;

  // A part begins, by its kind. Those that come whole have all they are here.
  virtual void open_text(const StreamEvent& event) = 0;
  virtual void open_thinking(const StreamEvent& event) = 0;
  virtual void open_redacted_thinking(const StreamEvent& event) = 0;
  virtual void open_refusal(const StreamEvent& event) = 0;
  /// Of both kinds.
  virtual void open_tool_call(const StreamEvent& event) = 0;
  virtual void open_image(const StreamEvent& event) = 0;
  virtual void open_opaque(const StreamEvent& event) = 0;

  // A piece of it, never empty.
  virtual void on_text(const StreamEvent& event) = 0;
  virtual void on_thinking(const StreamEvent& event) = 0;
  virtual void on_refusal(const StreamEvent& event) = 0;
  /// Arguments, of both kinds.
  virtual void on_tool_call(const StreamEvent& event) = 0;
  /// Of thinking.
  virtual void on_signature(const StreamEvent& event) = 0;
  virtual void on_citation(const StreamEvent& event) = 0;

  virtual void close_part(const StreamEvent& event) = 0;
  virtual void on_finished(const StreamEvent& event) = 0;
  /// Also first, before the answer has begun.
  virtual void on_failed(const Error& error) = 0;

  /// Where the event goes; only while one is written.
  std::string& out() { return *out_; }
  /// Begins an object in data_, which w_ then writes to.
  void begin_object();

  /// Losses are told once, in the words of chat/losses.h.
  void lose(std::string_view path, std::string_view thing);
  void lose(std::string_view path, std::string_view thing,
            std::string_view became);
  /// The same in other words.
  void lose(Loss loss);
  /// Says that a part which comes whole has no form here.
  void lose_part(const StreamEvent& event);
  /// Of a call whose arguments must be an object: what is still to be sent at
  /// its end, and says what was lost of it. Empty for all other parts.
  std::string rest_of(StreamedInput& input, PartKind kind);

  std::string data_;  ///< of one event; memory to reuse
  json::Writer w_;
  Losses losses_;
  Usage usage_;               ///< as last told
  std::string service_tier_;  ///< likewise
  /// For encoders: the part's beginning has been written. False when a part
  /// begins.
  bool part_open_ = false;

 private:
  /// Parts in the order in which they are written.
  void on_event(const StreamEvent& event) final;
  void note(const StreamEvent& event);
  void part_started(const StreamEvent& event);
  void part_delta(const StreamEvent& event);

  const std::string_view title_;
  const PartOrder order_;
  Sequencer sequencer_;
  std::string* out_ = nullptr;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace llmproxy
