// Version of the library, after Semantic Versioning;
// docs/changelog.md says what that promises.
//
//   #if LLMPROXY_VERSION_MAJOR == 0 && LLMPROXY_VERSION_MINOR < 2
#pragma once

/// Incompatible changes.
#define LLMPROXY_VERSION_MAJOR 0
/// Additions; before 1.0 also incompatible changes.
#define LLMPROXY_VERSION_MINOR 1
/// Repairs.
#define LLMPROXY_VERSION_PATCH 0
/// All three, as text.
#define LLMPROXY_VERSION "0.1.0"
