#include "server/access_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include "server/json_object.h"

namespace llmproxy {
namespace {

// Lines waiting for the background thread; about 400 bytes each.
constexpr std::size_t kQueuedLines = 2048;
// Model names and messages come from outside and may be megabytes.
constexpr std::size_t kLongestValue = 512;
// Headers, all in one.
constexpr std::size_t kLongestDetail = 2048;

struct Level {
  std::string_view name;
  spdlog::level::level_enum level;
};
constexpr Level kLevels[] = {{"debug", spdlog::level::debug},
                             {"info", spdlog::level::info},
                             {"warn", spdlog::level::warn},
                             {"error", spdlog::level::err},
                             {"off", spdlog::level::off}};

/// What load balancers and agents ask to see whether anybody is there.
constexpr std::array<std::string_view, 3> kProbes = {"/health", "/healthz",
                                                     "/api/hello"};

bool is_probe(const RequestRecord& record) {
  const bool home = record.method == "HEAD" && record.path == "/";
  return record.status < 400 &&
         (home || std::find(kProbes.begin(), kProbes.end(), record.path) !=
                      kProbes.end());
}

const Level& level_of(const RequestRecord& record) {
  auto level = record.status >= 500 ? spdlog::level::warn : spdlog::level::info;
  // One every few seconds, of which nobody wants to read.
  if (is_probe(record)) level = spdlog::level::debug;
  return *std::find_if(std::begin(kLevels), std::end(kLevels),
                       [&](const Level& row) { return row.level == level; });
}

std::string timestamp(LogTime when) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(when - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     rest.count());
}

double milliseconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

/// Hands every field that has a value to `out`, in one order for all formats.
template <class Fields>
void each_field(const RequestRecord& record, Fields& out) {
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out.text(name, value.substr(0, kLongestValue));
  };
  const auto count = [&](std::string_view name,
                         const std::optional<std::int64_t>& value) {
    if (value) out.number(name, *value);
  };
  text("request_id", record.request_id);
  text("peer", record.peer);
  text("method", record.method);
  text("path", record.path);
  text("client_dialect", record.client_dialect);
  text("model", record.model);
  text("backend", record.backend);
  text("upstream_model", record.upstream_model);
  out.number("status", record.status);
  out.flag("stream", record.stream);
  count("input_tokens", record.input_tokens);
  count("output_tokens", record.output_tokens);
  count("cached_tokens", record.cached_tokens);
  if (record.losses > 0)
    out.number("losses", static_cast<std::int64_t>(record.losses));
  if (record.first_byte) out.real("ttfb_ms", milliseconds(*record.first_byte));
  out.real("total_ms", milliseconds(record.total));
  text("outcome", record.outcome);
  text("error", record.error);
}

/// name=value fields, quoted where a value holds more than plain letters.
class TextFields {
 public:
  explicit TextFields(std::string& out) : out_(out) {}

  void text(std::string_view name, std::string_view value) {
    begin(name);
    if (std::all_of(value.begin(), value.end(), is_plain)) {
      out_ += value;
      return;
    }
    out_ += '"';
    for (const char c : value) append_escaped(c);
    out_ += '"';
  }
  void number(std::string_view name, std::int64_t value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void real(std::string_view name, double value) {
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{:.3f}", value);
  }
  void flag(std::string_view name, bool value) {
    begin(name);
    out_ += value ? "true" : "false";
  }

 private:
  static bool is_plain(char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  }
  void begin(std::string_view name) {
    out_ += ' ';
    out_ += name;
    out_ += '=';
  }
  void append_escaped(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out_), "\\x{:02x}", byte);
    } else {
      out_ += c;
    }
  }

  std::string& out_;
};

// --- Of a terminal ----------------------------------------------------------

// ECMA-48, "select graphic rendition".
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string_view colour_of(int status) {
  if (status >= 500) return kRed;
  return status >= 400 ? kYellow : kGreen;
}

/// As it may stand on a terminal, which obeys control characters.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestValue)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
  return out;
}

std::string painted(std::string_view text, std::string_view colour,
                    bool paint) {
  if (!paint) return std::string(text);
  return fmt::format("{}{}{}", colour, text, kPlain);
}

/// "fast -> openai gpt-5-mini", or method and path where it is no chat.
std::string subject_of(const RequestRecord& record) {
  if (record.model.empty())
    return shown(record.method) + " " + shown(record.path);
  std::string out = shown(record.model);
  if (record.backend.empty()) return out;
  out += " -> " + shown(record.backend);
  if (record.upstream_model != record.model)
    out += " " + shown(record.upstream_model);
  return out;
}

std::string clock_time(LogTime when) {
  return fmt::format(
      "{:%H:%M:%S}",
      fmt::localtime(std::chrono::system_clock::to_time_t(when)));
}

std::string duration(std::chrono::microseconds time) {
  const double ms = milliseconds(time);
  return ms < 1000 ? fmt::format("{:.0f} ms", ms)
                   : fmt::format("{:.1f} s", ms / 1000);
}

const Level* find_level(std::string_view name) {
  const auto* row =
      std::find_if(std::begin(kLevels), std::end(kLevels),
                   [&](const Level& level) { return level.name == name; });
  return row == std::end(kLevels) ? nullptr : row;
}

