// What the shared libraries export: everything that a public header declares
// between these two marks, and nothing else. Libraries are compiled with
// hidden visibility; without that the marks change nothing.
//
// Every public header has it, so it also says which C++ they are.
#pragma once

// g++ 10 says 201709 for C++20, MSVC tells in a macro of its own.
#if __cplusplus <= 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG <= 201703L)
#error "llmproxy needs C++20: compile with -std=c++20"
// A file that is not there: else pages about the headers' C++20 would follow.
#define LLMPROXY_STOP "llmproxy needs C++20"
#include LLMPROXY_STOP
#endif

#if defined(__GNUC__)
#define LLMPROXY_EXPORT_BEGIN _Pragma("GCC visibility push(default)")
#define LLMPROXY_EXPORT_END _Pragma("GCC visibility pop")
#else
#define LLMPROXY_EXPORT_BEGIN
#define LLMPROXY_EXPORT_END
#endif
