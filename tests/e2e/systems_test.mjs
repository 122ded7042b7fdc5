// The examples of five other proxies' documentation, run against ours: each
// code block as it stands but for host and port, with scriptable upstreams
// in place of the vendors; then what else they promise. Prints a table.
import "./systems/provider_path.mjs";
import "./systems/anthropic_front.mjs";
import "./systems/dialect.mjs";
import "./systems/unified.mjs";
import "./systems/prefix.mjs";