std::string known_levels() {
  std::string names;
  for (const Level& row : kLevels) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

spdlog::sink_ptr open_sink(const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  }
  sink->set_pattern("%v");
  return sink;
}

}  // namespace

std::string text_line(const RequestRecord& record, LogTime when) {
  std::string line = timestamp(when);
  line += ' ';
  line += level_of(record).name;
  TextFields fields(line);
  each_field(record, fields);
  return line;
}

std::string json_line(const RequestRecord& record, LogTime when) {
  JsonObject fields;
  fields.text("time", timestamp(when));
  fields.text("level", level_of(record).name);
  each_field(record, fields);
  return fields.take();
}

std::string terminal_line(const RequestRecord& record, LogTime when,
                          bool paint) {
  std::string line = painted(clock_time(when), kFaint, paint) + " ";
  line +=
      painted(std::to_string(record.status), colour_of(record.status), paint);
  line += " " + subject_of(record);
  if (record.input_tokens || record.output_tokens) {
    line += fmt::format("  {} + {} tokens", record.input_tokens.value_or(0),
                        record.output_tokens.value_or(0));
  }
  line += "  " + duration(record.total);
  if (record.losses > 0) line += fmt::format("  {} lost", record.losses);
  if (!record.error.empty())
    line +=
        "  " + painted(shown(record.error), colour_of(record.status), paint);
  return line;
}

std::string detail_line(const RequestRecord& record,
                        const std::vector<RequestDetail>& details, LogTime when,
                        LogStyle style) {
  if (style == LogStyle::json) {
    JsonObject fields;
    fields.text("time", timestamp(when));
    fields.text("level", "debug");
    fields.text("request_id", record.request_id);
    for (const RequestDetail& row : details)
      fields.text(row.name,
                  std::string_view(row.text).substr(0, kLongestDetail));
    return fields.take();
  }
  if (style != LogStyle::text) {
    std::string line;
    for (const RequestDetail& row : details) {
      const std::string text =
          fmt::format("         {}: {}", row.name, shown(row.text));
      line += (line.empty() ? "" : "\n") +
              painted(text, kFaint, style == LogStyle::coloured);
    }
    return line;
  }
  std::string line = timestamp(when) + " debug";
  TextFields fields(line);
  fields.text("request_id", record.request_id);
  for (const RequestDetail& row : details)
    fields.text(row.name, std::string_view(row.text).substr(0, kLongestDetail));
  return line;
}

namespace {

/// On a terminal people read it, anywhere else programs do.
LogStyle style_of(const LogConfig& config) {
  if (config.format == "json") return LogStyle::json;
  if (!config.file.empty() || ::isatty(STDERR_FILENO) == 0)
    return LogStyle::text;
  // https://no-color.org: set and not empty.
  const char* const none = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  const bool plain = dumb || (none != nullptr && *none != '\0');
  return plain ? LogStyle::terminal : LogStyle::coloured;
}

std::string line_for(const RequestRecord& record, LogTime when,
                     LogStyle style) {
  if (style == LogStyle::json) return json_line(record, when);
  if (style == LogStyle::text) return text_line(record, when);
  return terminal_line(record, when, style == LogStyle::coloured);
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const LogConfig& config) {
  if (find_level(config.level) == nullptr)
    return invalid_request("the log level must be one of " + known_levels());
  if (config.format != "text" && config.format != "json")
    return invalid_request("the log format must be text or json");
  std::unique_ptr<AccessLog> log(new AccessLog(config));
  log->style_ = style_of(config);
  log->thread_ =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  LLMPROXY_TRY(log->open_logger());
  return log;
}

AccessLog::~AccessLog() = default;

Result<void> AccessLog::open_logger() {
  std::shared_ptr<spdlog::logger> opened;
  try {
    opened = std::make_shared<spdlog::async_logger>(
        "access", open_sink(config_.file), thread_,
        spdlog::async_overflow_policy::overrun_oldest);
  } catch (const spdlog::spdlog_ex& problem) {
    return invalid_request(problem.what());
  }
  opened->set_level(find_level(config_.level)->level);
  // Happens on the background thread; a log file is then never behind.
  opened->flush_on(spdlog::level::trace);
  const std::lock_guard lock(mutex_);
  logger_ = std::move(opened);
  return {};
}

Result<void> AccessLog::reopen() { return open_logger(); }

std::shared_ptr<spdlog::logger> AccessLog::logger() const {
  const std::lock_guard lock(mutex_);
  return logger_;
}

void AccessLog::on_request(const RequestRecord& record) {
  const auto level = level_of(record).level;
  const auto to = logger();
  if (!to->should_log(level)) return;
  const std::string line =
      line_for(record, std::chrono::system_clock::now(), style_);
  to->log(level, spdlog::string_view_t(line));
}

bool AccessLog::wants_details() const {
  return logger()->should_log(spdlog::level::debug);
}

void AccessLog::on_details(const RequestRecord& record,
                           const std::vector<RequestDetail>& details) {
  const std::string line =
      detail_line(record, details, std::chrono::system_clock::now(), style_);
  logger()->log(spdlog::level::debug, spdlog::string_view_t(line));
}

}  // namespace llmproxy
